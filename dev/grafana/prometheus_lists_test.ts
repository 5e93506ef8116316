/**
 * What there is in a real Prometheus.
 *
 * @module
 */

import { deepStrictEqual as deepEqual, match, strictEqual as equal } from "node:assert/strict";
import { startStage, UIDS } from "./prometheus_stage.ts";
import { END, ODD, START, WIDE } from "./samples.ts";

const LISTED = { startRfc3339: `${START}`, endRfc3339: `${END}` };

Deno.test("the tools list what is in a real Prometheus", async (test) => {
  await using stage = await startStage();
  const { call, valueOf, toldBy } = stage;

  for (const text of ODD) {
    await test.step(`a label with the value ${JSON.stringify(text)} is found by it`, async () => {
      const found = async (type: string, value: string) => {
        const matches = [{ filters: [{ name: "text", type, value }] }];
        const args = { labelName: "text", matches, ...LISTED };
        return (await valueOf("list_prometheus_label_values", args)).values;
      };
      const others = ODD.filter((one) => one !== text).toSorted();
      const expression = text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
      deepEqual(await found("=", text), [text]);
      deepEqual(await found("=~", expression), [text]);
      deepEqual((await found("!=", text) as string[]).toSorted(), others);
      deepEqual((await found("!~", expression) as string[]).toSorted(), others);
      const names = await valueOf("list_prometheus_label_names", {
        matches: [{ filters: [{ name: "text", value: text }] }],
        ...LISTED,
      });
      deepEqual(names.labels, ["__name__", "text"]);
    });
  }

  await test.step("values come as far as the limit, and any of the selectors selects", async () => {
    const args = { labelName: "n", limit: 1000, ...LISTED };
    const all = await valueOf("list_prometheus_label_values", args);
    equal((all.values as string[]).length, 1000);
    match(all.truncated as string, new RegExp(`^${WIDE - 1000} of ${WIDE} left out`));
    const matches = ["7", "8"].map((value) => ({ filters: [{ name: "n", value }] }));
    const some = await valueOf("list_prometheus_label_values", { ...args, matches });
    deepEqual(some, { values: ["7", "8"] });
    const names = await valueOf("list_prometheus_label_names", { limit: 1, ...LISTED });
    deepEqual(names, { labels: ["__name__"], truncated: names.truncated });
    match(names.truncated as string, /^4 of 5 left out/);
  });

  await test.step("a time without data has no labels, and says so", async () => {
    const before = { startRfc3339: `${START - 7200}`, endRfc3339: `${START - 3600}` };
    for (
      const [tool, args] of [
        ["list_prometheus_label_names", {}],
        ["list_prometheus_label_values", { labelName: "text" }],
        ["list_prometheus_metric_names", {}],
      ] as const
    ) {
      match((await valueOf(tool, { ...before, ...args })).hint as string, /There is none/, tool);
    }
  });

  // What is no name to Prometheus is told, or, where it takes any name, nothing has it.
  for (const labelName of ["a/b", "a b", "http.status", "größe", 'a"b', "a\nb", "%2F", "a?b#c"]) {
    for (const datasourceUid of UIDS) {
      await test.step(`no label is named ${JSON.stringify(labelName)} in "${datasourceUid}"`, async () => {
        const args = { datasourceUid, labelName, ...LISTED };
        const { value, told } = await call("list_prometheus_label_values", args);
        deepEqual(value?.values ?? [], []);
        match(told ?? value!.hint as string, /refuses this: invalid label name|There is none/);
      });
    }
  }

  const NAMES: [regex: string, metrics: string[]][] = [
    ["_bucket$", ["shop_seconds_bucket"]],
    ["^odd|^wide", ["odd", "wide"]],
    ["SECONDS_C", []],
    ["(?i)SECONDS_C", ["shop_seconds_count"]],
    ["^(s+)+_?[a-z]+_?(sum)+$", []],
    ['"|\\n', []],
    ["", ["odd", "shop_seconds_bucket", "shop_seconds_count", "shop_seconds_sum", "wide"]],
  ];
  for (const [regex, metrics] of NAMES) {
    await test.step(`metrics are found by ${JSON.stringify(regex)}`, async () => {
      const found = await valueOf("list_prometheus_metric_names", { regex, ...LISTED });
      deepEqual([found.metrics, found.total], [metrics, metrics.length]);
    });
  }

  await test.step("an expression that cannot be read is told in words", async () => {
    for (const regex of ["(", "a**", "(?=a)"]) {
      match(await toldBy("list_prometheus_metric_names", { regex }), /refuses this: .*regexp/);
    }
  });

  await test.step("metadata comes as far as the limit", async () => {
    const { metadata, truncated } = await valueOf("list_prometheus_metric_metadata", { limit: 3 });
    equal(Object.keys(metadata as object).length, 3);
    match(truncated as string, /raise limit/);
    const none = await valueOf("list_prometheus_metric_metadata", { metric: "no such/metric" });
    deepEqual([none.metadata, none.truncated], [{}, undefined]);
    match(none.hint as string, /There is none/);
  });
});
