/**
 * Groups, settings and what callers may see, through the whole program, against three brokers.
 *
 * @module
 */

import { startKafka } from "./kafka.ts";
import { configs, groups } from "./pack_groups.ts";
import { audit } from "./pack_log.ts";
import { readOnly, scopes, topicsAllowed } from "./pack_policy.ts";
import { callerAt, startGate } from "./pack_stand.ts";
import type { Step } from "./pack_steps.ts";

const SECRET = "the wombat's own secret";

const STEPS: readonly Step[] = [
  ["groups of each kind are told with lag that is right", groups],
  ["settings tell where they come from, and keep what is sensitive", (all) => configs(all, SECRET)],
  ["topics that are not allowed are as if there were none", topicsAllowed],
  ["a server that only reads has no tool that writes", readOnly],
  ["who lacks a scope is told which, before Kafka is asked anything", scopes],
  ["the log names who called what, and nothing that was said", audit],
];

Deno.test("a cluster that is well, through the whole program", async (t) => {
  await using kafka = await startKafka({
    brokers: 3,
    extra: { "ssl.keystore.password": SECRET },
  });
  await using gate = await startGate(kafka.bootstrap());
  await using alice = await callerAt(gate, "alice");
  for (const [name, step] of STEPS) await t.step(name, () => step({ kafka, gate, alice }));
});
