/**
 * The pack while brokers of a real Kafka come and go, and while the program itself ends.
 *
 * @module
 */

import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { type Program, tokenFor } from "../../tests/e2e/program.ts";
import { bearerHeader, modernCall } from "../../tests/fakes.ts";
import { until } from "../keycloak/wait.ts";
import { discreet } from "./pack_log.ts";
import { everything } from "./pack_records.ts";
import { makeTopics, PATIENCE_MS, saidAt } from "./pack_stand.ts";
import type { Stand } from "./pack_steps.ts";
import { everything as everythingIn, reach, text } from "./reaching.ts";

const AWAY = /^Kafka cannot be reached at the moment/;
const UNKNOWN = /^Error: It is not known whether the record was written to "zebra-load"/;

/** The program starts without Kafka, says what is missing, and works once it is there. */
export async function kafkaComes({ kafka, gate, alice }: Stand): Promise<void> {
  equal((await saidAt(gate, "/healthz")).status, 200);
  const unready = await saidAt(gate, "/readyz");
  equal(unready.status, 503);
  match(unready.text, /kafka/);
  for (
    const [tool, args] of [
      ["list_topics", {}],
      ["produce_message", { topic: "zebra-load", value: "quokka" }],
      ["consume_messages", { topics: ["zebra-load"] }],
      ["describe_consumer_group", { group_id: "tapir" }],
    ] as const
  ) match(await alice.refusal(tool, args), AWAY);

  await kafka.restart(1, 2, 3);
  await until("it is ready by itself", PATIENCE_MS, async () => {
    return (await saidAt(gate, "/readyz")).status === 200;
  });
  equal((await alice.ask<{ brokers: unknown[] }>("list_brokers")).brokers.length, 3);
}

/** What was confirmed is there once, what was refused is not, whichever broker is killed. */
export async function killedUnderLoad({ kafka, gate, alice }: Stand): Promise<void> {
  await makeTopics(kafka, { name: "zebra-load", brokers: [[1, 2, 3], [2, 3, 1], [3, 1, 2]] });
  const confirmed = new Map<string, string>();
  const [unknown, refused]: [Set<string>, Set<string>] = [new Set(), new Set()];
  let isOver = false;
  const writer = async (name: string, partition: number) => {
    for (let at = 0; !isOver; at++) {
      const value = `quokka ${name} ${partition} ${at}`;
      await alice.ask<{ offset: number }>("produce_message", {
        topic: "zebra-load",
        partition,
        value,
      }).then(
        ({ offset }) => confirmed.set(value, `${partition} ${offset}`),
        (error) => (isUnknown(error) ? unknown : refused).add(value),
      );
    }
  };
  const load = ["a", "b"].flatMap((name) => [0, 1, 2].map((partition) => writer(name, partition)));
  const more = (count: number) => {
    const before = confirmed.size;
    return until("some are written", PATIENCE_MS, () => confirmed.size > before + count);
  };
  for (const broker of [1, 2]) {
    await more(100);
    await kafka.kill(broker);
    await more(100);
    await kafka.restart(broker);
  }
  await more(100);
  isOver = true;
  await Promise.all(load);

  const found = Map.groupBy(await everything(alice, "zebra-load"), ({ value }) => value!);
  const placeOf = (value: string) =>
    found.get(value)?.map(({ partition, offset }) => `${partition} ${offset}`);
  deepEqual([...confirmed].filter(([value]) => !found.has(value)), [], "confirmed, yet lost");
  deepEqual([...refused].filter((value) => found.has(value)), [], "refused, yet written");
  for (const [value, place] of confirmed) deepEqual(placeOf(value), [place]);
  for (const value of unknown) ok((placeOf(value)?.length ?? 0) <= 1, value);
  equal((await saidAt(gate, "/readyz")).status, 200);
}

function isUnknown(error: unknown): boolean {
  return UNKNOWN.test(String(error).replace(/^.*?produce_message: /, "Error: "));
}

/** Asked to end, the program lets writing finish, and breaks off what waits for records. */
export async function endsInFlight({ kafka, gate, alice }: Stand): Promise<void> {
  const headers = bearerHeader(await tokenFor(gate.origin, "alice"));
  const send = async (name: string, args: Record<string, unknown>) => {
    const call = modernCall("tools/call", { name, arguments: args }, headers);
    const response = await fetch(gate.endpoint, call);
    return `${response.status} ${await response.text()}`;
  };
  const waiting = { topics: ["zebra-end"], wait_seconds: 30 };
  const readers = Array.from({ length: 3 }, () => send("consume_messages", waiting));
  await alice.ask("list_brokers");
  const values = Array.from({ length: 60 }, (_, at) => `quokka end ${at}`);
  const writers = values.map((value) => {
    const sent = send("produce_message", { topic: "zebra-load", partition: 1, value });
    // Those that come too late find nobody.
    return sent.then((said) => said.startsWith("200 ") ? [value] : [], () => []);
  });
  await Promise.any(writers);
  await ends(gate);
  deepEqual(await Promise.all(readers), ["503 ", "503 ", "503 "]);
  const written = (await Promise.all(writers)).flat();
  await using client = reach(kafka.bootstrap());
  const found = await everythingIn(client, { topic: "zebra-load", partition: 1 });
  const counts = Map.groupBy(found, ({ value }) => text(value));
  ok(written.length > 0);
  for (const value of written) equal(counts.get(value)?.length, 1, value);
}

async function ends(gate: Program): Promise<void> {
  const { code, signal } = await gate.stop();
  deepEqual([code, signal], [0, null]);
  match(gate.stderr(), /"event":"stopped"/);
  discreet(gate);
}
