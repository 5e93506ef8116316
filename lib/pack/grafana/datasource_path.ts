/**
 * The two ways to a data source behind Grafana: through its plugin (`resources`), or straight
 * through Grafana (`proxy`).
 *
 * Which of them is open depends on where Grafana is hosted and how the data source logs in, so when
 * one is refused the other is tried. The way that worked is tried first from then on; it is never
 * the only one, since what was learned for one caller need not hold for the next.
 *
 * @module
 */

import { LRUCache } from "lru-cache";
import { ToolError } from "../../pack.ts";
import { type ApiAnswer, isOwnRefusal, judge, readJson } from "./answer.ts";
import { type ApiRequest, type GrafanaApi, path } from "./api.ts";

/** One of the ways. */
export type Way = "resources" | "proxy";

/** How many data sources are remembered with the way that worked. */
export const KNOWN_WAYS = 1000;

// Longest text of a data source that a caller is told, in characters.
const LONGEST_TOLD = 500;

// What a closed way answers: 401 when the login of the data source is not passed on, 403 and 404
// when Grafana's host or the plugin does not offer the way, 500 when the plugin fails on it.
const CLOSED: readonly number[] = [401, 403, 404, 500];

/** A request to a data source. */
export interface SourceRequest extends Omit<ApiRequest, "path"> {
  readonly uid: string;
  /** What is asked for by each way, beginning with a slash; a way without a path is not taken. */
  readonly paths: Readonly<Partial<Record<Way, string>>>;
}

/** Asks a data source, and reads its JSON. */
export type AskSource = (api: GrafanaApi, request: SourceRequest) => Promise<unknown>;

/**
 * Prepares asking.
 *
 * @param usual The way to try first where nothing is known.
 * @returns Rejects with {@linkcode ToolError} when both ways are refused, in the words of the first,
 * or the data source itself refuses, in its own.
 */
export function sourceWays(usual: Way): AskSource {
  const worked = new LRUCache<string, Way>({ max: KNOWN_WAYS });
  return async (api, { uid, paths, ...rest }) => {
    const known = worked.get(uid) ?? usual;
    let refusal: (() => unknown) | undefined;
    for (const way of [known, known === "proxy" ? "resources" : "proxy"] as const) {
      const below = paths[way];
      if (below === undefined) continue;
      const request = { ...rest, path: rootOf(way, uid) + below };
      const answer = await api.fetch(request);
      if (!CLOSED.includes(answer.status)) {
        const value = read(answer, request);
        worked.set(uid, way);
        return value;
      }
      refusal ??= () => read(answer, request);
    }
    return refusal?.();
  };
}

function rootOf(way: Way, uid: string): string {
  return way === "proxy"
    ? path`/api/datasources/proxy/uid/${uid}`
    : path`/api/datasources/uid/${uid}/resources`;
}

function read(answer: ApiAnswer, request: ApiRequest): unknown {
  const { status } = answer;
  const isOwn = status === 401 && isOwnRefusal(answer);
  const said = status >= 400 && !isOwn ? textOf(answer) : undefined;
  if (status === 401 && !isOwn) {
    const text = "The data source does not accept the login that Grafana has for it";
    throw new ToolError(said ? `${text}: ${said}` : text, "data source 401");
  }
  if (said !== undefined) {
    const reason = `data source ${status}`;
    if (status === 400 || status === 422) {
      throw new ToolError(`The data source refuses this: ${said}`, reason);
    }
    throw new ToolError(`The data source answers with status ${status}: ${said}`, reason);
  }
  return readJson(judge(answer, request));
}

const SAYS_IN_JSON: readonly number[] = [400, 401, 422];

// Loki refuses in plain text, Prometheus in JSON. What else is in JSON may be Grafana's own, and is
// told as such.
function textOf({ status, contentType, bytes }: ApiAnswer): string | undefined {
  const text = new TextDecoder().decode(bytes).trim();
  if (/^text\/plain\b/.test(contentType)) return text.slice(0, LONGEST_TOLD) || undefined;
  if (!SAYS_IN_JSON.includes(status)) return undefined;
  try {
    const { error, message } = JSON.parse(text);
    const said = [error, message].find((one) => typeof one === "string" && one !== "");
    return said?.slice(0, LONGEST_TOLD);
  } catch {
    return undefined;
  }
}
