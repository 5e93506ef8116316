import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import type { Commit, GroupMember } from "../../../lib/pack/kafka/cluster.ts";
import { readLags } from "../../../lib/pack/kafka/lags.ts";
import { group, newCluster, partition, topic } from "./cluster.ts";

const isAllowed = (name: string) => !name.startsWith("secret");
const commit = (topic: string, partition: number, offset: bigint): Commit => ({
  topic,
  partition,
  offset,
  metadata: undefined,
});
const member = (topic: string, partition: number): GroupMember => ({
  id: "m",
  instanceId: undefined,
  clientId: "app",
  host: "/10.0.0.1",
  assigned: [{ topic, partition }],
});

Deno.test("readLags() asks four times for many groups, and gives each its own lag", async () => {
  const ids = Array.from({ length: 50 }, (_, at) => `g-${at}`);
  const cluster = newCluster({
    topics: [topic("orders", 2)],
    logs: [{ topic: "orders", partition: 0, end: 100n }],
    commits: Object.fromEntries(ids.map((id, at) => [id, [commit("orders", 0, BigInt(at))]])),
  });
  const groups = ids.map((id) => group(id, { members: [member("orders", 1)] }));
  const lags = await readLags(cluster, groups, isAllowed);
  deepEqual([...lags.keys()], ids);
  deepEqual(
    ids.map((id) => [lags.get(id)!.total, lags.get(id)!.neverCommitted]),
    ids.map((_, at) => [BigInt(100 - at), 1]),
  );
  deepEqual(cluster.calls, { commits: 1, snapshot: 1, offsets: 2 });
});

Deno.test("readLags() asks for each partition once, however many groups read it", async () => {
  const cluster = newCluster({
    topics: [topic("orders", 3)],
    commits: { a: [commit("orders", 0, 0n)], b: [commit("orders", 0, 0n)] },
  });
  await readLags(cluster, [group("a"), group("b")], isAllowed);
  const places = [{ topic: "orders", partition: 0 }];
  deepEqual(cluster.asked.slice(1), [
    ["snapshot", ["orders"]],
    ["offsets", places, "earliest"],
    ["offsets", places, "latest"],
  ]);
});

Deno.test("readLags() asks for commits before it asks for ends", async () => {
  const cluster = newCluster({
    topics: [topic("orders")],
    commits: { a: [commit("orders", 0, 0n)] },
  });
  await readLags(cluster, [group("a")], isAllowed);
  deepEqual(cluster.asked.map(([method]) => method), [
    "commits",
    "snapshot",
    "offsets",
    "offsets",
  ]);
});

Deno.test("readLags() asks nothing for no groups, and no more than commits for groups without any", async () => {
  const cluster = newCluster();
  deepEqual(await readLags(cluster, [], isAllowed), new Map());
  deepEqual(cluster.calls, {});
  const none = { partitions: [], total: undefined, neverCommitted: 0, unknown: 0 };
  deepEqual(await readLags(cluster, [group("a")], isAllowed), new Map([["a", none]]));
  deepEqual(cluster.calls, { commits: 1 });
});

Deno.test("readLags() does not ask where partitions end that are offline or gone", async () => {
  const cluster = newCluster({
    topics: [topic("orders", [partition(0, { leader: undefined, isr: [] })])],
    commits: { a: [commit("orders", 0, 1n), commit("orders", 1, 1n), commit("gone", 0, 1n)] },
  });
  const lags = await readLags(cluster, [group("a")], isAllowed);
  deepEqual(
    lags.get("a")!.partitions.map(({ topic, partition, status }) => [topic, partition, status]),
    [["gone", 0, "deleted"], ["orders", 0, "offline"], ["orders", 1, "deleted"]],
  );
  deepEqual(cluster.calls, { commits: 1, snapshot: 1 });
});

Deno.test("readLags() asks the leader 0 where a partition ends", async () => {
  const cluster = newCluster({
    topics: [topic("orders", [partition(0, { leader: 0 })])],
    commits: { a: [commit("orders", 0, 0n)] },
  });
  const lags = await readLags(cluster, [group("a")], isAllowed);
  equal(lags.get("a")!.partitions[0]!.status, "ok");
});

Deno.test("readLags() leaves topics out that are not allowed, committed or assigned", async () => {
  const cluster = newCluster({
    topics: [topic("secret", 2)],
    commits: { a: [commit("secret", 0, 1n), commit("secret-gone", 0, 1n)] },
  });
  const groups = [group("a", { members: [member("secret", 1)] })];
  const lags = await readLags(cluster, groups, isAllowed);
  deepEqual(lags.get("a")!.partitions, []);
  deepEqual(cluster.calls, { commits: 1 });
});
