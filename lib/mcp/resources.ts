/**
 * Resources of packs: how they are listed, and how they are read.
 *
 * A resource has one URI, and perhaps parameters in a query of it. The URI alone is listed as a
 * resource, and with its parameters as a template (RFC 6570).
 *
 * @module
 */

import {
  ProtocolError,
  ProtocolErrorCode,
  type ReadResourceResult,
  ResourceNotFoundError,
  type ServerContext,
} from "@modelcontextprotocol/server";
import { z } from "zod";
import type { Meter } from "../meter.ts";
import type { Resource } from "../pack.ts";
import { unique } from "./names.ts";
import { valueOf, type Work } from "./work.ts";

/** What `resources/read` is given. */
export const READ_PARAMS = z.object({ uri: z.string() });

const MIME_TYPE = "application/json";
const NO_QUERY = z.strictObject({});

/** Longest query of a URI, in characters, with its question mark. */
const MAX_QUERY_LENGTH = 1024;

const QUERY_RULE =
  `the query may have at most ${MAX_QUERY_LENGTH} characters, and each parameter once`;

/**
 * Prepares resources.
 *
 * @throws {TypeError} When two share a URI, or one has a URI or parameters that could not be asked for.
 */
export function resourceHandlers(all: readonly Resource[], work: Work, meter: Meter) {
  for (const { uri, query = NO_QUERY } of all) {
    if (!/^[a-z][a-z\d+.-]*:\/\/[\w./-]+$/.test(uri) || uri.length > 128) {
      throw new TypeError(`Cannot serve a resource at "${uri}"`);
    }
    // The names that RFC 6570 takes; and a list of resources promises that each can be read as it is.
    const names = Object.keys(query.shape);
    if (!names.every((name) => /^\w+$/.test(name)) || !query.safeParse({}).success) {
      throw new TypeError(`Cannot serve the parameters of "${uri}"`);
    }
  }
  const resources = unique("resource", all, ({ uri }) => uri);
  return {
    list: { resources: all.map(({ uri, ...rest }) => ({ uri, ...describe(rest) })) },
    templates: {
      resourceTemplates: all.flatMap(({ uri, query, ...rest }) => {
        const names = Object.keys(query?.shape ?? {});
        if (names.length === 0) return [];
        return [{ uriTemplate: `${uri}{?${names.join()}}`, ...describe(rest) }];
      }),
    },
    async read({ uri }: z.infer<typeof READ_PARAMS>, context: ServerContext) {
      const resource = resources.get(addressOf(uri));
      if (!resource || uri.includes("#")) {
        meter.called("resource", uri, "unknown");
        throw new ResourceNotFoundError(uri, "Unknown resource");
      }
      const args = parametersOf(uri.slice(resource.uri.length));
      if (!args) {
        const text = `Cannot call ${resource.uri}: ${QUERY_RULE}`;
        throw new ProtocolError(ProtocolErrorCode.InvalidParams, text);
      }
      const outcome = await work(
        { kind: "resource", name: resource.uri },
        { input: resource.query ?? NO_QUERY, args, context },
        async (...all) => JSON.stringify(await resource.read(...all)),
      );
      const text = valueOf(outcome);
      return { contents: [{ uri, mimeType: MIME_TYPE, text }] } satisfies ReadResourceResult;
    },
  };
}

/** A URI without query and fragment: what a resource is known by. */
export function addressOf(uri: string): string {
  return uri.split(/[?#]/, 1)[0]!;
}

/** The parameters of a query, unless it breaks the rule. */
function parametersOf(query: string): Record<string, string> | undefined {
  if (query.length > MAX_QUERY_LENGTH) return undefined;
  const pairs = new URLSearchParams(query);
  const parameters = Object.fromEntries(pairs);
  return Object.keys(parameters).length === pairs.size ? parameters : undefined;
}

function describe({ name, title, description }: Omit<Resource, "uri" | "query" | "read">) {
  return { name, title, description, mimeType: MIME_TYPE };
}
