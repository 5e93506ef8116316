/**
 * Asking the server, and counting each answer.
 *
 * @module
 */

import { exchange } from "../../tests/e2e/raw.ts";
import type { Outages } from "./outages.ts";
import { series } from "./counts.ts";
import type { Watch } from "./watch.ts";

/** How long an answer may take before it counts as none, in milliseconds. */
const DEADLINE_MS = 30_000;

/** Said when the identity provider could not be asked; nothing else excuses a failure. */
export class Unavailable extends Error {}

/** An answer that was read to its end. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** How the server has to judge the token of a request, as it counts that. */
export type Judged = "accepted" | { readonly refused: string };

/** An answer that is a stream. */
export interface Stream {
  /** Waits for the server to end it. */
  end(): Promise<string>;
  /** Goes away. */
  leave(): Promise<void>;
}

/** The server as its clients reach it. */
export class Front {
  constructor(
    readonly origin: string,
    readonly watch: Watch,
    readonly outages: Outages,
  ) {}

  /** Sends a request from `address`. @throws When no answer comes; that is noted as a wrong. */
  async ask(path: string, init: RequestInit, address: string, judged?: Judged): Promise<Answer> {
    const signal = AbortSignal.timeout(DEADLINE_MS);
    const response = await this.#send(path, { ...init, signal }, address, judged);
    return { status: response.status, headers: response.headers, text: await response.text() };
  }

  /** Opens a stream. @throws When the answer is none. */
  async stream(init: RequestInit, address: string): Promise<Stream> {
    const controller = new AbortController();
    const deadline = setTimeout(() => controller.abort(), 2 * DEADLINE_MS);
    const { signal } = controller;
    const response = await this.#send("/mcp", { ...init, signal }, address, "accepted");
    const isStream = response.headers.get("content-type")?.startsWith("text/event-stream");
    if (response.status !== 200 || !isStream) {
      throw new Error(`a stream was answered ${response.status} ${await response.text()}`);
    }
    const text = response.text().finally(() => clearTimeout(deadline));
    text.catch(() => {});
    return {
      end: () => text,
      leave: async () => {
        controller.abort();
        await text.catch(() => {});
      },
    };
  }

  /** Sends a request by hand, whose body the server need not read. */
  async raw(path: string, request: string, judged?: Judged): Promise<number | undefined> {
    const { status } = await exchange(Number(new URL(this.origin).port), request);
    if (status !== undefined) this.#note(path, "POST", status, judged);
    return status;
  }

  async #send(
    path: string,
    init: RequestInit,
    address: string,
    judged?: Judged,
  ): Promise<Response> {
    const headers = new Headers(init.headers);
    headers.set("x-forwarded-for", address);
    const url = new URL(path, this.origin);
    const { method = "GET" } = init;
    try {
      const response = await fetch(url, { redirect: "manual", ...init, headers });
      this.#note(url.pathname, method, response.status, judged);
      return response;
    } catch (error) {
      this.watch.wrong(`no answer to ${method} ${url.pathname}: ${error}`);
      throw error;
    }
  }

  #note(route: string, method: string, status: number, judged?: Judged): void {
    const labels = { route, method, status: `${Math.floor(status / 100)}xx` };
    this.watch.count(series("gatehouse_requests_total", labels));
    if (status === 429) this.watch.count(series("gatehouse_limited_total", { limit: "requests" }));
    if (judged === undefined) return;
    const judgement = judged === "accepted"
      ? { result: "accepted", reason: "" }
      : { result: "refused", reason: judged.refused };
    this.watch.count(series("gatehouse_token_validations_total", judgement));
  }
}

/** An event that the server has to log for auditors. */
export function audited(event: string, step: string, reason = ""): string {
  return series("audit", { event, step, reason });
}

/** Waits. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
