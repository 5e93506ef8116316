import { strictEqual as equal } from "node:assert/strict";
import { groupId, noSuchTopic, topicName } from "../../../lib/pack/kafka/names.ts";

const TOPICS: [name: string, isGood: boolean][] = [
  ["orders", true],
  ["a", true],
  ["Orders.v2_new-1", true],
  ["__consumer_offsets", true],
  ["...", true],
  ["x".repeat(249), true],
  ["x".repeat(250), false],
  ["", false],
  [".", false],
  ["..", false],
  ["a b", false],
  ["a/b", false],
  ["a\n", false],
  ["ä", false],
  ["a\0", false],
];
for (const [name, isGood] of TOPICS) {
  Deno.test(`topicName ${isGood ? "takes" : "refuses"} ${JSON.stringify(name).slice(0, 30)} (${name.length})`, () => {
    equal(topicName.safeParse(name).success, isGood);
  });
}

Deno.test("groupId takes every text of 1 to 255 characters", () => {
  for (const id of ["g", "with blank/ä", "x".repeat(255)]) {
    equal(groupId.safeParse(id).success, true);
  }
  for (const id of ["", "x".repeat(256)]) equal(groupId.safeParse(id).success, false);
});

Deno.test("noSuchTopic() names topics for the caller, and not for the log", () => {
  const { message, reason } = noSuchTopic("a", "b");
  equal(
    message,
    'There is no topic "a" or "b". See list_topics for those that there are. Kafka also hides ' +
      "topics from a login without DESCRIBE on them",
  );
  equal(reason, "no such topic");
});
