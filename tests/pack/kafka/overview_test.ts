import { deepStrictEqual as deepEqual } from "node:assert/strict";
import type { Snapshot } from "../../../lib/pack/kafka/cluster.ts";
import { overviewOf } from "../../../lib/pack/kafka/overview.ts";
import { broker, partition, topic } from "./cluster.ts";

const snapshot = (other: Partial<Snapshot> = {}): Snapshot => ({
  clusterId: "test",
  controllerId: 1,
  brokers: [broker(1), broker(2), broker(3)],
  topics: [],
  ...other,
});
const all = () => true;

Deno.test("overviewOf() counts, internal topics apart and their partitions with the others", () => {
  const topics = [topic("__consumer_offsets", 50, true), topic("a", 3), topic("b")];
  deepEqual(overviewOf(snapshot({ topics }), all), {
    clusterId: "test",
    controllerId: 1,
    brokerCount: 3,
    topicCount: 2,
    internalTopicCount: 1,
    partitionCount: 54,
    underReplicated: [],
    offline: [],
    offlineBrokers: [],
  });
});

Deno.test("overviewOf() finds under-replicated partitions, and which replicas they miss", () => {
  const behind = partition(1, { leader: 2, isr: [2] });
  const topics = [topic("a", [partition(0), behind, partition(2)])];
  const { underReplicated, offline } = overviewOf(snapshot({ topics }), all);
  deepEqual(underReplicated, [{ topic: "a", ...behind, missing: [1, 3] }]);
  deepEqual(offline, []);
});

Deno.test("overviewOf() does not call a partition under-replicated for the order of its replicas", () => {
  const topics = [topic("a", [partition(0, { replicas: [3, 1, 2], isr: [2, 3, 1] })])];
  deepEqual(overviewOf(snapshot({ topics }), all).underReplicated, []);
});

Deno.test("overviewOf() calls a replica missing while another, that leaves, is in sync", () => {
  const topics = [topic("a", [partition(0, { replicas: [1, 2, 3], isr: [1, 2, 4] })])];
  deepEqual(overviewOf(snapshot({ topics }), all).underReplicated.map(({ missing }) => missing), [
    [3],
  ]);
});

Deno.test("overviewOf() finds offline partitions, which lack replicas besides", () => {
  const gone = partition(0, { leader: undefined, isr: [3] });
  const { underReplicated, offline } = overviewOf(
    snapshot({ topics: [topic("a", [gone])] }),
    all,
  );
  deepEqual(offline, [{ topic: "a", partition: 0 }]);
  deepEqual(underReplicated.map(({ missing }) => missing), [[1, 2]]);
});

Deno.test("overviewOf() takes leader 0 for a leader", () => {
  const topics = [topic("a", [partition(0, { leader: 0, replicas: [0], isr: [0] })])];
  deepEqual(overviewOf(snapshot({ brokers: [broker(0)], topics }), all).offline, []);
});

Deno.test("overviewOf() finds offline brokers: they should hold replicas and do not live", () => {
  const topics = [
    topic("a", [partition(0, { replicas: [1, 12, 7], isr: [1] })]),
    topic("b", [partition(0, { replicas: [7, 1], isr: [1] })]),
  ];
  deepEqual(overviewOf(snapshot({ topics }), all).offlineBrokers, [7, 12]);
});

Deno.test("overviewOf() finds an offline broker while the cluster still takes it for in sync", () => {
  const topics = [topic("a")];
  const brokers = [broker(1), broker(2)];
  deepEqual(overviewOf(snapshot({ topics, brokers }), all).offlineBrokers, [3]);
});

Deno.test("overviewOf() counts topics that are not allowed nowhere", () => {
  const topics = [
    topic("a"),
    topic("hidden", [partition(0, { leader: undefined, replicas: [9], isr: [] })]),
    topic("hidden-internal", 5, true),
  ];
  const isAllowed = (name: string) => !name.startsWith("hidden");
  deepEqual(
    overviewOf(snapshot({ topics }), isAllowed),
    overviewOf(snapshot({ topics: [topic("a")] }), all),
  );
});
