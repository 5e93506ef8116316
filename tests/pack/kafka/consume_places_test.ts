import { deepStrictEqual as deepEqual, rejects, strictEqual as equal } from "node:assert/strict";
import { findPlaces, MAX_PARTITIONS } from "../../../lib/pack/kafka/consume_places.ts";
import { newCluster, partition, topic } from "./cluster.ts";

const everything = (_topic: string) => true;

Deno.test("findPlaces() tells where logs begin and end, in three calls for any number", async () => {
  const cluster = newCluster({
    topics: [topic("a", 2), topic("b")],
    logs: [{ topic: "a", partition: 1, start: 5n, end: 9n }],
  });
  const { logs, notes } = await findPlaces(cluster, everything, ["b", "a", "b"], undefined);
  deepEqual(logs, [
    { topic: "a", partition: 0, start: 0n, end: 0n },
    { topic: "a", partition: 1, start: 5n, end: 9n },
    { topic: "b", partition: 0, start: 0n, end: 0n },
  ]);
  deepEqual(notes, []);
  deepEqual(cluster.calls, { snapshot: 1, offsets: 2 });
});

Deno.test("findPlaces() leaves out partitions that lose their leader meanwhile", async () => {
  const cluster = newCluster({ topics: [topic("a", 3)] });
  const offsets: typeof cluster.offsets = async (places, at) =>
    (await cluster.offsets(places, at)).map((one) =>
      one.partition === 1 ? { ...one, offset: undefined } : one
    );
  const { logs, notes } = await findPlaces({ ...cluster, offsets }, everything, ["a"], undefined);
  deepEqual(logs.map(({ partition }) => partition), [0, 2]);
  deepEqual(notes, ["partitions not read, as no broker leads them: 1"]);
});

Deno.test("findPlaces() gives each topic its share of the partitions of one call", async () => {
  const cluster = newCluster({ topics: [topic("a", MAX_PARTITIONS), topic("b", MAX_PARTITIONS)] });
  const { logs, notes } = await findPlaces(cluster, everything, ["a", "b"], undefined);
  equal(logs.length, MAX_PARTITIONS);
  equal(logs.filter(({ topic }) => topic === "b").length, MAX_PARTITIONS / 2);
  deepEqual(notes, ["100 of 200 partitions not read: name fewer topics, or one partition"]);
});

Deno.test("findPlaces() finds any one partition of however many", async () => {
  const cluster = newCluster({ topics: [topic("a", 3000)] });
  const { logs, notes } = await findPlaces(cluster, everything, ["a"], 2999);
  deepEqual(logs, [{ topic: "a", partition: 2999, start: 0n, end: 0n }]);
  deepEqual(notes, []);
});

Deno.test("findPlaces() says what to look at when nobody leads what it should read", async () => {
  const topics = [topic("a", [partition(0), partition(1, { leader: undefined })])];
  const cluster = newCluster({ topics });
  await rejects(findPlaces(cluster, everything, ["a"], 1), /No broker leads.*describe_topic/);
  deepEqual(cluster.calls, { snapshot: 1 });
});

Deno.test("findPlaces() does not read what Kafka itself notes of topics that are not allowed", async () => {
  const cluster = newCluster({ topics: [topic("a"), topic("__consumer_offsets", 50, true)] });
  const find = (names: readonly string[], isAllowed = everything) =>
    findPlaces(cluster, isAllowed, names, undefined);
  const names = ["a", "__consumer_offsets"];
  await rejects(find(names), /"__consumer_offsets" holds what Kafka keeps for itself/);
  await rejects(find(names, (name) => name === "a"), /There is no topic "__consumer_offsets"/);
  deepEqual(cluster.calls, { snapshot: 2 });
});
