import {
  deepStrictEqual as deepEqual,
  match,
  ok,
  rejects,
  strictEqual as equal,
} from "node:assert/strict";
import { type ToolContext, ToolError } from "../../../lib/pack.ts";
import type { Cluster } from "../../../lib/pack/kafka/cluster.ts";
import { MAX_GROUPS } from "../../../lib/pack/kafka/group_lags.ts";
import { HIGH_LAG, MAX_LISTED } from "../../../lib/pack/kafka/report_health.ts";
import { broker, type Contents, CONTEXT, group, partition, topic } from "./cluster.ts";
import { commit, member, read, rowsOf, write } from "./reports.ts";

const URI = "health-check";
const PROMPT = "kafka_health_check";
const ALL_CALLS = { snapshot: 2, groups: 1, groupDetails: 1, commits: 1, offsets: 2 };

const ORDERS: Contents = {
  topics: [topic("orders", 2)],
  logs: [{ topic: "orders", partition: 0, end: 50_000n }],
};

const SICK: Contents = {
  ...ORDERS,
  brokers: [broker(1), broker(2)],
  controllerId: null,
  topics: [
    topic("orders", [
      partition(0, { isr: [1] }),
      partition(1, { leader: undefined, replicas: [3], isr: [] }),
    ]),
    topic("secret", [partition(0, { leader: undefined, replicas: [8], isr: [] })]),
  ],
  groups: [
    group("fine"),
    group("fresh", { members: [member("m", { topic: "orders", partition: 0 })] }),
    group("late"),
    group("spy"),
  ],
  commits: {
    fine: [commit("orders", 0, 40_000n), commit("orders", 1, 5n)],
    late: [commit("orders", 0, 39_999n)],
    spy: [commit("secret", 0, 0n)],
  },
};

Deno.test("kafka-mcp://health-check judges each part and all together, in seven calls", async () => {
  const { document, calls } = await read(URI, SICK);
  deepEqual(calls, ALL_CALLS);
  const { recommendations, ...facts } = document;
  deepEqual(facts, {
    timestamp: "2027-01-15T08:00:00.000Z",
    overall_status: "critical",
    broker_status: {
      status: "warning",
      live_brokers: 2,
      offline_brokers: 1,
      offline_broker_ids: [3],
    },
    controller_status: { status: "unknown", controller_id: null },
    partition_status: {
      status: "critical",
      total_partitions: 2,
      under_replicated_partitions: 2,
      offline_partitions: 1,
    },
    consumer_status: {
      status: "warning",
      lag_threshold: HIGH_LAG,
      total_groups: 4,
      examined_groups: 4,
      groups_with_high_lag: 1,
      high_lag_groups: [{ group_id: "late", total_lag: 10_001 }],
      groups_that_never_committed: 1,
      never_committed_groups: ["fresh"],
    },
  });
  const expected = [
    /failing elections/,
    /partitions without a leader$/,
    /start them: 3$/,
    /not in sync: 2$/,
    /^Start consumers .*: 1$/,
    /never committed/,
  ];
  equal(recommendations.length, expected.length);
  for (const [at, pattern] of expected.entries()) match(recommendations[at], pattern);
});

Deno.test("kafka-mcp://health-check calls a cluster with groups healthy when these are not behind", async () => {
  const { document } = await read(URI, {
    ...ORDERS,
    groups: [group("fine"), group("idle", { state: "Empty" })],
    commits: { fine: [commit("orders", 0, 40_000n)] },
  });
  equal(document.overall_status, "healthy");
  equal(document.consumer_status.status, "healthy");
  deepEqual(document.recommendations, []);
});

Deno.test("kafka-mcp://health-check lists groups that never committed apart, and does not warn of them", async () => {
  const { document } = await read(URI, {
    ...ORDERS,
    groups: [group("fresh", { members: [member("m", { topic: "orders", partition: 0 })] })],
  });
  equal(document.overall_status, "healthy");
  const { never_committed_groups, high_lag_groups } = document.consumer_status;
  deepEqual(never_committed_groups, ["fresh"]);
  deepEqual(high_lag_groups, []);
});

Deno.test("kafka-mcp://health-check does not say of a group that commits some partitions that it never committed", async () => {
  const places = [0, 1].map((partition) => ({ topic: "orders", partition }));
  const { document } = await read(URI, {
    ...ORDERS,
    groups: [group("half", { members: [member("m", ...places)] })],
    commits: { half: [commit("orders", 0, 50_000n)] },
  });
  deepEqual(document.consumer_status.never_committed_groups, []);
});

const OVERALL: [what: string, contents: Contents, expected: string][] = [
  ["a group is far behind", {
    groups: [group("late")],
    commits: { late: [commit("orders", 0, 39_999n)] },
  }, "warning"],
  ["a group is behind by no more than the threshold", {
    groups: [group("late")],
    commits: { late: [commit("orders", 0, 40_000n)] },
  }, "healthy"],
  [
    "a broker is away",
    { topics: [topic("orders", 1)], brokers: [broker(1), broker(2)] },
    "warning",
  ],
  ["a partition lacks a replica", {
    topics: [topic("orders", [partition(0, { isr: [1, 2] })])],
  }, "warning"],
  ["a partition has no leader", {
    topics: [topic("orders", [partition(0, { leader: undefined })])],
  }, "critical"],
  ["no controller is told", { controllerId: null }, "unknown"],
  ["nothing is there", { topics: [] }, "healthy"],
];
for (const [what, contents, expected] of OVERALL) {
  Deno.test(`kafka-mcp://health-check is ${expected} when ${what}`, async () => {
    const { document } = await read(URI, { ...ORDERS, ...contents });
    equal(document.overall_status, expected);
  });
}

const REFUSED = new ToolError("You may not look at groups | `x`", "not authorized");
const LATE: Contents = {
  ...ORDERS,
  groups: [group("late")],
  commits: { late: [commit("orders", 0, 0n)] },
};
for (const method of ["groups", "groupDetails", "commits", "offsets"] as (keyof Cluster)[]) {
  Deno.test(`kafka-mcp://health-check says why it knows nothing of groups when ${method}() is refused, and claims no health`, async () => {
    const contents = { ...LATE, failing: { [method]: REFUSED } };
    const { document } = await read(URI, contents);
    deepEqual(document.consumer_status, { status: "unknown", reason: REFUSED.message });
    equal(document.overall_status, "unknown");
    equal(document.partition_status.status, "healthy");
    deepEqual(document.recommendations, []);
    const { text } = await write(PROMPT, contents);
    deepEqual(rowsOf(text).at(-1), [
      "Consumer groups",
      "unknown",
      'could not be seen: `"You may not look at groups \\u007c \\u0060x\\u0060"`',
    ]);
    match(text, /the cluster is \*\*unknown\*\*/);
  });
}

Deno.test("kafka-mcp://health-check still tells what is critical when groups cannot be seen", async () => {
  const { document } = await read(URI, { ...SICK, failing: { groups: REFUSED } });
  equal(document.overall_status, "critical");
});

Deno.test("kafka-mcp://health-check tells the log, and not the caller, what failed beyond words for them", async () => {
  const lines: unknown[][] = [];
  const context: ToolContext = { ...CONTEXT, log: (...line) => void lines.push(line) };
  const failing = { groups: new Error("socket of 192.0.2.7 is gone") };
  const { document } = await read(URI, { ...ORDERS, failing }, {}, context);
  equal(document.consumer_status.status, "unknown");
  ok(!JSON.stringify(document).includes("192.0.2.7"));
  deepEqual(lines, [["error", "part of a report failed", {
    part: "consumer groups",
    error: "Error: socket of 192.0.2.7 is gone",
  }]]);
});

Deno.test("kafka-mcp://health-check reports nothing, and logs nothing, when nobody waits for it", async () => {
  const given = new AbortController();
  given.abort(new Error("given up"));
  const context: ToolContext = {
    ...CONTEXT,
    signal: given.signal,
    log: () => ok(false, "logged"),
  };
  const failing = { groups: new Error("aborted") };
  await rejects(read(URI, { ...ORDERS, failing }, {}, context), /given up/);
});

Deno.test("kafka-mcp://health-check tells why when nothing can be seen of the cluster", async () => {
  const failing = { snapshot: new ToolError("No broker answers", "unreachable") };
  const { told } = await read(URI, { failing });
  equal(told, "No broker answers");
});

Deno.test("kafka-mcp://health-check claims no health of groups when there are too many to look at", async () => {
  const groups = Array.from({ length: MAX_GROUPS + 1 }, (_, at) => group(`g${at}`));
  const { document } = await read(URI, { groups });
  equal(document.consumer_status.status, "unknown");
  equal(document.overall_status, "unknown");
  match(document.consumer_status.truncated, /^groups: 1 of 1001 left out: /);
  const { text } = await write(PROMPT, { groups });
  match(text, /all: 1001; examined: 1000;/);
});

const many = (count: number, end = 50_000n): Contents => {
  const ids = Array.from({ length: count }, (_, at) => `g${at}`);
  return {
    topics: [topic("orders")],
    logs: [{ topic: "orders", partition: 0, end }],
    groups: ids.map((id) => group(id)),
    commits: Object.fromEntries(ids.map((id) => [id, [commit("orders", 0, 0n)]])),
  };
};

Deno.test("kafka-mcp://health-check asks as often for many groups as for one, and says what it left out", async () => {
  deepEqual((await read(URI, many(1))).calls, ALL_CALLS);
  const { document, calls } = await read(URI, many(MAX_LISTED + 4));
  deepEqual(calls, ALL_CALLS);
  const { high_lag_groups, groups_with_high_lag, truncated } = document.consumer_status;
  equal(groups_with_high_lag, MAX_LISTED + 4);
  equal(high_lag_groups.length, MAX_LISTED);
  match(truncated, /^high_lag_groups: 4 of 104 left out: /);
});

Deno.test("kafka_health_check tells parts and groups in Markdown, and asks for an assessment", async () => {
  const { text, calls } = await write(PROMPT, SICK);
  deepEqual(calls, ALL_CALLS);
  match(text, /^# Kafka health check\n\n.* the cluster is \*\*critical\*\*\.\n/);
  deepEqual(rowsOf(text), [
    ["Part", "Status", "Facts"],
    ["---", "---", "---"],
    ["Brokers", "warning", "live: 2; not live: 3"],
    ["Controller", "unknown", "broker: none is known"],
    ["Partitions", "critical", "all: 2; without a leader: 1; under-replicated: 2"],
    [
      "Consumer groups",
      "warning",
      "all: 4; examined: 4; more than 10000 records behind in a partition: 1; never committed: 1",
    ],
    ["Group far behind", "Total lag"],
    ["---", "---"],
    ['`"late"`', "10001"],
  ]);
  match(text, /\n\nNever committed: `"fresh"`\.\n/);
  match(text, /\n- Start consumers .*\n/);
  match(text, /\nAssess .*\.$/);
});

Deno.test("kafka_health_check does not warn because a group exists", async () => {
  const { text } = await write(PROMPT, many(3, 10n));
  match(text, /the cluster is \*\*healthy\*\*/);
  ok(!text.includes("warning"));
});

Deno.test("kafka_health_check shows the first of many, and says of how many", async () => {
  const { text } = await write(PROMPT, many(120));
  match(text, /The table has the first 20 of 120\./);
  ok(text.length < 5000);
});
