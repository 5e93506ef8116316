import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { allowed } from "../../../lib/pack/kafka/allowed.ts";

Deno.test("allowed() takes what a glob allows and none denies, to the letter", () => {
  const isAllowed = allowed({ allow: ["orders.*", "audit"], deny: ["*.pii"] });
  const topics = ["orders.eu", "orders.pii", "audit", "Audit", "audit.pii", "ORDERS.eu", "orders"];
  deepEqual(topics.filter(isAllowed), ["orders.eu", "audit"]);
});

Deno.test("allowed() takes no name that no topic can have, nor long to say so", () => {
  const isAllowed = allowed({ allow: ["*"], deny: ["*pii*raw*", "*p*i*i*x*"] });
  equal(isAllowed("pii".repeat(1_000_000)), false);
  equal(isAllowed("x".repeat(249)), true);
  equal(isAllowed("x".repeat(250)), false);
});
