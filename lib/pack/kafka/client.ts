/**
 * A Kafka cluster over the network.
 *
 * Nothing is opened before it is needed, and everything is opened again when it was lost: brokers
 * may come and go, and need not be there at the start.
 *
 * @module
 */

import { watched, type Watching } from "../../metered.ts";
import type { PeerOutcome } from "../../meter.ts";
import { ToolError } from "../../pack.ts";
import type { Ports } from "../../ports.ts";
import { type Calls, calls } from "./calls.ts";
import { grouping } from "./client_groups.ts";
import { reading } from "./client_read.ts";
import { describing } from "./client_topics.ts";
import { writing } from "./client_write.ts";
import type { Cluster } from "./cluster.ts";
import { type Address, connections, type ConnectOptions } from "./connect.ts";
import { Away, Closed } from "./failures.ts";
import { readiness } from "./ready.ts";
import { metadata } from "./routing.ts";

/** Settings of {@linkcode kafkaClient}. */
export interface ClientOptions extends ConnectOptions {
  /** Brokers to ask for the others, as `host:port`; at least one. */
  readonly brokers: readonly [string, ...string[]];
}

/** A cluster that can be let go of. */
export interface KafkaClient extends Cluster {
  /** Whether Kafka could be reached when it was last asked, which is not long ago. */
  ready(): boolean | Promise<boolean>;
  /** Ends what is under way, and every connection. */
  close(): Promise<void>;
}

/**
 * Prepares a client, which any number of callers can share.
 *
 * Understands Kafka 2.7 and later; groups, 3.0 and later.
 *
 * @throws {TypeError} When an address is not `host:port`.
 */
export function kafkaClient(
  options: ClientOptions,
  ports: Pick<Ports, "elapsedMs" | "log" | "random" | "meter" | "spans">,
): KafkaClient {
  const brokers = options.brokers.map(addressOf);
  const lines = connections(options, ports);
  const { contact, ready } = readiness(() => all.call((call) => metadata(call, [])), ports);
  const all = watchedCalls(calls({ ...options, brokers }, lines, contact), ports);
  return {
    ...describing(all),
    ...reading(all),
    ...writing(all, options, ports),
    ...grouping(all),
    ready,
    async close() {
      all.close();
      await lines.close();
    },
  };
}

function watchedCalls(all: Calls, watching: Watching): Calls {
  return {
    ...all,
    call: (work, moreMs) =>
      watched(watching, "kafka", () => all.call(work, moreMs), () => "ok", outcomeOf),
  };
}

function outcomeOf(error: unknown): PeerOutcome {
  if (error instanceof Away) return error.outcome;
  if (error instanceof Closed) return "given up";
  return error instanceof ToolError ? "refused" : "failed";
}

function addressOf(text: string): Address {
  const [, host, port] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text)?.filter(Boolean) ?? [];
  if (host && port && Number(port) > 0 && Number(port) <= 65535) {
    return { host, port: Number(port) };
  }
  throw new TypeError(`Cannot use "${text}" as the address of a broker: it is not host:port`);
}
