import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { readGroupLags } from "../../../lib/pack/kafka/group_lags.ts";
import { group, newCluster, topic } from "./cluster.ts";
import { commit, read } from "./reports.ts";

const CONTENTS = {
  topics: [topic("orders", 3)],
  logs: [0, 1, 2].map((partition) => ({ topic: "orders", partition, end: 9000n })),
  groups: [group("b"), group("narrow"), group("wide"), group("a")],
  commits: {
    narrow: [commit("orders", 0, 4000n)],
    wide: [commit("orders", 0, 6000n), commit("orders", 1, 7000n), commit("orders", 2, 6000n)],
  },
};

Deno.test("readGroupLags() sorts groups by the sum of their lags, those that are alike by their ids", async () => {
  const { groups } = await readGroupLags(newCluster(CONTENTS), () => true);
  deepEqual(groups.map(({ id, lag }) => [id, lag.total]), [
    ["wide", 8000n],
    ["narrow", 5000n],
    ["a", undefined],
    ["b", undefined],
  ]);
});

Deno.test("kafka-mcp://consumer-lag-report sorts partitions of all groups by their own lag", async () => {
  const { document } = await read("consumer-lag-report", CONTENTS);
  deepEqual(
    document.high_lag_details.map((one: { group_id: string; lag: number }) => [
      one.group_id,
      one.lag,
    ]),
    [["narrow", 5000], ["wide", 3000], ["wide", 3000], ["wide", 2000]],
  );
});

Deno.test("readGroupLags() counts groups that are not described, and looks at the others", async () => {
  const cluster = newCluster(CONTENTS);
  const { count, groups, truncated } = await readGroupLags({
    ...cluster,
    groupDetails: (ids) => cluster.groupDetails(ids.filter((id) => id !== "wide")),
  }, () => true);
  equal(count, 4);
  deepEqual(groups.map(({ id }) => id), ["narrow", "a", "b"]);
  equal(truncated, undefined);
});
