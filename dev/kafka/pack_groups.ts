/**
 * Consumer groups and how far they are behind, through the pack, against a real Kafka.
 *
 * @module
 */

import {
  deepStrictEqual as deepEqual,
  match,
  rejects,
  strictEqual as equal,
} from "node:assert/strict";
import { until } from "../keycloak/wait.ts";
import type { RunningTool } from "./tools.ts";
import { makeTopics, PATIENCE_MS } from "./pack_stand.ts";
import type { Stand } from "./pack_steps.ts";

/** What `describe_consumer_group` yields. */
export interface Described {
  readonly group_id: string;
  readonly state: string;
  readonly type?: string;
  readonly member_count: number;
  readonly members: readonly {
    readonly client_id: string;
    readonly client_host: string;
    readonly assigned: readonly { readonly topic: string; readonly partitions: number[] }[];
  }[];
  readonly total_lag?: number | null;
  readonly never_committed_partitions_count?: number;
  readonly offsets?: readonly {
    readonly topic: string;
    readonly partition: number;
    readonly commit_offset: number | null;
    readonly end_offset: number | null;
    readonly lag: number | null;
    readonly status: string;
  }[];
}

interface LagReport {
  readonly lag_threshold: number;
  readonly group_count: number;
  readonly group_summary: readonly {
    readonly group_id: string;
    readonly total_lag: number | null;
    readonly has_high_lag: boolean;
  }[];
  readonly high_lag_details: readonly { readonly group_id: string; readonly lag: number }[];
  readonly never_committed_groups: readonly string[];
}

const TOPIC = "zebra-lag";
const RECORDS = [5, 3] as const;

const quietly = (name: string, value: string) => ["--consumer-property", `${name}=${value}`];

/** Sets what a group has committed, without ever being a member of it. */
export function commit(
  { kafka }: Pick<Stand, "kafka">,
  group: string,
  to: "--to-earliest" | "--to-latest",
  ...topics: readonly string[]
): Promise<string> {
  return kafka.run("kafka-consumer-groups", [
    ...["--group", group, "--reset-offsets", to, "--execute"],
    ...topics.flatMap((topic) => ["--topic", topic]),
  ]);
}

/** Groups of each kind are listed and described as what they are, with lag that is right. */
export async function groups(stand: Stand): Promise<void> {
  const { kafka, alice } = stand;
  await makeTopics(kafka, { name: TOPIC, brokers: [[1, 2, 3], [2, 3, 1]] });
  await Promise.all(RECORDS.flatMap((count, partition) =>
    Array.from({ length: count }, () => {
      return alice.ask("produce_message", { topic: TOPIC, partition, value: "quokka" });
    })
  ));
  const consumer = (group: string, ...more: readonly string[]): RunningTool =>
    kafka.start("kafka-console-consumer", [
      ...["--topic", TOPIC, "--from-beginning", "--group", group],
      ...more,
    ]);
  await using _never = consumer("tapir-never", ...quietly("enable.auto.commit", "false"));
  await using _modern = consumer(
    "tapir-modern",
    ...quietly("group.protocol", "consumer"),
    ...quietly("auto.commit.interval.ms", "100"),
  );
  await commit(stand, "tapir-idle", "--to-latest", TOPIC);
  await commit(stand, "tapir-behind", "--to-earliest", TOPIC);
  const described = (group_id: string) =>
    alice.ask<Described>("describe_consumer_group", { group_id, include_offsets: true });
  await until("both read", PATIENCE_MS, async () => {
    const { groups } = await alice.ask<{ groups: { group_id: string; state: string }[] }>(
      "list_consumer_groups",
      { filter: "tapir-" },
    );
    if (groups.filter(({ state }) => state === "Stable").length < 2) return false;
    return (await described("tapir-modern")).total_lag === 0;
  });

  const listed = await alice.ask<{ groups: unknown[] }>("list_consumer_groups", {
    filter: "tapir-",
  });
  deepEqual(listed.groups, [
    { group_id: "tapir-behind", state: "Empty", type: "classic" },
    { group_id: "tapir-idle", state: "Empty", type: "classic" },
    { group_id: "tapir-modern", state: "Stable", type: "consumer" },
    { group_id: "tapir-never", state: "Stable", type: "classic" },
  ]);
  const facts = async (id: string) => {
    const { state, type, members, total_lag, never_committed_partitions_count, offsets } =
      await described(id);
    return {
      is: [state, type],
      assigned: members.map(({ client_id, assigned }) => [client_id, assigned]),
      lag: [total_lag, never_committed_partitions_count],
      offsets: offsets!.map((one) => [one.partition, one.commit_offset, one.lag, one.status]),
    };
  };
  const member = ["console-consumer", [{ topic: TOPIC, partitions: [0, 1] }]];
  deepEqual(await facts("tapir-behind"), {
    is: ["Empty", "classic"],
    assigned: [],
    lag: [8, 0],
    offsets: [[0, 0, 5, "ok"], [1, 0, 3, "ok"]],
  });
  const readAll = { lag: [0, 0], offsets: [[0, 5, 0, "ok"], [1, 3, 0, "ok"]] };
  deepEqual(await facts("tapir-idle"), { is: ["Empty", "classic"], assigned: [], ...readAll });
  deepEqual(await facts("tapir-modern"), {
    is: ["Stable", "consumer"],
    assigned: [member],
    ...readAll,
  });
  deepEqual(await facts("tapir-never"), {
    is: ["Stable", "classic"],
    assigned: [member],
    lag: [null, 2],
    offsets: [[0, null, null, "never_committed"], [1, null, null, "never_committed"]],
  });
  const brief = await alice.ask<Described>("describe_consumer_group", { group_id: "tapir-idle" });
  equal(brief.offsets, undefined);
  match(
    await alice.refusal("describe_consumer_group", { group_id: "tapir-absent" }),
    /^There is no consumer group "tapir-absent"/,
  );
  await reports(stand);
}

/** The report tells of the same groups, as a resource and as a prompt. */
async function reports({ alice }: Stand): Promise<void> {
  const report = async (query: string) => {
    const found = await alice.read<LagReport>(`kafka-mcp://consumer-lag-report${query}`);
    const own = found.group_summary.filter(({ group_id }) => group_id.startsWith("tapir-"));
    return {
      threshold: found.lag_threshold,
      own: own.map(({ group_id, total_lag, has_high_lag }) => [group_id, total_lag, has_high_lag]),
      high: found.high_lag_details.map(({ group_id, lag }) => [group_id, lag]),
      never: found.never_committed_groups,
    };
  };
  const summary = (isHigh: boolean) => [
    ["tapir-behind", 8, isHigh],
    ["tapir-idle", 0, false],
    ["tapir-modern", 0, false],
    ["tapir-never", null, false],
  ];
  const { own, ...low } = await report("");
  deepEqual(low, { threshold: 1000, high: [], never: ["tapir-never"] });
  deepEqual(own.sort(), summary(false));
  const strict = await report("?threshold=3");
  deepEqual([strict.threshold, strict.high], [3, [["tapir-behind", 5]]]);
  deepEqual(strict.own.sort(), summary(true));
  const lagging = await alice.write("kafka_consumer_lag_report", { threshold: "3" });
  match(lagging, /\| `"tapir-behind"` \| `"zebra-lag"` \| 0 \| 0 \| 5 \| 5 \|/);
  match(lagging, /Never committed[^\n]*tapir-never/);
  const calm = await alice.write("kafka_consumer_lag_report");
  match(calm, /More than 1000 records behind in a partition: 0\./);
  for (const threshold of ["-1", "many", "1.5"]) {
    await rejects(
      () => alice.read(`kafka-mcp://consumer-lag-report?threshold=${threshold}`),
      /digits/,
    );
    await rejects(() => alice.write("kafka_consumer_lag_report", { threshold }), /digits/);
  }
}

interface Configs {
  readonly configs: readonly {
    readonly name: string;
    readonly value: string | null;
    readonly is_default: boolean;
    readonly is_sensitive: boolean;
    readonly source: string;
  }[];
  readonly unknown_keys?: readonly string[];
}

/** Settings tell where they come from, and keep what is sensitive. @param secret Of every broker. */
export async function configs({ kafka, alice }: Stand, secret: string): Promise<void> {
  await makeTopics(kafka, {
    name: "zebra-set",
    brokers: [[1, 2, 3]],
    configs: { "max.message.bytes": "500000" },
  });
  const ask = (resource_type: string, resource_name: string, ...config_keys: string[]) =>
    alice.ask<Configs>("describe_configs", {
      resource_type,
      resource_name,
      ...(config_keys.length > 0 && { config_keys }),
    });
  const retention = async () => {
    const { configs: [found] } = await ask("topic", "zebra-set", "retention.ms");
    return found!;
  };
  const { is_default, source } = await retention();
  deepEqual([is_default, source], [true, "default"]);
  const change = ["--entity-type", "topics", "--entity-name", "zebra-set", "--alter"];
  await kafka.run("kafka-configs", [...change, "--add-config", "retention.ms=1234567"]);
  await until("it is changed", PATIENCE_MS, async () => (await retention()).value === "1234567");
  const changed = await retention();
  deepEqual([changed.is_default, changed.source], [false, "topic"]);
  const two = await ask("topic", "zebra-set", "max.message.bytes", "no.such.setting");
  deepEqual(two.configs.map(({ name, value, is_default }) => [name, value, is_default]), [
    ["max.message.bytes", "500000", false],
  ]);
  deepEqual(two.unknown_keys, ["no.such.setting"]);

  for (const broker of ["1", "2", "3"]) {
    const { configs } = await ask("broker", broker);
    const named = new Map(configs.map((one) => [one.name, one]));
    equal(named.get("node.id")!.value, broker);
    equal(named.get("node.id")!.source, "static broker");
    const hidden = named.get("ssl.keystore.password")!;
    deepEqual([hidden.value, hidden.is_sensitive, hidden.is_default], [null, true, false]);
    equal(JSON.stringify(configs).includes(secret), false);
  }
  for (
    const [type, name, words] of [
      ["broker", "9", /No broker 9 lives/],
      ["broker", "one", /No broker's id is "one"/],
      ["topic", "zebra-absent", /There is no topic "zebra-absent"/],
    ] as const
  ) {
    match(
      await alice.refusal("describe_configs", { resource_type: type, resource_name: name }),
      words,
    );
  }
}
