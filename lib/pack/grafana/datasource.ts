/**
 * Data sources, as Grafana tells of them.
 *
 * Who may query a data source may not always read its settings: a viewer may not. Grafana's
 * settings for its own pages then say which data sources there are.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { z } from "zod";
import { cache } from "../../cache.ts";
import { type ToolContext, ToolError } from "../../pack.ts";
import { type ApiAnswer, judge, readJson } from "./answer.ts";
import { type GrafanaApi, path } from "./api.ts";
import { items, members, shaped } from "./items.ts";

/** Argument that names a data source. */
export const datasourceUid = z.string().min(1).max(200);

/** How many data sources are remembered, over all callers. */
export const KNOWN_SOURCES = 1000;

/** How long a caller's data source is remembered, in seconds. */
export const KNOWN_SECONDS = 60;

const source = z.looseObject({
  uid: z.string(),
  name: z.string(),
  type: z.string(),
  isDefault: z.boolean().default(false),
  jsonData: z.record(z.string(), z.unknown()).nullish(),
});

/** A data source; has more members where the caller may read its settings. */
export type Source = z.infer<typeof source>;

// Not more: for some data sources these settings have logins, which are for browsers.
const visible = z.object({
  uid: z.string(),
  name: z.string(),
  type: z.string(),
  isDefault: z.boolean().default(false),
  url: z.string().optional(),
  access: z.string().optional(),
  readOnly: z.boolean().optional(),
  jsonData: source.shape.jsonData,
});

const settings = z.object({ datasources: members(z.looseObject({})).default({}) });

/** Every data source that the caller may see. */
export async function listSources(api: GrafanaApi): Promise<Source[]> {
  const request = { path: "/api/datasources" };
  const answer = await api.fetch(request);
  if (answer.status === 403) return await visibleSources(api, answer, request);
  return shaped(items(source), readJson(judge(answer, request)));
}

/**
 * One data source, by uid or by name.
 *
 * @throws {ToolError} When there is none.
 */
export async function findSource(
  api: GrafanaApi,
  wanted: { readonly uid: string } | { readonly name: string },
): Promise<Source> {
  const byUid = "uid" in wanted;
  const called = byUid ? wanted.uid : wanted.name;
  const request = {
    path: byUid ? path`/api/datasources/uid/${called}` : path`/api/datasources/name/${called}`,
  };
  const answer = await api.fetch(request);
  if (answer.status !== 403 && answer.status !== 404) {
    return shaped(source, readJson(judge(answer, request)));
  }
  const found = answer.status === 403
    ? (await visibleSources(api, answer, request)).find(({ uid, name }) =>
      byUid ? uid === called : name === called
    )
    : undefined;
  if (found) return found;
  throw new ToolError(
    `There is no data source with the ${byUid ? "uid" : "name"} "${called}" that you may use. ` +
      "list_datasources tells which there are",
    "no such data source",
  );
}

async function visibleSources(
  api: GrafanaApi,
  refused: ApiAnswer,
  request: { readonly path: string },
): Promise<Source[]> {
  const answer = await api.fetch({ path: "/api/frontend/settings" });
  // The first refusal names the permission that lacks.
  if (answer.status !== 200) judge(refused, request);
  const { datasources } = shaped(settings, readJson(answer));
  // What Grafana has built in, as "-- Mixed --", is no data source to ask, and has no id.
  return Object.entries(datasources)
    .filter(([, { id }]) => typeof id === "number" && id > 0)
    .map(([name, one]) => shaped(visible, { name, ...one }));
}

/** What kind of data source a tool is for. */
export interface Kind {
  /** Its name, for people. */
  readonly name: string;
  /** Matches the types of plugins. */
  readonly type: RegExp;
  /** What to look for with list_datasources. */
  readonly example: string;
}

/** What is to know of a data source before it is asked. */
export interface Opened {
  readonly uid: string;
  /** How it wants to be asked, where it says so. */
  readonly httpMethod?: string;
}

/** Finds a data source of one kind. */
export type OpenSource = (api: GrafanaApi, uid: string, context: ToolContext) => Promise<Opened>;

/**
 * Prepares finding data sources of one kind. They are remembered per caller for
 * {@linkcode KNOWN_SECONDS}.
 *
 * @param now Unix seconds.
 * @returns Rejects with {@linkcode ToolError} when there is none, or it is of another kind.
 */
export function sourcesOf({ name, type, example }: Kind, now: () => number): OpenSource {
  const known = cache<Opened>({ max: KNOWN_SOURCES }, now);
  return async (api, uid, { identity }) => {
    // Two tokens of one person may be for two organizations.
    const key = createHash("sha256").update(`${identity?.token ?? ""} ${uid}`).digest("base64");
    const at = known.get(key);
    if (at) return at;
    const { jsonData, ...found } = await findSource(api, { uid });
    if (!type.test(found.type)) {
      throw new ToolError(
        `The data source "${uid}" is of type ${found.type}, not ${name}. ` +
          `list_datasources with type "${example}" tells which are`,
        "data source of another type",
      );
    }
    const httpMethod = jsonData?.httpMethod;
    const opened = { uid, ...(typeof httpMethod === "string" && { httpMethod }) };
    known.set(key, opened, now() + KNOWN_SECONDS);
    return opened;
  };
}
