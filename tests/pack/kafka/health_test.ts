import { strictEqual as equal } from "node:assert/strict";
import { type Status, statusesOf, worst } from "../../../lib/pack/kafka/health.ts";
import { overviewOf } from "../../../lib/pack/kafka/overview.ts";
import { broker, partition, topic } from "./cluster.ts";

const WORST: [statuses: Status[], expected: Status][] = [
  [[], "healthy"],
  [["healthy", "healthy"], "healthy"],
  [["healthy", "unknown"], "unknown"],
  [["unknown", "warning", "healthy"], "warning"],
  [["warning", "unknown", "critical"], "critical"],
];
for (const [statuses, expected] of WORST) {
  Deno.test(`worst() of ${statuses.join(", ") || "nothing"} is ${expected}`, () => {
    equal(worst(statuses), expected);
  });
}

const WHOLE = { clusterId: "test", controllerId: 1, brokers: [1, 2, 3].map((id) => broker(id)) };
const JUDGED: [what: string, snapshot: Partial<Parameters<typeof overviewOf>[0]>, string][] = [
  ["a whole cluster", {}, "healthy healthy healthy"],
  ["a cluster without a controller", { controllerId: undefined }, "healthy unknown healthy"],
  ["a cluster whose controller is broker 0", { controllerId: 0 }, "healthy healthy healthy"],
  [
    "a cluster with a replica behind",
    { topics: [topic("a", [partition(0, { isr: [1, 2] })])] },
    "healthy healthy warning",
  ],
  [
    "a cluster with a partition that nobody leads",
    { topics: [topic("a", [partition(0, { leader: undefined })])] },
    "healthy healthy critical",
  ],
  [
    "a cluster with a broker away",
    { brokers: [broker(1), broker(2)], topics: [topic("a")] },
    "warning healthy healthy",
  ],
  ["a cluster without brokers", { brokers: [] }, "critical healthy healthy"],
];
for (const [what, changes, expected] of JUDGED) {
  Deno.test(`statusesOf() calls ${what} ${expected}`, () => {
    const overview = overviewOf({ ...WHOLE, topics: [topic("a")], ...changes }, () => true);
    const { brokers, controller, partitions } = statusesOf(overview);
    equal(`${brokers} ${controller} ${partitions}`, expected);
  });
}
