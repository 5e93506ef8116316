/**
 * The HTTP API of Loki, behind Grafana.
 *
 * @see {@link https://grafana.com/docs/loki/latest/reference/loki-http-api/}
 *
 * @module
 */

import type { z } from "zod";
import type { ToolContext } from "../../pack.ts";
import type { Query } from "./api.ts";
import { sourcesOf } from "./datasource.ts";
import { sourceWays } from "./datasource_path.ts";
import type { Grafana } from "./grafana.ts";
import { shaped } from "./items.ts";

/** One Loki, as one caller. */
export interface Loki {
  /** Gets what is below `/loki/api/v1`. */
  get<T>(path: string, query: Query, shape: z.ZodType<T>): Promise<T>;
}

/** Finds a Loki. @returns Rejects with {@linkcode ToolError} when it is none. */
export type OpenLoki = (uid: string, context: ToolContext) => Promise<Loki>;

/** Prepares finding them. */
export function lokiApi({ api, now }: Grafana): OpenLoki {
  const open = sourcesOf({ name: "Loki", type: /^loki$/, example: "loki" }, now);
  const ask = sourceWays("proxy");
  return async (uid, context) => {
    const client = api(context);
    await open(client, uid, context);
    return {
      async get(path, query, shape) {
        const isQuery = /^\/query(_range)?$/.test(path);
        const answer = await ask(client, {
          uid,
          // Loki's plugin adds the beginning of the path by itself, and passes no queries on.
          paths: { proxy: `/loki/api/v1${path}`, ...(!isQuery && { resources: path }) },
          query,
          // A query that took too long is not asked again.
          idempotent: !isQuery,
          // What labels are of the stream, and what was found in the line, comes apart.
          headers: { "x-loki-response-encoding-flags": "categorize-labels" },
        });
        return shaped(
          shape,
          answer,
          "The data source does not answer as a Loki does. Its URL in Grafana may be wrong",
        );
      },
    };
  };
}

/** A time as Loki takes it: Unix nanoseconds. */
export function nanoseconds(ms: number): string {
  return `${BigInt(ms) * 1_000_000n}`;
}
