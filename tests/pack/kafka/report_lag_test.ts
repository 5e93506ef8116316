import {
  deepStrictEqual as deepEqual,
  match,
  ok,
  rejects,
  strictEqual as equal,
} from "node:assert/strict";
import { ToolError } from "../../../lib/pack.ts";
import { MAX_GROUPS } from "../../../lib/pack/kafka/group_lags.ts";
import { MAX_LISTED, MAX_PARTITIONS, MAX_TOPICS } from "../../../lib/pack/kafka/report_lag.ts";
import { type Contents, group, partition, topic } from "./cluster.ts";
import { commit, member, read, rowsOf, write } from "./reports.ts";

const URI = "consumer-lag-report";
const PROMPT = "kafka_consumer_lag_report";
const ALL_CALLS = { groups: 1, groupDetails: 1, commits: 1, snapshot: 1, offsets: 2 };

const BUSY: Contents = {
  topics: [topic("orders", 3), topic("secret")],
  logs: [0, 1, 2].map((partition) => ({ topic: "orders", partition, end: 5000n })),
  groups: [
    group("fresh", { members: [member("m", { topic: "orders", partition: 0 })] }),
    group("idle", { state: "Empty" }),
    group("keeps-up", { type: "consumer" }),
    group("late", {
      members: [member("m", ...[0, 1, 2].map((partition) => ({ topic: "orders", partition })))],
    }),
    group("spy", { members: [member("m", { topic: "secret", partition: 0 })] }),
  ],
  commits: {
    "keeps-up": [commit("orders", 0, 4000n), commit("orders", 1, 5000n)],
    late: [commit("orders", 0, 0n), commit("orders", 1, 3999n), commit("gone", 0, 7n)],
    spy: [commit("secret", 0, 0n)],
  },
};

Deno.test("kafka-mcp://consumer-lag-report tells of all groups, those with most lag first, in six calls", async () => {
  const { document, calls } = await read(URI, BUSY);
  deepEqual(calls, ALL_CALLS);
  const { group_summary, ...facts } = document;
  deepEqual(facts, {
    timestamp: "2027-01-15T08:00:00.000Z",
    lag_threshold: 1000,
    group_count: 5,
    examined_group_count: 5,
    groups_with_high_lag: 1,
    partitions_with_high_lag: 2,
    never_committed_group_count: 1,
    high_lag_details: [
      {
        group_id: "late",
        topic: "orders",
        partition: 0,
        current_offset: 0,
        log_end_offset: 5000,
        lag: 5000,
        status: "ok",
      },
      {
        group_id: "late",
        topic: "orders",
        partition: 1,
        current_offset: 3999,
        log_end_offset: 5000,
        lag: 1001,
        status: "ok",
      },
    ],
    never_committed_groups: ["fresh"],
    recommendations: facts.recommendations,
  });
  const nothing = { member_count: 0, topics: [], topic_count: 0, partition_count: 0 };
  const unknown = {
    total_lag: null,
    has_high_lag: false,
    never_committed_partition_count: 0,
    unknown_lag_partition_count: 0,
  };
  deepEqual(group_summary, [
    {
      group_id: "late",
      state: "Stable",
      type: "classic",
      member_count: 1,
      topics: ["gone", "orders"],
      topic_count: 2,
      partition_count: 4,
      total_lag: 6001,
      has_high_lag: true,
      never_committed_partition_count: 1,
      unknown_lag_partition_count: 1,
    },
    {
      group_id: "keeps-up",
      state: "Stable",
      type: "consumer",
      ...nothing,
      ...unknown,
      topics: ["orders"],
      topic_count: 1,
      partition_count: 2,
      total_lag: 1000,
    },
    {
      group_id: "fresh",
      state: "Stable",
      type: "classic",
      ...unknown,
      member_count: 1,
      topics: ["orders"],
      topic_count: 1,
      partition_count: 1,
      never_committed_partition_count: 1,
    },
    { group_id: "idle", state: "Empty", type: "classic", ...nothing, ...unknown },
    { group_id: "spy", state: "Stable", type: "classic", ...nothing, ...unknown, member_count: 1 },
  ]);
});

const THRESHOLDS: [threshold: string, high: string[]][] = [
  ["0", ["late", "keeps-up"]],
  ["999", ["late", "keeps-up"]],
  ["4999", ["late"]],
  ["5000", []],
  ["999999999999999", []],
];
for (const [threshold, high] of THRESHOLDS) {
  Deno.test(`kafka-mcp://consumer-lag-report?threshold=${threshold} finds high lag in ${high.length} groups`, async () => {
    const { document } = await read(URI, BUSY, { threshold });
    equal(document.lag_threshold, Number(threshold));
    equal(document.groups_with_high_lag, high.length);
    const marked = document.group_summary
      .filter((one: { has_high_lag: boolean }) => one.has_high_lag)
      .map((one: { group_id: string }) => one.group_id);
    deepEqual(marked, high);
  });
}

for (const threshold of ["", "-1", "1.5", "1e3", " 1", "٣", "many", "9".repeat(16)]) {
  Deno.test(`kafka-mcp://consumer-lag-report refuses the threshold ${JSON.stringify(threshold)}`, async () => {
    await rejects(read(URI, BUSY, { threshold }), /must be a whole number, in digits/);
    await rejects(write(PROMPT, BUSY, { threshold }), /must be a whole number, in digits/);
  });
}

Deno.test("kafka-mcp://consumer-lag-report refuses parameters that it does not know", async () => {
  await rejects(read(URI, BUSY, { treshold: "5" }), /Unrecognized key/);
});

Deno.test("kafka-mcp://consumer-lag-report takes a partition that was never committed neither for lag nor for none", async () => {
  const { document } = await read(URI, BUSY);
  const fresh = document.group_summary.find((one: { group_id: string }) =>
    one.group_id === "fresh"
  );
  equal(fresh.total_lag, null);
  equal(fresh.has_high_lag, false);
  deepEqual(document.never_committed_groups, ["fresh"]);
});

Deno.test("kafka-mcp://consumer-lag-report survives partitions that nobody leads", async () => {
  const { document } = await read(URI, {
    topics: [topic("orders", [partition(0), partition(1, { leader: undefined })])],
    logs: [{ topic: "orders", partition: 0, end: 10n }],
    groups: [group("late")],
    commits: { late: [commit("orders", 0, 3n), commit("orders", 1, 3n)] },
  });
  const [late] = document.group_summary;
  equal(late.total_lag, 7);
  equal(late.unknown_lag_partition_count, 1);
});

Deno.test("kafka-mcp://consumer-lag-report asks for no lags where there are no groups", async () => {
  const { document, calls } = await read(URI, { topics: [topic("orders")] });
  deepEqual(calls, { groups: 1 });
  equal(document.group_count, 0);
  deepEqual(document.group_summary, []);
  deepEqual(document.recommendations, []);
});

Deno.test("kafka-mcp://consumer-lag-report tells why when the caller may not see groups", async () => {
  const failing = { groups: new ToolError("You may not list groups", "not authorized") };
  const { told } = await read(URI, { failing });
  equal(told, "You may not list groups");
});

const ADVICE: [what: string, contents: Contents, expected: RegExp[]][] = [
  ["consumers for a group that has members", {
    groups: [group("late", { members: [member("m")] })],
    commits: { late: [commit("orders", 0, 0n)] },
  }, [/^Add consumers, .*: 1$/]],
  ["a start of a group that has none", {
    groups: [group("late")],
    commits: { late: [commit("orders", 0, 0n)] },
  }, [/^Start consumers .*: 1$/]],
  ["longer retention where records were lost", {
    groups: [group("late")],
    logs: [{ topic: "orders", partition: 0, start: 10n, end: 20n }],
    commits: { late: [commit("orders", 0, 3n)] },
  }, [/^Keep records for longer.*: 1$/]],
  ["a look at groups that never committed", {
    groups: [group("fresh", { members: [member("m", { topic: "orders", partition: 0 })] })],
  }, [/never committed/]],
  ["nothing where no group is behind", {
    groups: [group("fine"), group("idle")],
    commits: { fine: [commit("orders", 0, 5000n)] },
  }, []],
];
for (const [what, contents, expected] of ADVICE) {
  Deno.test(`kafka-mcp://consumer-lag-report recommends ${what}`, async () => {
    const logs = [{ topic: "orders", partition: 0, end: 5000n }];
    const { document } = await read(URI, { topics: [topic("orders")], logs, ...contents });
    const { recommendations } = document;
    equal(recommendations.length, expected.length, recommendations.join());
    for (const [at, pattern] of expected.entries()) match(recommendations[at], pattern);
  });
}

const many = (count: number): Contents => {
  const ids = Array.from({ length: count }, (_, at) => `g${at}`);
  const wide = Array.from({ length: 30 }, (_, at) => topic(`t${String(at).padStart(2, "0")}`));
  return {
    topics: wide,
    logs: wide.map(({ name }) => ({ topic: name, partition: 0, end: 2000n })),
    groups: ids.map((id) => group(id)),
    commits: Object.fromEntries(
      ids.map((id) => [id, wide.map(({ name }) => commit(name, 0, 0n))]),
    ),
  };
};

Deno.test("kafka-mcp://consumer-lag-report asks as often for many groups as for one, and says what it left out", async () => {
  const one = await read(URI, many(1));
  deepEqual(one.calls, ALL_CALLS);
  equal(one.document.truncated, undefined);
  const { document, calls } = await read(URI, many(MAX_LISTED + 7));
  deepEqual(calls, ALL_CALLS);
  equal(document.group_summary.length, MAX_LISTED);
  equal(document.group_summary[0].topics.length, MAX_TOPICS);
  equal(document.group_summary[0].topic_count, 30);
  equal(document.high_lag_details.length, MAX_PARTITIONS);
  equal(document.partitions_with_high_lag, (MAX_LISTED + 7) * 30);
  match(document.truncated, /group_summary: 7 of 207 left out: .*; high_lag_details: \d+ of 6210 /);
});

Deno.test("kafka-mcp://consumer-lag-report says how many groups it did not look at", async () => {
  const groups = Array.from({ length: MAX_GROUPS + 2 }, (_, at) => group(`g${at}`));
  const { document } = await read(URI, { groups });
  equal(document.group_count, MAX_GROUPS + 2);
  equal(document.examined_group_count, MAX_GROUPS);
  match(document.truncated, /^groups: 2 of 1002 left out: /);
});

Deno.test("kafka_consumer_lag_report tells groups and partitions in Markdown, and asks for an assessment", async () => {
  const { text, calls } = await write(PROMPT, BUSY);
  deepEqual(calls, ALL_CALLS);
  match(
    text,
    /consumer groups: 5, examined: 5\. More than 1000 records behind in a partition: 1\./,
  );
  deepEqual(rowsOf(text), [
    ["Group", "State", "Members", "Partitions", "Total lag", "High lag"],
    ["---", "---", "---", "---", "---", "---"],
    ['`"late"`', '`"Stable"`', "1", "4", "6001", "yes"],
    ['`"keeps-up"`', '`"Stable"`', "0", "2", "1000", "no"],
    ['`"fresh"`', '`"Stable"`', "1", "1", "unknown", "no"],
    ['`"idle"`', '`"Empty"`', "0", "0", "unknown", "no"],
    ['`"spy"`', '`"Stable"`', "1", "0", "unknown", "no"],
    ["Group", "Topic", "Partition", "Committed", "End", "Lag"],
    ["---", "---", "---", "---", "---", "---"],
    ['`"late"`', '`"orders"`', "0", "0", "5000", "5000"],
    ['`"late"`', '`"orders"`', "1", "3999", "5000", "1001"],
  ]);
  match(text, /\n\nNever committed: `"fresh"`\.\n/);
  match(text, /\nAssess .*\.$/);
  ok(!text.includes("secret"));
});

Deno.test("kafka_consumer_lag_report does not fail as soon as a partition is over the threshold", async () => {
  const { text } = await write(PROMPT, BUSY, { threshold: "5" });
  match(text, /More than 5 records behind in a partition: 2\./);
});

Deno.test("kafka_consumer_lag_report shows the first of many, and says of how many", async () => {
  const { text } = await write(PROMPT, many(50));
  match(text, /The table has the first 20 of 50\.[^]*The table has the first 20 of 1500\./);
  ok(text.length < 8000);
});
