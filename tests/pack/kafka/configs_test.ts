import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { ToolError } from "../../../lib/pack.ts";
import { MAX_RESULT_LENGTH } from "../../../lib/pack/cut.ts";
import type { Setting } from "../../../lib/pack/kafka/cluster.ts";
import { configs } from "../../../lib/pack/kafka/configs.ts";
import { callTool, topic } from "./cluster.ts";

function setting(name: string, value: string | undefined, other: Partial<Setting> = {}): Setting {
  const flags = { isDefault: true, isReadOnly: false, isSensitive: false, source: "default" };
  return { name, value, ...flags, ...other };
}

const CONTENTS = {
  topics: [topic("orders"), topic("secret")],
  settings: {
    "topic orders": [
      setting("retention.ms", "1000", { isDefault: false, source: "topic" }),
      setting("cleanup.policy", "delete"),
    ],
    "topic secret": [setting("retention.ms", "1")],
    "topic 1": [],
    "broker 1": [
      setting("ssl.keystore.password", "hunter2", { isSensitive: true, isReadOnly: true }),
      setting("log.dir", undefined),
    ],
  },
};
const describe = (args: Record<string, unknown>, contents: object = CONTENTS) =>
  callTool(configs, "describe_configs", args, contents);
const ORDERS = { resource_type: "topic", resource_name: "orders" };
const BROKER = { resource_type: "broker", resource_name: "1" };

Deno.test("describe_configs() tells settings of a topic by name, and which are its own", async () => {
  const { value, calls } = await describe(ORDERS);
  deepEqual(value, {
    ...ORDERS,
    configs: [
      {
        name: "cleanup.policy",
        value: "delete",
        is_default: true,
        is_read_only: false,
        is_sensitive: false,
        source: "default",
      },
      {
        name: "retention.ms",
        value: "1000",
        is_default: false,
        is_read_only: false,
        is_sensitive: false,
        source: "topic",
      },
    ],
  });
  deepEqual(calls, { snapshot: 1, settings: 1 });
});

Deno.test("describe_configs() never shows the value of a sensitive setting", async () => {
  const { value, asked } = await describe(BROKER);
  ok(!JSON.stringify(value).includes("hunter2"));
  deepEqual((value!.configs as unknown[])[1], {
    name: "ssl.keystore.password",
    value: null,
    is_default: true,
    is_read_only: true,
    is_sensitive: true,
    source: "default",
  });
  deepEqual(asked, [["settings", { type: "broker", name: "1" }, undefined]]);
});

Deno.test("describe_configs() tells a setting without a value, and an empty one apart", async () => {
  const settings = { "broker 1": [setting("a", undefined), setting("b", "")] };
  const { value } = await describe(BROKER, { settings });
  deepEqual((value!.configs as { value: unknown }[]).map(({ value }) => value), [null, ""]);
});

Deno.test("describe_configs() tells only what is asked for, and what there is not", async () => {
  const { value } = await describe({ ...ORDERS, config_keys: ["retention.ms", "retention"] });
  deepEqual((value!.configs as { name: string }[]).map(({ name }) => name), ["retention.ms"]);
  deepEqual(value!.unknown_keys, ["retention"]);
});

Deno.test("describe_configs() tells of a hidden topic what it tells of none", async () => {
  const hidden = await describe({ ...ORDERS, resource_name: "secret" });
  const none = await describe({ ...ORDERS, resource_name: "nothing" });
  match(hidden.told!, /^There is no topic "secret"/);
  equal(hidden.told!.replace("secret", "X"), none.told!.replace("nothing", "X"));
  deepEqual(hidden.calls, {});
});

for (const resource_name of ["a b", "..", "a/b", "é"]) {
  Deno.test(`describe_configs() does not ask for a topic ${resource_name}`, async () => {
    const { told, calls } = await describe({ ...ORDERS, resource_name });
    match(told!, /^There is no topic /);
    deepEqual(calls, {});
  });
}

for (const resource_name of ["-1", "01", "1.0", "orders", " 1", "12345678901"]) {
  Deno.test(`describe_configs() does not ask for a broker ${resource_name}`, async () => {
    const { told, calls } = await describe({ ...BROKER, resource_name });
    match(told!, /^No broker's id is .* See list_brokers$/);
    deepEqual(calls, {});
  });
}

Deno.test("describe_configs() does not take a broker's id for a topic's name", async () => {
  const { told } = await describe({ ...BROKER, resource_name: "2" }, {
    settings: { "topic 2": [setting("a", "b")] },
  });
  match(told!, /no broker 2/);
});

Deno.test("describe_configs() tells what Kafka refuses", async () => {
  const failing = { settings: new ToolError("Kafka does not let you", "not authorized") };
  equal((await describe(BROKER, { failing })).told, "Kafka does not let you");
});

Deno.test("describe_configs() says what it left out", async () => {
  const many = Array.from({ length: 300 }, (_, at) => setting(`key-${at}`, "x".repeat(1000)));
  const { value } = await describe(BROKER, { settings: { "broker 1": many } });
  match(String(value!.truncated), /of 300 left out: ask for some config_keys/);
  ok(JSON.stringify(value).length < MAX_RESULT_LENGTH + 1000);
});

const BAD: Record<string, unknown>[] = [
  {},
  { resource_type: "group", resource_name: "a" },
  { resource_type: "topic" },
  { ...ORDERS, resource_name: "" },
  { ...ORDERS, resource_name: "x".repeat(250) },
  { ...ORDERS, config_keys: [] },
  { ...ORDERS, config_keys: [""] },
  { ...ORDERS, config_keys: Array.from({ length: 101 }, () => "a") },
  { ...ORDERS, config_keys: "retention.ms" },
  { ...ORDERS, nothing: 1 },
];
for (const args of BAD) {
  Deno.test(`describe_configs() asks nothing with ${JSON.stringify(args).slice(0, 70)}`, async () => {
    const { told, calls } = await describe(args);
    match(told!, /^bad arguments/);
    deepEqual(calls, {});
  });
}
