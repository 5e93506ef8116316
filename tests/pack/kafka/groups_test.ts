import {
  deepStrictEqual as deepEqual,
  match,
  ok,
  rejects,
  strictEqual as equal,
} from "node:assert/strict";
import { ToolError } from "../../../lib/pack.ts";
import { MAX_RESULT_LENGTH } from "../../../lib/pack/cut.ts";
import type { Commit, GroupMember } from "../../../lib/pack/kafka/cluster.ts";
import { groups } from "../../../lib/pack/kafka/groups.ts";
import { callTool, type Contents, group, partition, topic } from "./cluster.ts";

const commit = (topic: string, partition: number, offset: bigint, metadata?: string): Commit => ({
  topic,
  partition,
  offset,
  metadata,
});
const member = (id: string, assigned: GroupMember["assigned"] = []): GroupMember => ({
  id,
  instanceId: undefined,
  clientId: "app",
  host: "/10.0.0.1",
  assigned,
});
const at = (topic: string, partition: number) => ({ topic, partition });

const LISTED: Contents = {
  groups: [
    group("Billing", { state: "Empty" }),
    group("audit", { type: "consumer" }),
    group("old", { type: undefined, state: "Dead" }),
  ],
};
const list = (args = {}, contents = LISTED) =>
  callTool(groups, "list_consumer_groups", args, contents);
const ids = (value: Record<string, unknown> | undefined) =>
  (value!.groups as { group_id: string }[]).map(({ group_id }) => group_id);

Deno.test("list_consumer_groups() lists groups with states and types in one call", async () => {
  const { value, calls } = await list();
  deepEqual(value, {
    groups: [
      { group_id: "Billing", state: "Empty", type: "classic" },
      { group_id: "audit", state: "Stable", type: "consumer" },
      { group_id: "old", state: "Dead" },
    ],
    total: 3,
  });
  deepEqual(calls, { groups: 1 });
});

Deno.test("list_consumer_groups() finds a part of the id in any case, and goes on", async () => {
  deepEqual(ids((await list({ filter: "BILL" })).value), ["Billing"]);
  const { value } = await list({ limit: 2 });
  deepEqual([ids(value), value!.total, value!.next_offset], [["Billing", "audit"], 3, 2]);
  deepEqual(ids((await list({ limit: 2, offset: 2 })).value), ["old"]);
});

Deno.test("list_consumer_groups() finds nothing without complaint", async () => {
  deepEqual((await list({}, {})).value, { groups: [], total: 0 });
});

const CONTENTS: Contents = {
  topics: [
    topic("orders", [
      partition(0),
      partition(1),
      partition(2),
      partition(3, { leader: undefined, isr: [] }),
    ]),
    topic("payments", 2),
    topic("secret", 2),
  ],
  logs: [
    { ...at("orders", 0), start: 5n, end: 10n },
    { ...at("orders", 1), end: 100n },
    { ...at("payments", 0), start: 50n, end: 80n },
    { ...at("payments", 1), end: 3n },
    { ...at("secret", 0), end: 1000n },
  ],
  groups: [
    group("billing", {
      members: [
        { ...member("m-1", [at("orders", 2), at("orders", 0), at("secret", 0)]), instanceId: "i" },
        member("m-2", [at("orders", 1), at("payments", 0)]),
      ],
    }),
    group("idle", { state: "Empty", protocol: undefined }),
    group("hidden", { members: [member("m", [at("secret", 0)])] }),
  ],
  commits: {
    billing: [
      commit("orders", 0, 7n, "node-1"),
      commit("orders", 1, 0n),
      commit("orders", 3, 4n),
      commit("payments", 0, 40n),
      commit("payments", 1, 9n),
      commit("gone", 0, 12n),
      commit("orders", 9, 1n),
      commit("secret", 0, 1n),
      commit("secret-gone", 0, 1n),
    ],
    hidden: [commit("secret", 0, 1n)],
  },
};
const describe = (args: Record<string, unknown>, contents = CONTENTS) =>
  callTool(groups, "describe_consumer_group", args, contents);
const BILLING = { group_id: "billing", include_offsets: true };

Deno.test("describe_consumer_group() tells state and members in one call", async () => {
  const { value, calls } = await describe({ group_id: "billing" });
  deepEqual(value, {
    group_id: "billing",
    state: "Stable",
    type: "classic",
    protocol: "range",
    member_count: 2,
    members: [
      {
        member_id: "m-1",
        instance_id: "i",
        client_id: "app",
        client_host: "/10.0.0.1",
        assigned: [{ topic: "orders", partitions: [0, 2] }],
      },
      {
        member_id: "m-2",
        client_id: "app",
        client_host: "/10.0.0.1",
        assigned: [
          { topic: "orders", partitions: [1] },
          { topic: "payments", partitions: [0] },
        ],
      },
    ],
  });
  deepEqual(calls, { groupDetails: 1 });
});

Deno.test("describe_consumer_group() tells the lag of each partition, and what is known of it", async () => {
  const { value, calls } = await describe(BILLING);
  const rows = (value!.offsets as Record<string, unknown>[]).map((one) => Object.values(one));
  deepEqual(rows, [
    ["orders", 1, 0, 100, 100, "ok"],
    ["payments", 0, 40, 80, 30, "below_log_start"],
    ["orders", 0, 7, 10, 3, "ok", "node-1"],
    ["payments", 1, 9, 3, 0, "beyond_end"],
    ["gone", 0, 12, null, null, "deleted"],
    ["orders", 2, null, 0, null, "never_committed"],
    ["orders", 3, 4, null, null, "offline"],
    ["orders", 9, 1, null, null, "deleted"],
  ]);
  equal(value!.total_lag, 133);
  equal(value!.never_committed_partitions_count, 1);
  equal(value!.unknown_lag_partitions_count, 3);
  equal(value!.truncated, undefined);
  deepEqual(calls, { groupDetails: 1, commits: 1, snapshot: 1, offsets: 2 });
});

Deno.test("describe_consumer_group() asks Kafka for the offsets of no hidden topic, nor tells any", async () => {
  const { value, asked } = await describe(BILLING);
  ok(!JSON.stringify(value).includes("secret"));
  const rest = asked.filter(([method]) => method !== "groupDetails" && method !== "commits");
  ok(!JSON.stringify(rest).includes("secret"));
  const hidden = await describe({ group_id: "hidden", include_offsets: true });
  deepEqual(hidden.value!.members, [{
    member_id: "m",
    client_id: "app",
    client_host: "/10.0.0.1",
    assigned: [],
  }]);
  deepEqual([hidden.value!.offsets, hidden.value!.total_lag], [[], null]);
  deepEqual(hidden.calls, { groupDetails: 1, commits: 1 });
});

Deno.test("describe_consumer_group() tells an empty group that never committed", async () => {
  const { value } = await describe({ group_id: "idle", include_offsets: true });
  deepEqual(value, {
    group_id: "idle",
    state: "Empty",
    type: "classic",
    member_count: 0,
    members: [],
    total_lag: null,
    never_committed_partitions_count: 0,
    unknown_lag_partitions_count: 0,
    offsets: [],
  });
});

Deno.test("describe_consumer_group() does not take a group that only was assigned for one without lag", async () => {
  const contents = {
    ...CONTENTS,
    groups: [group("new", { members: [member("m", [at("orders", 0), at("orders", 1)])] })],
  };
  const { value } = await describe({ group_id: "new", include_offsets: true }, contents);
  deepEqual([value!.total_lag, value!.never_committed_partitions_count], [null, 2]);
});

Deno.test("describe_consumer_group() tells a lag of 0 as 0", async () => {
  const contents = { ...CONTENTS, commits: { idle: [commit("orders", 1, 100n)] } };
  const { value } = await describe({ group_id: "idle", include_offsets: true }, contents);
  equal(value!.total_lag, 0);
});

Deno.test("describe_consumer_group() tells no offset that a number cannot hold", async () => {
  const logs = [{ ...at("orders", 1), end: 2n ** 53n }];
  const contents = { ...CONTENTS, logs, commits: { idle: [commit("orders", 1, 1n)] } };
  await rejects(
    describe({ group_id: "idle", include_offsets: true }, contents),
    new RangeError("Cannot tell an offset beyond 2^53 - 1"),
  );
});

Deno.test("describe_consumer_group() asks as often for many partitions as for one", async () => {
  const commits = Array.from({ length: 1500 }, (_, at) => commit("wide", at, 1n));
  const contents = { topics: [topic("wide", 1500)], groups: [group("g")], commits: { g: commits } };
  const { value, calls } = await describe({ group_id: "g", include_offsets: true }, contents);
  deepEqual(calls, { groupDetails: 1, commits: 1, snapshot: 1, offsets: 2 });
  match(String(value!.truncated), /of 1500 left out: these are the partitions with most lag$/);
  ok(JSON.stringify(value).length < MAX_RESULT_LENGTH);
});

Deno.test("describe_consumer_group() sums lags that it has no room to tell", async () => {
  const wide = Array.from({ length: 1500 }, (_, partition) => at("wide", partition));
  const contents = {
    topics: [topic("wide", 1500)],
    logs: wide.map((place) => ({ ...place, end: 3n })),
    groups: [group("g", { members: [member("m", wide)] })],
    commits: { g: wide.slice(0, 1400).map(({ topic, partition }) => commit(topic, partition, 1n)) },
  };
  const { value } = await describe({ group_id: "g", include_offsets: true }, contents);
  deepEqual([value!.total_lag, value!.never_committed_partitions_count], [2800, 100]);
});

Deno.test("describe_consumer_group() says what it left out of members, and how many there are", async () => {
  const members = Array.from({ length: 2000 }, (_, at) => member(`m-${at}-${"x".repeat(100)}`));
  const { value } = await describe({ group_id: "g" }, { groups: [group("g", { members })] });
  equal(value!.member_count, 2000);
  match(String(value!.truncated), /of 2000 left out: these are the first members$/);
});

Deno.test("describe_consumer_group() tells that there is no such group", async () => {
  const { told, calls } = await describe({ ...BILLING, group_id: "nothing" });
  match(told!, /^There is no consumer group "nothing"\. See list_consumer_groups/);
  deepEqual(calls, { groupDetails: 1 });
});

const REFUSED = ["groupDetails", "commits", "snapshot", "offsets"] as const;
for (const method of REFUSED) {
  Deno.test(`describe_consumer_group() tells what Kafka refuses of ${method}`, async () => {
    const failing = { [method]: new ToolError("Kafka does not let you", "not authorized") };
    equal((await describe(BILLING, { ...CONTENTS, failing })).told, "Kafka does not let you");
  });
}

const BAD: [name: string, args: Record<string, unknown>][] = [
  ["list_consumer_groups", { limit: 0 }],
  ["list_consumer_groups", { limit: 1001 }],
  ["list_consumer_groups", { filter: 5 }],
  ["list_consumer_groups", { nothing: 1 }],
  ["describe_consumer_group", {}],
  ["describe_consumer_group", { group_id: "" }],
  ["describe_consumer_group", { group_id: "x".repeat(256) }],
  ["describe_consumer_group", { ...BILLING, include_offsets: "yes" }],
  ["describe_consumer_group", { ...BILLING, nothing: 1 }],
];
for (const [name, args] of BAD) {
  Deno.test(`${name}() asks nothing with ${JSON.stringify(args).slice(0, 60)}`, async () => {
    const { told, calls } = await callTool(groups, name, args, CONTENTS);
    match(told!, /^bad arguments/);
    deepEqual(calls, {});
  });
}

Deno.test("a group that committed an absurd offset is described all the same", async () => {
  const place = { topic: "orders", partition: 0, metadata: undefined };
  const args = { group_id: "g", include_offsets: true };
  const { value } = await callTool(groups, "describe_consumer_group", args, {
    topics: [topic("orders")],
    groups: [group("g")],
    commits: { g: [{ ...place, offset: 2n ** 63n - 1n }] },
  });
  const [offset] = value!.offsets as Record<string, unknown>[];
  deepEqual([offset!.commit_offset, offset!.status], [Number.MAX_SAFE_INTEGER, "beyond_end"]);
});
