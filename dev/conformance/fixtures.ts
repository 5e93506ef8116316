/**
 * The server that the official MCP suite expects to find: tools, resources and prompts under the
 * suite's own names. It stands in for the product's packs; everything in front of it is the product.
 *
 * The product publishes no list changes, so none are declared here either.
 *
 * @module
 */

import {
  createRequestStateCodec,
  McpServer,
  type Server,
  SUPPORTED_PROTOCOL_VERSIONS,
} from "@modelcontextprotocol/server";
import { MODERN_REVISION } from "../../lib/mcp/server.ts";
import { askingTools } from "./fixtures/asking.ts";
import { contentTools } from "./fixtures/content.ts";
import { prompts, resources } from "./fixtures/documents.ts";
import { roundTools, type State } from "./fixtures/rounds.ts";

const codec = createRequestStateCodec<State>({ key: crypto.getRandomValues(new Uint8Array(32)) });

/** Makes a server that is not connected yet. */
export function fixtureServer(): Server {
  const server = new McpServer({ name: "fixtures", version: "1.0.0" }, {
    capabilities: {
      tools: {},
      resources: { subscribe: true },
      prompts: {},
      logging: {},
      completions: {},
    },
    requestState: { verify: codec.verify },
    supportedProtocolVersions: [MODERN_REVISION, ...SUPPORTED_PROTOCOL_VERSIONS],
  });
  // The suite calls the first tool with no arguments.
  contentTools(server);
  askingTools(server);
  roundTools(server, codec.mint);
  resources(server);
  prompts(server);
  server.server.setRequestHandler("logging/setLevel", () => ({}));
  server.server.setRequestHandler("completion/complete", () => ({
    completion: { values: ["paris", "park"], total: 2, hasMore: false },
  }));
  return server.server;
}
