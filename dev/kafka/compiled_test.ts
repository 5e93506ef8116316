/**
 * The executable before a real Kafka. It is made elsewhere; `GATEHOUSE_EXECUTABLE` says where it is.
 *
 * @module
 */

import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { HTTP_ENV, type Program, start } from "../../tests/e2e/program.ts";
import { skipBecause } from "../../tests/e2e/skip.ts";
import { progress } from "./distribution.ts";
import { startKafka } from "./kafka.ts";
import { readByJava, roundTrips, writtenByJava } from "./pack_records.ts";
import { callerAt, kafkaEnv } from "./pack_stand.ts";
import type { Stand, Step } from "./pack_steps.ts";

const executable = Deno.env.get("GATEHOUSE_EXECUTABLE");

// What it needs, it holds: it finds nothing that Deno has downloaded.
const NOWHERE = { HOME: "/nonexistent", DENO_DIR: "/nonexistent", XDG_CACHE_HOME: "/nonexistent" };

const STEPS: readonly Step[] = [
  ["what is written comes back as it was", roundTrips],
  ["Java's consumer gets what was written here, up to a megabyte", readByJava],
  ["what Java's producer compressed is read, and keys lead to the same partitions", writtenByJava],
  ["topics are listed", topicsAreListed],
  ["no native addon is loaded", noAddonIsLoaded],
];

Deno.test({
  name: "the executable serves the Kafka tools",
  ...skipBecause(executable === undefined ? "GATEHOUSE_EXECUTABLE is not set" : undefined),
  fn: async (t) => {
    const command = [executable!];
    const { size } = await Deno.stat(executable!);
    progress(`the executable has ${(size / 1e6).toFixed(1)} MB`);
    await using kafka = await startKafka({ brokers: 3 });
    await using without = await timed(() => start({ command, env: { ...HTTP_ENV, ...NOWHERE } }));
    await without.stop();
    const env = { ...kafkaEnv(kafka.bootstrap()), ...NOWHERE };
    await using gate = await timed(() => start({ command, env }));
    await using alice = await callerAt(gate, "alice");
    for (const [name, step] of STEPS) await t.step(name, () => step({ kafka, gate, alice }));
    equal((await gate.stop()).code, 0);
  },
});

async function timed(begin: () => Promise<Program>): Promise<Program> {
  const started = performance.now();
  const program = await begin();
  const seconds = (performance.now() - started) / 1000;
  const status = await Deno.readTextFile(`/proc/${program.pid}/status`);
  const [, memory] = /^VmRSS:\s*(\d+) kB$/m.exec(status)!;
  const [, packs] = /"packs":"(.*?)"/.exec(program.stderr())!;
  progress(`${packs}: ready after ${seconds.toFixed(1)} s, ${Number(memory) >> 10} MiB`);
  return program;
}

async function topicsAreListed({ alice }: Stand) {
  const { topics } = await alice.ask<{ topics: { name: string; partition_count: number }[] }>(
    "list_topics",
    { filter: "zebra-" },
  );
  const counts = new Map(topics.map(({ name, partition_count }) => [name, partition_count]));
  deepEqual(
    ["zebra-java", "zebra-gzip", "zebra-snappy", "zebra-lz4", "zebra-zstd"]
      .map((name) => counts.get(name)),
    [1, 3, 3, 3, 3],
  );
}

// The client takes one for checksums where it finds it and may.
async function noAddonIsLoaded({ gate }: Stand) {
  const mapped = await Deno.readTextFile(`/proc/${gate.pid}/maps`);
  ok(
    mapped.includes(await Deno.realPath(executable!)),
    "The map of the process lacks the executable",
  );
  deepEqual(mapped.split("\n").filter((line) => /\.node\b/.test(line)), []);
}
