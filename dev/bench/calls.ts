/**
 * The HTTP requests that are measured. Each is sent once and its answer judged in full; the load
 * then holds every further answer to the same status and length.
 *
 * @module
 */

import { load, type Row, type Target } from "./load.ts";
import { signer, SUBJECT } from "./tokens.ts";
import { SECRET } from "./servers.ts";

/** A request, and what is right for an answer. */
export interface Call {
  readonly name: string;
  readonly port: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly params: Readonly<Record<string, unknown>>;
  readonly status: number;
  /** Judges an answer in full. */
  isRight(response: Response, body: Answer): boolean;
}

/** What a server answers to a call of a tool. */
export interface Answer {
  readonly id?: unknown;
  readonly result?: { readonly structuredContent?: Readonly<Record<string, unknown>> };
}

const PARAMS = { name: "whoami", arguments: {} };

/** A call of a tool in the revision of 2026-07-28. */
export function modern(
  name: string,
  args: Readonly<Record<string, unknown>> = {},
): Pick<Call, "params" | "headers"> {
  return {
    params: {
      name,
      arguments: args,
      _meta: {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
      },
    },
    headers: {
      "mcp-protocol-version": "2026-07-28",
      "mcp-method": "tools/call",
      "mcp-name": name,
    },
  };
}

/** What lets a caller in at the gate. */
export async function authorizationAt(gatePort: number): Promise<string> {
  const origin = `http://localhost:${gatePort}`;
  const sign = signer("HS256", new TextEncoder().encode(SECRET), origin, `${origin}/mcp`);
  return `Bearer ${await sign("the one that is cached")}`;
}

/** Prepares the rows that go over HTTP, the bare one first, and checks one answer of each. */
export async function calls(barePort: number, gatePort: number): Promise<Row[]> {
  const authorization = await authorizationAt(gatePort);
  const isWhoami = (_: Response, { id, result }: Answer) =>
    id === 1 && result?.structuredContent?.subject === SUBJECT;
  const { params, headers } = modern("whoami");
  return await Promise.all([
    row({
      params,
      headers,
      name: "bare",
      label: "Bare Deno.serve, JSON to JSON",
      port: barePort,
      status: 200,
      isRight: (_, { id }) => id === 1,
    }),
    row({
      params,
      headers,
      name: "no-token",
      label: "POST /mcp without a token: 401",
      port: gatePort,
      status: 401,
      isRight: ({ headers }) => /resource_metadata=/.test(headers.get("www-authenticate") ?? ""),
    }),
    row({
      name: "whoami-2026-07-28",
      label: "tools/call whoami, 2026-07-28",
      port: gatePort,
      headers: { ...headers, authorization },
      params,
      status: 200,
      isRight: isWhoami,
    }),
    row({
      name: "whoami-2025-11-25",
      label: "tools/call whoami, 2025-11-25",
      port: gatePort,
      headers: { "mcp-protocol-version": "2025-11-25", authorization },
      params: PARAMS,
      status: 200,
      isRight: isWhoami,
    }),
  ]);
}

async function row(call: Call & Pick<Row, "label">): Promise<Row> {
  const { name, label } = call;
  const target = await targetOf(call);
  return { name, label, measure: (seconds) => load(target, seconds) };
}

/**
 * Sends a call once, and prepares to send it again.
 *
 * @throws {Error} When the answer is not right.
 */
export async function targetOf(
  { name, port, headers, params, status, isRight }: Call,
): Promise<Target> {
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params });
  const all = {
    "content-type": "application/json",
    accept: "application/json, text/event-stream",
    ...headers,
  };
  const url = `http://localhost:${port}/mcp`;
  const response = await fetch(url, { method: "POST", headers: all, body });
  const text = await response.text();
  if (response.status !== status || !isRight(response, JSON.parse(text))) {
    throw new Error(`${name}: not the answer that was due: ${response.status} ${text}`);
  }
  const head = Object.entries({ host: `localhost:${port}`, ...all, "content-length": body.length })
    .map(([header, value]) => `${header}: ${value}\r\n`).join("");
  const encoder = new TextEncoder();
  return {
    name,
    port,
    request: encoder.encode(`POST /mcp HTTP/1.1\r\n${head}\r\n${body}`),
    status,
    body: encoder.encode(text).length,
  };
}
