/**
 * The whole program while brokers come and go.
 *
 * @module
 */

import { startKafka } from "./kafka.ts";
import { endsInFlight, kafkaComes, killedUnderLoad } from "./pack_outage.ts";
import { withoutBroker } from "./pack_replication.ts";
import { callerAt, makeTopics, startUnready } from "./pack_stand.ts";
import type { Step } from "./pack_steps.ts";

const STEPS: readonly Step[] = [
  ["the program starts without Kafka, and works once it is there", kafkaComes],
  ["what lacks a broker is told as such", withoutBroker],
  ["what was confirmed is there once, whichever broker is killed", killedUnderLoad],
  ["asked to end, the program lets writing finish, and breaks off what waits", endsInFlight],
];

Deno.test("brokers that come and go, through the whole program", async (t) => {
  await using kafka = await startKafka({ brokers: 3 });
  await makeTopics(kafka, { name: "zebra-end", brokers: [[1, 2, 3]] });
  await Promise.all([1, 2, 3].map((broker) => kafka.kill(broker)));
  await using gate = await startUnready(kafka.bootstrap());
  await using alice = await callerAt(gate, "alice");
  for (const [name, step] of STEPS) await t.step(name, () => step({ kafka, gate, alice }));
});
