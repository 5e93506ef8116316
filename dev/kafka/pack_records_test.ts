/**
 * Records, through the whole program, against three brokers.
 *
 * @module
 */

import { startKafka } from "./kafka.ts";
import { audit } from "./pack_log.ts";
import {
  manyReaders,
  places,
  readByJava,
  roundTrips,
  transactions,
  writtenByJava,
} from "./pack_records.ts";
import { callerAt, startGate } from "./pack_stand.ts";
import type { Step } from "./pack_steps.ts";

const STEPS: readonly Step[] = [
  ["what is written comes back as it was", roundTrips],
  ["Java's consumer gets what was written here, up to a megabyte", readByJava],
  ["what Java's producer compressed is read, and keys lead to the same partitions", writtenByJava],
  ["a hundred readers at once see the same, and leave no group", manyReaders],
  ["reading begins where it is told to, and waits only when there is nothing", places],
  ["what was aborted is not shown, and what is open holds up what follows", transactions],
  ["the log names who called what, and nothing that was said", audit],
];

Deno.test("records through the whole program", async (t) => {
  await using kafka = await startKafka({ brokers: 3 });
  await using gate = await startGate(kafka.bootstrap());
  await using alice = await callerAt(gate, "alice");
  for (const [name, step] of STEPS) await t.step(name, () => step({ kafka, gate, alice }));
});
