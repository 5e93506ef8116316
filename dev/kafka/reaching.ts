/**
 * The client of the pack, and what tests of it have in common.
 *
 * @module
 */

import { match, ok, rejects } from "node:assert/strict";
import { UNMETERED } from "../../lib/meter.ts";
import { ToolError } from "../../lib/pack.ts";
import { type ClientOptions, type KafkaClient, kafkaClient } from "../../lib/pack/kafka/client.ts";
import type { KafkaRecord, Place } from "../../lib/pack/kafka/cluster.ts";
import type { Fields } from "../../lib/ports.ts";
import { UNTRACED } from "../../lib/spans.ts";

/** A client over the real network. Disposing closes it. */
export interface Reaching extends KafkaClient, AsyncDisposable {
  /** What it logged. */
  readonly lines: readonly { readonly event: string; readonly fields: Fields | undefined }[];
}

/** Makes a client for some addresses, with 15 seconds per call unless set otherwise. */
export function reach(
  brokers: readonly string[],
  options: Partial<Omit<ClientOptions, "brokers">> = {},
): Reaching {
  const lines: { event: string; fields: Fields | undefined }[] = [];
  const client = kafkaClient(
    {
      brokers: brokers as [string, ...string[]],
      clientId: "gatehouse-test",
      timeoutMs: 15_000,
      ...options,
    },
    {
      elapsedMs: () => performance.now(),
      random: (length) => crypto.getRandomValues(new Uint8Array(length)),
      meter: UNMETERED,
      spans: UNTRACED,
      log: (_level, event, fields) => void lines.push({ event, fields }),
    },
  );
  return { ...client, lines, [Symbol.asyncDispose]: client.close };
}

/** The bytes of a text. */
export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** The text of some bytes. */
export const text = (bytes: Uint8Array | undefined): string | undefined =>
  bytes && new TextDecoder().decode(bytes);

/** Bounds that fit a test. */
export const BOUNDS = { maxBytes: 1024 * 1024, maxWaitMs: 0 };

/** Everything in a partition from an offset on, read to its end. */
export async function everything(
  client: KafkaClient,
  place: Place,
  offset = 0n,
): Promise<readonly KafkaRecord[]> {
  const all: KafkaRecord[] = [];
  while (true) {
    const [slice] = await client.read([{ ...place, offset }], BOUNDS);
    all.push(...slice!.records);
    if (slice!.nextOffset >= slice!.endOffset) return all;
    offset = slice!.nextOffset;
  }
}

/** The arguments that make a topic. */
export function topic(name: string, ...more: readonly string[]): string[] {
  return ["--create", "--topic", name, ...more];
}

/** Holds that something is refused in words for a model. Yields the reason that the log gets. */
export async function refused(ask: () => Promise<unknown>, words: RegExp): Promise<string> {
  let reason = "";
  await rejects(ask, (error) => {
    ok(error instanceof ToolError, String(error));
    match(error.message, words);
    reason = error.reason;
    return true;
  });
  return reason;
}
