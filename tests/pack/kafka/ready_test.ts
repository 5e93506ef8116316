import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { ToolError } from "../../../lib/pack.ts";
import { Closed } from "../../../lib/pack/kafka/failures.ts";
import { readiness } from "../../../lib/pack/kafka/ready.ts";

function standing() {
  let ms = 0;
  let asked = 0;
  let answer: Error | undefined;
  const events: string[] = [];
  const log = (_level: string, event: string) => void events.push(event);
  const ask = () => {
    asked++;
    return answer ? Promise.reject(answer) : Promise.resolve();
  };
  return {
    ...readiness(ask, { elapsedMs: () => ms, log }),
    events,
    asked: () => asked,
    answers: (error?: Error) => void (answer = error),
    advance: (by: number) => void (ms += by),
  };
}

const away = new ToolError("Kafka cannot be reached", "ECONNREFUSED");
const settled = () => new Promise((resolve) => setTimeout(resolve));

Deno.test("the first answer is waited for, and nothing is asked before", async () => {
  const kafka = standing();
  equal(kafka.asked(), 0);
  equal(await kafka.ready(), true);
  equal(kafka.asked(), 1);
});

Deno.test("many who want to know at once ask once", async () => {
  const kafka = standing();
  deepEqual(await Promise.all([kafka.ready(), kafka.ready(), kafka.ready()]), [true, true, true]);
  equal(kafka.asked(), 1);
});

Deno.test("a good answer counts for a while, and is then renewed behind the scenes", async () => {
  const kafka = standing();
  await kafka.ready();
  kafka.advance(14_999);
  equal(kafka.ready(), true);
  equal(kafka.asked(), 1);
  kafka.answers(away);
  kafka.advance(1);
  equal(kafka.ready(), true);
  await settled();
  equal(kafka.ready(), false);
  deepEqual(kafka.events, ["kafka connected", "kafka lost"]);
});

Deno.test("it comes true by itself, asking more and more seldom until then", async () => {
  const kafka = standing();
  kafka.answers(away);
  equal(await kafka.ready(), false);
  for (const pauseMs of [1_000, 2_000, 4_000, 8_000, 10_000, 10_000]) {
    const before = kafka.asked();
    kafka.advance(pauseMs - 1);
    equal(kafka.ready(), false);
    equal(kafka.asked(), before, `${pauseMs}`);
    kafka.advance(1);
    kafka.ready();
    await settled();
    equal(kafka.asked(), before + 1, `${pauseMs}`);
  }
  kafka.answers();
  kafka.advance(10_000);
  kafka.ready();
  await settled();
  equal(kafka.ready(), true);
  deepEqual(kafka.events, ["kafka lost", "kafka connected"]);

  // Lost again, it is asked again soon.
  kafka.contact(false, "ECONNRESET");
  kafka.advance(1_000);
  const before = kafka.asked();
  kafka.ready();
  equal(kafka.asked(), before + 1);
  await settled();
});

Deno.test("calls that reach Kafka, or do not, say so", () => {
  const kafka = standing();
  kafka.contact(true);
  equal(kafka.ready(), true);
  kafka.contact(false, "ECONNRESET");
  kafka.contact(false, "ECONNRESET");
  equal(kafka.ready(), false);
  equal(kafka.asked(), 0);
  deepEqual(kafka.events, ["kafka connected", "kafka lost"]);
});

Deno.test("a refused login is not ready, and a closed client is no loss", async () => {
  const kafka = standing();
  kafka.answers(new ToolError("Kafka refused the login", "wrong password"));
  equal(await kafka.ready(), false);
  deepEqual(kafka.events, ["kafka lost"]);
  const closing = standing();
  closing.answers(new Closed());
  equal(await closing.ready(), false);
  deepEqual(closing.events, []);
});
