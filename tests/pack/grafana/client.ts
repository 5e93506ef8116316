/**
 * A client of Grafana's API before a Grafana that answers as a test says.
 *
 * @module
 */

import type { Acting } from "../../../lib/acting.ts";
import type { Identity } from "../../../lib/identity.ts";
import { type ToolContext, ToolError } from "../../../lib/pack.ts";
import {
  type ClientOptions,
  type GrafanaApi,
  grafanaClient,
} from "../../../lib/pack/grafana/api.ts";
import { ALICE, GRAFANA } from "./grafana.ts";

/** Answers one request; `attempt` counts from 0. */
export type Answer = (request: Request, attempt: number) => Response | Promise<Response>;

/** A client under test, and what it asked. */
export interface Stage {
  readonly api: GrafanaApi;
  readonly asked: Request[];
}

/** A good answer. */
export const OK = () => Response.json({ fine: true });

/** Acts as the caller, with their own token. */
export const FORWARDS: Acting = {
  credentialFor: (identity) => Promise.resolve({ token: identity!.token, of: "caller" }),
  forget: () => false,
};

/** What a tool is lent for one call. */
export function contextOf(
  identity: Identity | undefined = ALICE,
  signal = new AbortController().signal,
) {
  return { identity, signal, log: () => {}, progress: () => Promise.resolve() } as ToolContext;
}

/** A client before a Grafana that answers as told. */
export function stage(
  answer: Answer,
  options: Partial<ClientOptions> = {},
  context: ToolContext = contextOf(),
): Stage {
  const asked: Request[] = [];
  const client = grafanaClient({
    url: new URL(GRAFANA),
    acting: FORWARDS,
    tokenHeader: "authorization",
    orgOf: () => undefined,
    timeoutMs: 30_000,
    ...options,
  }, {
    fetch: async (request) => {
      asked.push(request);
      return await answer(request, asked.length - 1);
    },
  });
  return { api: client(context), asked };
}

/** What the caller is told. */
export async function toldBy(
  promise: Promise<unknown>,
): Promise<{ readonly message: string; readonly reason: string }> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof ToolError) return error;
    throw error;
  }
  throw new TypeError("Cannot tell: nothing was refused");
}

/** Runs `body` while timers come at once; yields how long they were to take. */
export async function withoutWaiting(body: () => Promise<void>): Promise<number[]> {
  const original = globalThis.setTimeout;
  const waits: number[] = [];
  const hurried = (handler: () => void, ms = 0) => (waits.push(ms), original(handler, 0));
  globalThis.setTimeout = hurried as typeof setTimeout;
  try {
    await body();
  } finally {
    globalThis.setTimeout = original;
  }
  return waits;
}
