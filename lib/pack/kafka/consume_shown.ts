/**
 * As many messages as fit into a result, and where to go on after them.
 *
 * @module
 */

import { fitting, MAX_RESULT_LENGTH } from "../cut.ts";
import type { KafkaRecord } from "./cluster.ts";
import { type Message, messageOf } from "./consume_message.ts";
import type { Newest } from "./consume_newest.ts";
import type { Onward, Position } from "./consume_onward.ts";
import { MAX_READS } from "./consume_reads.ts";
import { placeKey } from "./lag.ts";

// The rest is for the positions, of which there are up to a hundred.
const MESSAGES_LENGTH = MAX_RESULT_LENGTH - 40_000;

/** Messages to show, of what was read. */
export interface Page {
  /** The oldest first. */
  readonly messages: Message[];
  /** Where to go on after these. */
  readonly next: readonly Position[];
  /** What is not there, and why. */
  readonly notes: readonly string[];
}

/** Shows the newest; of what does not fit, the oldest are left out. */
export function showNewest(
  { records, unreached }: Newest,
  ends: readonly Position[],
  maxValueBytes: number,
): Page {
  const newestFirst = records.map((one) => messageOf(one, maxValueBytes)).reverse();
  const { items, truncated } = fitting(
    newestFirst,
    "the older ones; take a smaller max_value_bytes",
    MESSAGES_LENGTH,
  );
  const notes = [
    ...(truncated ? [truncated] : []),
    ...(unreached > 0
      ? [
        `${MAX_READS} reads did not get to all that may be among the newest in ${unreached} ` +
        "partitions: name a partition, or go back with from offset",
      ]
      : []),
  ];
  return { messages: items.reverse(), next: ends, notes };
}

/** Shows the first `count`; what does not fit comes next. */
export function showOnward(
  { records, positions }: Onward,
  count: number,
  maxValueBytes: number,
): Page {
  const first = records.slice(0, count).map((one) => messageOf(one, maxValueBytes));
  const { items, truncated } = fitting(first, "go on with next", MESSAGES_LENGTH);
  const isEarly = records.length < count && positions.some(({ offset, end }) => offset < end);
  const notes = [
    ...(truncated ? [truncated] : []),
    ...(isEarly ? [`not all was read in ${MAX_READS} reads: go on with next`] : []),
  ];
  return { messages: items, next: before(positions, records.slice(items.length)), notes };
}

/** Goes back to before the first of the records in each partition. */
function before(positions: readonly Position[], records: readonly KafkaRecord[]): Position[] {
  const firstOf = new Map(records.toReversed().map((one) => [placeKey(one), one.offset]));
  return positions.map((one) => ({ ...one, offset: firstOf.get(placeKey(one)) ?? one.offset }));
}
