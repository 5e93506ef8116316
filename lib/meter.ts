/**
 * What the program counts while it works, in its own words.
 *
 * Counting is cheap, never throws and never waits. Nothing that a stranger sends becomes the name
 * of something counted: every word is of a closed set, and names are those that the program itself
 * has registered; all others count as `other`.
 *
 * @module
 */

import type { Refusal } from "./errors.ts";

/** Whom this program asks. Never a host that a stranger chose. */
export const PEERS = ["issuer", "exchange", "grafana", "kafka", "document"] as const;

/**
 * One of {@linkcode PEERS}: the identity provider; the same for tokens that calls need; Grafana;
 * Kafka; and whoever publishes the metadata document of a client.
 */
export type Peer = (typeof PEERS)[number];

/** How asking a peer can end. A redirect is `ok`: it is an answer as meant. */
export const PEER_OUTCOMES = [
  "ok",
  "refused",
  "failed",
  "timeout",
  "unreachable",
  "given up",
] as const;

/** One of {@linkcode PEER_OUTCOMES}: of HTTP, `refused` is a 4xx and `failed` a 5xx. */
export type PeerOutcome = (typeof PEER_OUTCOMES)[number];

/** How the call of a tool, resource or prompt can end. */
export type CallOutcome =
  | "ok"
  | "bad arguments"
  | "refused"
  | "scope refused"
  | "unknown"
  | "given up"
  | "failed";

/** What came of a credential that was sent, and why. */
export type Judgement =
  | { readonly result: "accepted" }
  | { readonly result: "refused"; readonly reason: Refusal["reason"] | "several" }
  | { readonly result: "forbidden"; readonly reason: "caller" | "scope" }
  | { readonly result: "failed" };

/** Bounds that turn callers away; `open` is that of requests at once, `requests` of those in a time. */
export const LIMITS = ["sessions", "streams", "requests", "open"] as const;

/** One of {@linkcode LIMITS}. */
export type Limit = (typeof LIMITS)[number];

/** What can be done with a store. */
export const STORE_OPERATIONS = ["get", "put", "putIfAbsent", "replace", "take"] as const;

/** One of {@linkcode STORE_OPERATIONS}. */
export type StoreOperation = (typeof STORE_OPERATIONS)[number];

/** Kinds of names that are registered. */
export type NameKind = "route" | "tool" | "resource" | "prompt";

/** Counts. Durations are in seconds. */
export interface Meter {
  /** Registers names. Those that were never registered count as `other`. */
  register(kind: NameKind, names: readonly string[]): void;
  /** A request that was answered. @param route The path, whoever chose it. */
  request(route: string, method: string, status: number, seconds: number): void;
  /** A credential that was judged. */
  judged(judgement: Judgement): void;
  /** A token that was looked for among the remembered ones. */
  remembered(hit: boolean): void;
  /** A peer that was asked, until its answer began. */
  asked(peer: Peer, outcome: PeerOutcome, seconds: number): void;
  /**
   * A call, by the name that was asked for, whoever chose it.
   *
   * @param seconds Absent when nothing was begun.
   */
  called(
    kind: Exclude<NameKind, "route">,
    name: string,
    outcome: CallOutcome,
    seconds?: number,
  ): void;
  /** A caller who was turned away. */
  limited(limit: Limit): void;
  /** An operation of the store that failed. */
  storeFailed(operation: StoreOperation): void;
  /** Says how to learn how many there are, whenever somebody wants to know. */
  watch(what: "sessions" | "streams", count: () => number): void;
  /** Says how to learn whether a part of the program can work, whenever somebody wants to know. */
  watchReady(part: string, isReady: () => Promise<boolean>): void;
}

/** Counts nothing. */
export const UNMETERED: Meter = {
  register() {},
  request() {},
  judged() {},
  remembered() {},
  asked() {},
  called() {},
  limited() {},
  storeFailed() {},
  watch() {},
  watchReady() {},
};
