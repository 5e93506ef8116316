/**
 * Where reading begins.
 *
 * @module
 */

import { z } from "zod";
import { ToolError } from "../../pack.ts";
import { timeMs } from "../time.ts";
import type { Cluster } from "./cluster.ts";
import type { Position } from "./consume_onward.ts";
import type { PlacedLog } from "./consume_places.ts";
import { placeKey } from "./lag.ts";

/** Argument that says where to begin. */
export const from = z.enum(["latest", "earliest", "offset", "timestamp"]);

/** Arguments that say where to begin. */
export interface Start {
  readonly from: z.infer<typeof from>;
  readonly offset?: number | undefined;
  readonly timestamp?: string | undefined;
  readonly partition?: number | undefined;
}

/** @throws {ToolError} When arguments do not go together. */
export function checkStart(topics: readonly string[], start: Start): void {
  for (const name of ["offset", "timestamp"] as const) {
    if ((start.from === name) !== (start[name] !== undefined)) {
      throw new ToolError(
        `from ${name} and the argument ${name} go together: give both or neither`,
        "bad start",
      );
    }
  }
  if (start.from === "offset" && start.partition === undefined) {
    throw new ToolError("from offset needs a partition: each counts for itself", "bad start");
  }
  if (start.partition !== undefined && new Set(topics).size > 1) {
    throw new ToolError("With a partition, give one topic", "bad start");
  }
}

/**
 * The offset to begin at in each log: the end where there is nothing to read, and for `latest`.
 *
 * @param now Unix seconds.
 * @throws {ToolError} When a log does not have the offset, or there is no such time.
 */
export async function startsOf(
  cluster: Cluster,
  logs: readonly PlacedLog[],
  { from, offset, timestamp }: Start,
  now: number,
): Promise<readonly Position[]> {
  const at = (offsetOf: (log: PlacedLog) => bigint) =>
    logs.map((log) => ({
      topic: log.topic,
      partition: log.partition,
      offset: offsetOf(log),
      end: log.end,
    }));
  if (from === "offset") return at((log) => within(log, BigInt(offset!)));
  if (from !== "timestamp") return at(({ start, end }) => from === "latest" ? end : start);
  const places = logs.map(({ topic, partition }) => ({ topic, partition }));
  // Below 0 are no times for Kafka, but orders.
  const found = await cluster.offsets(places, Math.max(0, timeMs(timestamp!, now)));
  const offsets = new Map(found.map((one) => [placeKey(one), one.offset]));
  return at((log) => offsets.get(placeKey(log)) ?? log.end);
}

function within({ topic, partition, start, end }: PlacedLog, offset: bigint): bigint {
  if (offset >= start && offset <= end) return offset;
  throw new ToolError(
    `Partition ${partition} of "${topic}" has offsets from ${start} up to its end ${end}, not ${offset}`,
    "offset out of range",
  );
}
