/**
 * Packs become an MCP server: schemas, documents and handlers are made here, once. What is made
 * per connection is only the SDK's `Server` around them.
 *
 * @module
 */

import { Server, SUPPORTED_PROTOCOL_VERSIONS } from "@modelcontextprotocol/server";
import { z } from "zod";
import type { Pack } from "../pack.ts";
import type { Caller } from "./caller.ts";
import { GET_PARAMS, promptHandlers } from "./prompts.ts";
import { READ_PARAMS, resourceHandlers } from "./resources.ts";
import { toolHandlers } from "./tools.ts";
import { worker, type WorkPorts } from "./work.ts";

/** The newest revision of MCP that is served. */
export const MODERN_REVISION = "2026-07-28";

/** Makes a server that is not connected yet. */
export type NewServer = () => Server;

/** How this program names itself to clients. */
export interface ServerInfo {
  readonly name: string;
  readonly title: string;
  readonly version: string;
}

// Everything is on the first page, so no cursor was ever given.
const LIST_PARAMS = z.object({ cursor: z.undefined("no such page").optional() });

// The lists are the same for everybody and change only with a restart.
const LIST_CACHE = { ttlMs: 60_000, cacheScope: "private" } as const;

const CACHE_HINTS = {
  "server/discover": LIST_CACHE,
  "tools/list": LIST_CACHE,
  "prompts/list": LIST_CACHE,
  "resources/list": LIST_CACHE,
  "resources/templates/list": LIST_CACHE,
  // What a resource says is so now, and for who asked.
  "resources/read": { ttlMs: 0, cacheScope: "private" },
} as const;

/**
 * Prepares the servers of `packs`.
 *
 * @param direct The caller where the transport names none, as on stdio.
 * @throws {TypeError} When two things share a name, or one cannot be described to clients.
 */
export function serverFactory(
  packs: readonly Pack[],
  info: ServerInfo,
  direct: Caller,
  ports: WorkPorts,
): NewServer {
  const work = worker(direct, ports);
  const tools = toolHandlers(packs.flatMap((pack) => pack.tools), work, ports.meter);
  const resources = resourceHandlers(
    packs.flatMap((pack) => pack.resources ?? []),
    work,
    ports.meter,
  );
  const prompts = promptHandlers(packs.flatMap((pack) => pack.prompts ?? []), work, ports.meter);
  const hasResources = resources.list.resources.length > 0;
  const hasPrompts = prompts.list.prompts.length > 0;
  const options = {
    capabilities: {
      tools: {},
      ...(hasResources && { resources: {} }),
      ...(hasPrompts && { prompts: {} }),
    },
    supportedProtocolVersions: [MODERN_REVISION, ...SUPPORTED_PROTOCOL_VERSIONS],
    cacheHints: CACHE_HINTS,
  };
  const paged = { params: LIST_PARAMS };
  return () => {
    const server = new Server(info, options);
    server.setRequestHandler("tools/list", paged, () => tools.list);
    server.setRequestHandler("tools/call", tools.call);
    if (hasResources) {
      server.setRequestHandler("resources/list", paged, () => resources.list);
      server.setRequestHandler("resources/templates/list", paged, () => resources.templates);
      server.setRequestHandler("resources/read", { params: READ_PARAMS }, resources.read);
    }
    if (hasPrompts) {
      server.setRequestHandler("prompts/list", paged, () => prompts.list);
      server.setRequestHandler("prompts/get", { params: GET_PARAMS }, prompts.get);
    }
    return server;
  };
}
