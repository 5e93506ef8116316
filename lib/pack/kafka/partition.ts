/**
 * Partitions, as callers name them.
 *
 * @module
 */

import { ToolError } from "../../pack.ts";
import type { Topic } from "./cluster.ts";

/** @throws {ToolError} When the topic has no such partition. */
export function checkPartition({ name, partitions }: Topic, partition: number): void {
  if (partitions.some((one) => one.partition === partition)) return;
  throw new ToolError(
    `There is no partition ${partition} of "${name}": it has ${partitions.length}, from 0 on`,
    "no such partition",
  );
}
