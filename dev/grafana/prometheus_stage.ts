/**
 * Calling tools of the pack with a real Prometheus, and a stand-in for Grafana in between.
 *
 * @module
 */

import { ok } from "node:assert/strict";
import { grafana } from "../../lib/pack/grafana.ts";
import { grafanaClient } from "../../lib/pack/grafana/api.ts";
import type { Grafana } from "../../lib/pack/grafana/grafana.ts";
import { ALICE, type Called, callOn } from "../../tests/pack/grafana/grafana.ts";
import { startStand } from "../keycloak/grafana_stand.ts";
import { type PrometheusServer, startPrometheus } from "./prometheus.ts";
import { END, openMetrics } from "./samples.ts";
import { sourceStand } from "./source_stand.ts";

const SOURCES = {
  posted: { httpMethod: "POST", hasResources: true },
  got: { httpMethod: "GET", hasResources: true },
  proxied: { httpMethod: "POST", hasResources: false },
  "got-proxied": { httpMethod: "GET", hasResources: false },
} as const;

/** The uids that the Prometheus has in Grafana, one for each way to ask it. */
export const UIDS: readonly string[] = Object.keys(SOURCES);

/** Arguments of a tool. */
export type Args = Readonly<Record<string, unknown>>;

/** Tools with what they need, all of it running. */
export interface Stage extends AsyncDisposable {
  readonly prometheus: PrometheusServer;
  /** Calls a tool, of the first of {@linkcode UIDS} when none is named. */
  call(tool: string, args: Args): Promise<Omit<Called, "asked">>;
  /** What a tool yields. @throws When it tells something instead. */
  valueOf(tool: string, args: Args): Promise<Record<string, unknown>>;
  /** What a tool tells instead of a result. @throws When there is one. */
  toldBy(tool: string, args: Args): Promise<string>;
}

/** Starts everything. For tools it is {@linkcode END}. */
export async function startStage(): Promise<Stage> {
  await using stack = new AsyncDisposableStack();
  const prometheus = stack.use(await startPrometheus(openMetrics()));
  const stand = stack.use(startStand());
  stand.answerBy(sourceStand(prometheus.origin, ALICE.token, SOURCES));
  const given = grafanaAt(stand.origin);
  const call = (tool: string, args: Args) =>
    callOn(given, (all) => [...grafana(all).tools], tool, { datasourceUid: UIDS[0], ...args });
  const running = stack.move();
  return {
    prometheus,
    call,
    async valueOf(tool, args) {
      const { value, told } = await call(tool, args);
      ok(value, told);
      return value;
    },
    async toldBy(tool, args) {
      const { told } = await call(tool, args);
      ok(told, `${tool} has a result`);
      return told;
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

function grafanaAt(origin: string): Grafana {
  const url = new URL(origin);
  const acting = {
    credentialFor: () => Promise.resolve({ token: ALICE.token, of: "caller" } as const),
    forget: () => false,
  };
  const options = {
    url,
    acting,
    tokenHeader: "authorization",
    orgOf: () => undefined,
    timeoutMs: 60_000,
  };
  const api = grafanaClient(options, { fetch: (request) => fetch(request) });
  return { api, publicUrl: url, readOnly: true, now: () => END };
}
