/**
 * Grafana's HTTP API, as one caller.
 *
 * A client is made per call, with one credential for everything that the call does. Redirects are
 * not followed, since a credential belongs to one host. What comes back is bounded, and a refusal
 * is told in Grafana's own words, which name the permission that lacks.
 *
 * @see {@link https://grafana.com/docs/grafana/latest/developers/http_api/}
 *
 * @module
 */

import { Buffer } from "node:buffer";
import type { Acting, Credential } from "../../acting.ts";
import type { Identity } from "../../identity.ts";
import { readCapped } from "../../outbound.ts";
import { type ToolContext, ToolError } from "../../pack.ts";
import type { Ports } from "../../ports.ts";
import { type ApiAnswer, isOwnRefusal, judge, readJson } from "./answer.ts";

/** Largest answer that is read, in bytes. */
export const MAX_ANSWER_BYTES = 10 * 1024 * 1024;

/** How often a read is tried again when a proxy in between says that Grafana is away. */
export const RETRIES = 2;

/** How long to wait before the first retry, in milliseconds; twice as long before the next. */
const RETRY_AFTER_MS = 200;

/** Settings of {@linkcode grafanaClient}. */
export interface ClientOptions {
  /** Grafana's URL; may have a path. */
  readonly url: URL;
  readonly acting: Acting;
  /** Header that the credential goes into; `authorization` gets `Bearer` before it. */
  readonly tokenHeader: string;
  /** The organization of a caller; Grafana's choice when it yields `undefined`. */
  readonly orgOf: (identity: Identity | undefined) => string | undefined;
  /** How long one request may take, in milliseconds. */
  readonly timeoutMs: number;
}

/** Values of query parameters; `undefined` is left out, a list is repeated. */
export type Query = Readonly<
  Record<string, string | number | boolean | readonly (string | number)[] | undefined>
>;

/** A request to Grafana. */
export interface ApiRequest {
  /** @default {"GET"} */
  readonly method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** From Grafana's own root, beginning with a slash; parts are encoded by {@linkcode path}. */
  readonly path: string;
  readonly query?: Query;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Sent as a form. */
  readonly form?: Query;
  /** Headers besides those of the client. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Whether it may be sent twice; reads may. */
  readonly idempotent?: boolean;
  readonly accept?: string;
}

/** Grafana, as one caller. */
export interface GrafanaApi {
  /** Grafana's answer whatever its status, read to the end. */
  fetch(request: ApiRequest): Promise<ApiAnswer>;
  /**
   * The JSON of a good answer.
   *
   * @throws {ToolError} When the answer is not good, in words for the caller.
   */
  json<T>(request: ApiRequest): Promise<T>;
}

/** Makes the client for one call. */
export type NewApi = (context: ToolContext) => GrafanaApi;

/**
 * Joins a path from parts that may be anything: each is one segment, encoded.
 *
 * @example
 * ```ts
 * import { strictEqual } from "node:assert/strict";
 * import { path } from "./api.ts";
 *
 * const uid = "../admin";
 * strictEqual(path`/api/dashboards/uid/${uid}`, "/api/dashboards/uid/..%2Fadmin");
 * ```
 */
export function path(texts: TemplateStringsArray, ...parts: readonly (string | number)[]): string {
  return texts.map((text, at) => text + (at < parts.length ? segment(String(parts[at])) : ""))
    .join("");
}

function segment(text: string): string {
  // `.` and `..` stay as they are under encoding, and would lead elsewhere.
  if (text === "" || text === "." || text === "..") {
    throw new ToolError(`"${text}" cannot be part of a path in Grafana`, "bad path segment");
  }
  return encodeURIComponent(text.toWellFormed());
}

/** Prepares clients. */
export function grafanaClient(options: ClientOptions, { fetch }: Pick<Ports, "fetch">): NewApi {
  return ({ identity, signal }) => {
    let credential: Promise<Credential> | undefined;

    const send = async (request: ApiRequest, { token }: Credential): Promise<ApiAnswer> => {
      const wait = AbortSignal.any([signal, AbortSignal.timeout(options.timeoutMs)]);
      const asked = new Request(urlOf(options.url, request), {
        method: request.method ?? "GET",
        headers: headersOf(request, token, options, identity),
        body: bodyOf(request),
        redirect: "manual",
        signal: wait,
      });
      try {
        const answer = await fetch(asked);
        return {
          status: answer.status,
          contentType: answer.headers.get("content-type") ?? "",
          bytes: withoutToken(await readWhole(answer), token),
        };
      } catch (error) {
        if (signal.aborted || error instanceof ToolError) throw error;
        throw new ToolError(
          wait.aborted
            ? `Grafana did not answer within ${
              options.timeoutMs / 1000
            } seconds. Ask for less, or try again`
            : "Grafana cannot be reached at the moment. Try again later",
          `grafana: ${reasonOf(error).replaceAll(asked.url, options.url.href)}`,
        );
      }
    };

    const renewed = async (request: ApiRequest): Promise<ApiAnswer> => {
      const used = credential ??= options.acting.credentialFor(identity);
      const answer = await send(request, await used);
      if (!isRefused(answer, request)) return answer;
      // What was kept for the caller may have been revoked; a fresh one is tried once.
      if (!options.acting.forget(identity, await used)) return answer;
      credential = options.acting.credentialFor(identity);
      return await send(request, await credential);
    };

    const patient = async (request: ApiRequest): Promise<ApiAnswer> => {
      const { method = "GET", idempotent = method === "GET" } = request;
      for (let attempt = 0;; attempt++) {
        const answer = await renewed(request);
        if (!idempotent || !isAway(answer.status) || attempt === RETRIES) return answer;
        await sleep(RETRY_AFTER_MS * 2 ** attempt, signal);
      }
    };

    return {
      fetch: patient,
      async json<T>(request: ApiRequest): Promise<T> {
        return readJson(judge(await patient(request), request)) as T;
      },
    };
  };
}

// Behind these paths are data sources and plugins, which may refuse the login that Grafana has
// there. Another credential of the caller's would change nothing.
const PASSED_ON =
  /^\/api\/(?:datasources\/(?:proxy\/|.*\/resources)|plugin-proxy\/|plugins\/[^/]+\/resources|(?:alertmanager|prometheus|ruler)\/(?!grafana\/))/;

function isRefused(answer: ApiAnswer, { path }: ApiRequest): boolean {
  return answer.status === 401 && (!PASSED_ON.test(path) || isOwnRefusal(answer));
}

// The host's reason names the URL, which has arguments in it: those are replaced.
function reasonOf(error: unknown): string {
  const { message, cause } = error instanceof Error ? error : new Error(String(error));
  return cause instanceof Error ? cause.message : message;
}

const isAway = (status: number) => status === 502 || status === 503 || status === 504;

function urlOf(base: URL, { path, query = {} }: ApiRequest): URL {
  const root = base.pathname.replace(/\/$/, "");
  const within = (pathname: string) => {
    const url = URL.parse(base.origin + pathname);
    return url?.origin === base.origin && `${url.pathname}/`.startsWith(`${root}/`) && url;
  };
  const url = path.startsWith("/") && within(root + path);
  // A proxy in between may resolve what is left of dots after it decoded the path.
  if (!url || /[/\\]\.{1,2}(?:[/\\;]|$)/.test(laidBare(url.pathname))) {
    throw new ToolError("This path leads out of Grafana", "bad path");
  }
  for (const [name, value] of entriesOf(query)) url.searchParams.append(name, value);
  return url;
}

/** What proxies in between may make of a path, if they decode it before they resolve dots. */
function laidBare(pathname: string): string {
  let [bare, before] = [pathname, ""];
  while (bare !== before) {
    before = bare;
    bare = bare.replace(/%(?:25|2e|2f|3b|5c)/gi, decodeURIComponent);
  }
  return bare;
}

function entriesOf(query: Query): [string, string][] {
  return Object.entries(query).flatMap(([name, value]) =>
    value === undefined
      ? []
      : (Array.isArray(value) ? value : [value]).map((one): [string, string] => [name, `${one}`])
  );
}

function headersOf(
  { accept = "application/json", headers: more = {}, body, form }: ApiRequest,
  token: string,
  { tokenHeader, orgOf }: ClientOptions,
  identity: Identity | undefined,
): Headers {
  const headers = new Headers(more);
  headers.set("accept", accept);
  if (body !== undefined) headers.set("content-type", "application/json");
  if (form) headers.set("content-type", "application/x-www-form-urlencoded");
  try {
    headers.set(tokenHeader, tokenHeader === "authorization" ? `Bearer ${token}` : token);
  } catch {
    // The host's own message quotes the value.
    throw new TypeError(`Cannot put the credential for Grafana into the header ${tokenHeader}`);
  }
  const org = orgOf(identity);
  if (org !== undefined) headers.set("x-grafana-org-id", org);
  return headers;
}

function bodyOf({ body, form }: ApiRequest): string | null {
  if (form) return new URLSearchParams(entriesOf(form)).toString();
  return body === undefined ? null : JSON.stringify(body);
}

async function readWhole(response: Response): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = await readCapped(response, MAX_ANSWER_BYTES);
  if (bytes) return bytes;
  throw new ToolError(
    `Grafana's answer is larger than ${MAX_ANSWER_BYTES / 1024 / 1024} MiB. Ask for less`,
    "answer too large",
  );
}

// A service, or a proxy before it, may quote what it was sent.
function withoutToken<T extends Uint8Array>(bytes: T, token: string): T {
  if (!Buffer.from(bytes.buffer).includes(token)) return bytes;
  throw new ToolError(
    "Grafana's answer quotes the credential, and is kept back",
    "credential quoted",
  );
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    }, { once: true });
  });
}
