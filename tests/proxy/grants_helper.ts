/**
 * What tests of the token endpoint and its kin share, on top of `flow.ts`.
 *
 * @module
 */

import { DatabaseSync } from "node:sqlite";
import { bearerHeader, CLAIMS, modernCall } from "../fakes.ts";
import { encode } from "../idp.ts";
import {
  type Answered,
  type Changes,
  type Gate,
  newGate,
  type Outside,
  parameters,
} from "./flow.ts";

/** A gate that has its keys, so that nothing is left at work when a test ends early. */
export async function openGate(
  env: Readonly<Record<string, string>> = {},
  outside: Outside = {},
): Promise<Gate> {
  const gate = await newGate(env, outside);
  await gate.send("/readyz");
  return gate;
}

/** Moves the clock, and waits until what is renewed in the background has been. */
export async function later(
  gate: Pick<Gate, "ports" | "send">,
  seconds: number,
): Promise<void> {
  gate.ports.advance(seconds);
  // An unknown key makes the server look for new ones, and wait for them.
  const parts = [{ alg: "ES256", kid: "unknown", typ: "at+jwt" }, CLAIMS, "signature"];
  await whoami(gate, parts.map(encode).join("."));
}

/** Status and error code, or the status alone. */
export function outcome({ status, body }: Answered): string {
  return body?.error === undefined ? String(status) : `${status} ${body.error}`;
}

/** Posts a form as it stands: no client is added. A text is the body itself. */
export async function postForm(
  { send }: Pick<Gate, "send">,
  path: string,
  form: Changes | string,
  headers: Readonly<Record<string, string>> | undefined = {},
): Promise<Answered> {
  const response = await send(path, {
    method: "POST",
    headers: { "content-type": "application/x-www-form-urlencoded", ...headers },
    body: typeof form === "string" ? form : parameters(form),
  });
  const text = await response.text();
  const body = text === "" ? undefined : JSON.parse(text);
  return { status: response.status, headers: response.headers, body };
}

/** Registers a client with metadata as it stands. */
export async function register(
  { send }: Pick<Gate, "send">,
  body: unknown,
  { type = "application/json", address = "127.0.0.1" } = {},
): Promise<Answered> {
  const response = await send("/oauth/register", {
    method: "POST",
    headers: { "content-type": type },
    body: typeof body === "string" ? body : JSON.stringify(body),
  }, address);
  return { status: response.status, headers: response.headers, body: await response.json() };
}

/** A Basic header with the two parts as they stand. */
export function basic(id: string, secret: string): Record<string, string> {
  return { authorization: `Basic ${btoa(`${id}:${secret}`)}` };
}

/** Calls the tool that tells who is calling. */
export async function whoami({ send }: Pick<Gate, "send">, accessToken: string): Promise<Answered> {
  const call = modernCall("tools/call", { name: "whoami", arguments: {} });
  const headers = { ...call.headers as Record<string, string>, ...bearerHeader(accessToken) };
  const response = await send("/mcp", { ...call, headers });
  const text = await response.text();
  const body = text.startsWith("{") ? JSON.parse(text).result?.structuredContent : undefined;
  return { status: response.status, headers: response.headers, body };
}

/** A line of the audit. */
export type Audited = Readonly<Record<string, unknown>>;

/** The audit so far, or that of one event. */
export function audited({ ports }: Pick<Gate, "ports">, event?: string): Audited[] {
  const lines: Audited[] = ports.lines.map((line) => JSON.parse(line));
  return lines.filter((line) => line.audit === true && (event ?? line.event) === line.event);
}

/** A store in a file of its own, which several gates can share and a test can look into. */
export interface SharedStore extends AsyncDisposable {
  /** Settings that put it under a gate. */
  readonly env: Readonly<Record<string, string>>;
  /** Starts the program over it; it is closed with the store. */
  open(env?: Readonly<Record<string, string>>, outside?: Outside): Promise<Gate>;
  rows(): { readonly key: string; readonly value: string }[];
}

/** Makes an empty one. */
export async function newStore(): Promise<SharedStore> {
  const path = await Deno.makeTempDir({ prefix: "gatehouse-proxy-" });
  const file = `${path}/store.db`;
  const env = { STORE_URL: `sqlite:${file}` };
  const gates: Gate[] = [];
  return {
    env,
    async open(more = {}, outside = {}) {
      const gate = await openGate({ ...env, ...more }, outside);
      gates.push(gate);
      return gate;
    },
    rows() {
      using database = new DatabaseSync(file, { readOnly: true });
      const rows = database.prepare("SELECT key, value FROM entries ORDER BY key").all();
      return rows.map(({ key, value }) => ({
        key: String(key),
        value: new TextDecoder().decode(value as Uint8Array),
      }));
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(gates.map(({ app }) => app.close()));
      await Deno.remove(path, { recursive: true });
    },
  };
}
