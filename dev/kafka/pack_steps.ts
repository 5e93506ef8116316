/**
 * What the steps of a test share.
 *
 * @module
 */

import type { Program } from "../../tests/e2e/program.ts";
import type { Kafka } from "./kafka.ts";
import type { Caller } from "./pack_stand.ts";

/** A Kafka, the program before it, and somebody who calls that. */
export interface Stand {
  readonly kafka: Kafka;
  readonly gate: Program;
  readonly alice: Caller;
}

/** A step, by the sentence that it proves. */
export type Step = readonly [sentence: string, prove: (stand: Stand) => Promise<void>];
