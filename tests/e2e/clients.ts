/**
 * The official clients, made alike: each connects over HTTP or stdio, lists tools and asks who it
 * is.
 *
 * @module
 */

import {
  Client,
  StreamableHTTPClientTransport,
  type VersionNegotiationOptions,
} from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { Client as ClientV1 } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport as StdioV1 } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport as HttpV1 } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js";
import { fail, strictEqual as equal } from "node:assert/strict";
import { inherited } from "./process.ts";

/** What `whoami` said. */
export interface Whoami {
  readonly authenticated: boolean;
  readonly subject?: string;
  readonly username?: string;
  readonly roles: readonly string[];
  readonly scopes: readonly string[];
}

/** A connected client. */
export interface Peer {
  /** Names of the tools. */
  list(): Promise<string[]>;
  whoami(): Promise<Whoami>;
  /** Id of the session, when there is one. */
  readonly session?: string;
  close(): Promise<void>;
}

/** A kind of client. */
export interface ClientKind {
  readonly name: string;
  readonly modern: boolean;
  /** @throws When the server refuses, with the HTTP status somewhere in the error. */
  http(endpoint: string, token?: string): Promise<Peer>;
  stdio(command: readonly string[], env: Readonly<Record<string, string>>): Promise<Peer>;
}

const INFO = { name: "e2e", version: "1.0.0" };

function headersOf(token?: string): { requestInit?: RequestInit } {
  return token === undefined
    ? {}
    : { requestInit: { headers: { authorization: `Bearer ${token}` } } };
}

function stdioOf([command, ...args]: readonly string[], env: Readonly<Record<string, string>>) {
  return { command: command!, args, env: { ...inherited(), ...env }, stderr: "ignore" as const };
}

interface AnyClient {
  listTools(): Promise<{ tools: { name: string }[] }>;
  callTool(params: { name: string; arguments: Record<string, unknown> }): Promise<unknown>;
  close(): Promise<void>;
}

interface Link {
  connect(): Promise<void>;
  /** Id of the session, once connected. */
  session?(): string | undefined;
}

/** Connects a client; closes it again when that fails. */
export async function peer(client: AnyClient, { connect, session }: Link): Promise<Peer> {
  try {
    await connect();
  } catch (error) {
    await client.close();
    throw error;
  }
  const id = session?.();
  return {
    list: async () => (await client.listTools()).tools.map(({ name }) => name),
    whoami: async () => {
      const result = await client.callTool({ name: "whoami", arguments: {} });
      return (result as { structuredContent: Whoami }).structuredContent;
    },
    ...(id !== undefined && { session: id }),
    close: () => client.close(),
  };
}

function v2(name: string, mode: VersionNegotiationOptions["mode"], modern: boolean): ClientKind {
  const make = () => new Client(INFO, { versionNegotiation: { mode: mode! } });
  return {
    name,
    modern,
    http: (endpoint, token) => {
      const client = make();
      const transport = new StreamableHTTPClientTransport(new URL(endpoint), headersOf(token));
      return peer(client, {
        connect: () => client.connect(transport),
        session: () => transport.sessionId,
      });
    },
    stdio: (command, env) => {
      const client = make();
      const transport = new StdioClientTransport(stdioOf(command, env));
      return peer(client, { connect: () => client.connect(transport) });
    },
  };
}

/** The clients. */
export const CLIENTS: readonly ClientKind[] = [
  {
    name: "SDK v1",
    modern: false,
    http: (endpoint, token) => {
      const client = new ClientV1(INFO);
      const transport = new HttpV1(new URL(endpoint), headersOf(token));
      // Its types were not written for exact optional properties.
      return peer(client, {
        connect: () => client.connect(transport as Transport),
        session: () => transport.sessionId,
      });
    },
    stdio: (command, env) => {
      const client = new ClientV1(INFO);
      const transport = new StdioV1(stdioOf(command, env));
      return peer(client, { connect: () => client.connect(transport) });
    },
  },
  v2("SDK v2 at 2025-11-25", "legacy", false),
  v2("SDK v2 at 2026-07-28", { pin: "2026-07-28" }, true),
  v2("SDK v2 that negotiates", "auto", true),
];

/** Expects `connecting` to fail, with HTTP status 401. */
export async function expectUnauthorized(connecting: Promise<Peer>): Promise<void> {
  const outcome = await connecting.catch((error: unknown) => error);
  if (!(outcome instanceof Error)) {
    await (outcome as Peer).close();
    fail("The client was let in");
  }
  const { status, code } = outcome as { status?: number; code?: unknown };
  equal(status ?? code, 401, String(outcome));
}
