/**
 * Calling tools of the Grafana pack before a Grafana that answers as its documentation says.
 *
 * @module
 */

import type { Identity } from "../../../lib/identity.ts";
import { Shown, type Tool, ToolError } from "../../../lib/pack.ts";
import { grafanaClient } from "../../../lib/pack/grafana/api.ts";
import type { Grafana } from "../../../lib/pack/grafana/grafana.ts";
import { NOW } from "../../fakes.ts";

/** Where Grafana is in these tests, under a path of its own. */
export const GRAFANA = "https://grafana.example/sub";

/** A request that Grafana got. */
export interface Asked {
  readonly method: string;
  /** From Grafana's own root, with the query. */
  readonly path: string;
  readonly headers: Headers;
  readonly body: string;
}

/** Answers by method and path, as in `GET /api/search`; the query is not part of it. */
export type Answers = Readonly<Record<string, unknown>>;

/** What became of a call. */
export interface Called {
  readonly asked: readonly Asked[];
  /** The result, after its schema. */
  readonly value?: Record<string, unknown>;
  /** Shown instead of the result's JSON. */
  readonly content?: readonly unknown[];
  /** What the caller is told instead. */
  readonly told?: string;
  /** What the log is told of it. */
  readonly reason?: string;
}

/** Who calls in these tests. */
export const ALICE: Identity = {
  subject: "alice",
  issuer: "https://idp.example",
  username: "alice@example.com",
  scopes: [],
  roles: ["admin"],
  expiresAt: NOW + 600,
  claims: {},
  token: "alice-token",
};

/** Makes Grafana for tools that a test calls. */
export function newGrafana(answers: Answers, readOnly = false): Grafana & { asked: Asked[] } {
  const asked: Asked[] = [];
  const fetch = async (request: Request) => {
    const path = request.url.slice(GRAFANA.length);
    asked.push({
      method: request.method,
      path,
      headers: request.headers,
      body: await request.text(),
    });
    const answer = answers[`${request.method} ${path.split("?")[0]}`];
    if (answer instanceof Response) return answer.clone();
    if (answer instanceof Error) throw answer;
    return answer === undefined
      ? Response.json({ message: "Not found" }, { status: 404 })
      : Response.json(answer);
  };
  const acting = {
    credentialFor: () => Promise.resolve({ token: "alice-token", of: "caller" } as const),
    forget: () => false,
  };
  const url = new URL(GRAFANA);
  const api = grafanaClient({
    url,
    acting,
    tokenHeader: "authorization",
    orgOf: () => undefined,
    timeoutMs: 1000,
  }, { fetch });
  return { api, publicUrl: url, readOnly, now: () => NOW, asked };
}

/** Calls a tool as the server does: arguments and result pass their schemas. */
export async function callTool(
  make: (grafana: Grafana) => Tool[],
  name: string,
  args: Record<string, unknown>,
  answers: Answers = {},
  readOnly = false,
): Promise<Called> {
  const grafana = newGrafana(answers, readOnly);
  return { ...await callOn(grafana, make, name, args), asked: grafana.asked };
}

/** Calls a tool, as {@linkcode callTool} does, of a Grafana that is there already. */
export async function callOn(
  grafana: Grafana,
  make: (grafana: Grafana) => Tool[],
  name: string,
  args: Record<string, unknown>,
): Promise<Omit<Called, "asked">> {
  const tool = make(grafana).find((one) => one.name === name);
  if (!tool) throw new TypeError(`Cannot call ${name}: there is no such tool`);
  const context = {
    identity: ALICE,
    signal: new AbortController().signal,
    log: () => {},
    progress: () => Promise.resolve(),
  };
  const parsed = tool.input.safeParse(args);
  if (!parsed.success) return { told: `bad arguments: ${parsed.error.message}` };
  try {
    const result = await tool.run(parsed.data, context);
    const { value, content } = result instanceof Shown ? result : { value: result, content: [] };
    return { value: tool.output.parse(value), content };
  } catch (error) {
    if (error instanceof ToolError) return { told: error.message, reason: error.reason };
    throw error;
  }
}
