/**
 * Queries of a real Prometheus.
 *
 * @module
 */

import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { MAX_POINTS } from "../../lib/pack/grafana/span.ts";
import { type Args, startStage, UIDS } from "./prometheus_stage.ts";
import { END, ODD, START, WIDE } from "./samples.ts";

const HOUR = { startTime: `${START}`, endTime: `${END}` };
const LISTED = { startRfc3339: `${START}`, endRfc3339: `${END}` };

interface Series {
  readonly metric: Record<string, string>;
  readonly value: [number, string];
  readonly values: [number, string][];
}

Deno.test("the tools query a real Prometheus", async (test) => {
  await using stage = await startStage();
  const { prometheus, valueOf, toldBy } = stage;
  const seriesOf = async (args: Args) =>
    (await valueOf("query_prometheus", { endTime: `${END}`, ...args })).data as Series[];
  const instant = (expr: string, more: Args = {}) =>
    seriesOf({ expr, queryType: "instant", ...more });

  for (const datasourceUid of UIDS) {
    await test.step(`every tool works through the data source "${datasourceUid}"`, async () => {
      deepEqual(await instant("sum(odd)", { datasourceUid }), [
        { metric: {}, value: [END, `${ODD.length}`] },
      ]);
      const [range] = await seriesOf({ datasourceUid, expr: "count(odd)", startTime: `${START}` });
      equal(range!.values.length, 241);
      const { data } = await valueOf("query_prometheus_histogram", {
        datasourceUid,
        metric: "shop_seconds",
        percentile: 50,
        ...HOUR,
      });
      equal((data as Series[]).length, 1);
      const listed = { datasourceUid, ...LISTED };
      deepEqual(
        (await valueOf("list_prometheus_metric_names", { ...listed, regex: "^odd$" })).metrics,
        ["odd"],
      );
      const metric = "prometheus_build_info";
      const { metadata } = await valueOf("list_prometheus_metric_metadata", {
        datasourceUid,
        metric,
      });
      equal((metadata as Record<string, { type: string }[]>)[metric]![0]!.type, "gauge");
      deepEqual(
        (await valueOf("list_prometheus_label_names", listed)).labels,
        ["__name__", "le", "n", "route", "text"],
      );
      deepEqual(
        (await valueOf("list_prometheus_label_values", { ...listed, labelName: "route" })).values,
        ["/a/b"],
      );
    });
  }

  await test.step("a range has the points that were asked for, in steps that fit", async () => {
    const result = await valueOf("query_prometheus", { expr: "shop_seconds_count", ...HOUR });
    equal(result.stepSeconds, 15);
    const [{ values }] = result.data as [Series];
    deepEqual([values[0], values[4], values.at(-1)], [
      [START, "0"],
      [START + 60, "100"],
      [END, "6000"],
    ]);
  });

  await test.step("scalars and texts are shown", async () => {
    deepEqual(await instant("1 + 1"), [{ metric: {}, value: [END, "2"] }]);
    deepEqual(await instant('"a\\n🙂"'), [{ metric: {}, value: [END, "a\n🙂"] }]);
    deepEqual((await instant("-1/0 * odd"))[0]!.value[1], "-Inf");
  });

  const WRONG: [expr: string, more: Args, told: RegExp][] = [
    ["sum(", {}, /refuses this: .*parse error.*unclosed left parenthesis/],
    ["odd{text=~`(`}", {}, /refuses this: .*missing closing \)/],
    ["rate(odd)", {}, /refuses this: .*expected type range vector/],
    ["{text=~`.*`}", {}, /refuses this: .*at least one non-empty matcher/],
    ["odd[5m]", { queryType: "range" }, /refuses this: .*invalid expression type "range vector"/],
    ["odd + on() odd", {}, /refuses this: .*duplicate series/],
    ["nothing_known_here()", {}, /refuses this: .*unknown function/],
  ];
  for (const [expr, more, told] of WRONG) {
    for (const datasourceUid of ["posted", "got-proxied"]) {
      await test.step(`${expr} is refused in words by "${datasourceUid}"`, async () => {
        const args = { datasourceUid, expr, queryType: "instant", endTime: `${END}`, ...more };
        match(await toldBy("query_prometheus", args), told);
      });
    }
  }

  await test.step("what matches nothing is told with a hint", async () => {
    const { data, hint } = await valueOf("query_prometheus", { expr: "missing", ...HOUR });
    deepEqual(data, []);
    match(hint as string, /Nothing matches from .*list_prometheus_metric_names/);
  });

  await test.step("a long result is cut between series", async () => {
    const { data, truncated } = await valueOf("query_prometheus", { expr: "wide", ...HOUR });
    const shown = (data as Series[]).length;
    ok(shown > 0 && shown < WIDE);
    match(truncated as string, new RegExp(`^${WIDE - shown} of ${WIDE} left out: aggregate`));
  });

  await test.step("Prometheus takes as many steps as a range may have, and no more", async () => {
    const endTime = `${START + MAX_POINTS}`;
    const args = { expr: "vector(1)", startTime: `${START}`, endTime, stepSeconds: 1 };
    const { data } = await valueOf("query_prometheus", args);
    equal((data as Series[])[0]!.values.length, MAX_POINTS + 1);
    const query = `query=1&start=${START}&end=${START + MAX_POINTS + 1}&step=1`;
    const refused = await fetch(`${prometheus.origin}/api/v1/query_range?${query}`);
    equal(refused.status, 400);
    match(await refused.text(), /11,000 points/);
  });

  await test.step("a long expression goes both ways", async () => {
    const expr = `sum(odd)${"\n+ 0".repeat(2400)}`;
    for (const datasourceUid of UIDS) {
      equal((await instant(expr, { datasourceUid }))[0]!.value[1], `${ODD.length}`);
    }
  });

  for (const [percentile, seconds] of [[0, 0], [25, 0.05], [50, 0.1], [75, 0.3], [99.9, 0.4992]]) {
    await test.step(`the ${percentile}th percentile of a histogram is ${seconds}`, async () => {
      const result = await valueOf("query_prometheus_histogram", {
        metric: "shop_seconds_bucket",
        percentile,
        labels: 'route="/a/b", route!~"\\"|\\n"',
        startTime: `${START + 600}`,
        endTime: `${END}`,
      });
      equal(result.stepSeconds, 60);
      const [{ values }] = result.data as [Series];
      equal(values.length, 51);
      for (const [, value] of values) ok(Math.abs(Number(value) - seconds!) < 1e-9, value);
      const again = await seriesOf({ expr: result.query, ...HOUR });
      equal(again.length, 1);
    });
  }

  await test.step("a histogram that is none is told with a hint, a bad selector in words", async () => {
    const args = { metric: "odd", percentile: 50, ...HOUR };
    match((await valueOf("query_prometheus_histogram", args)).hint as string, /no observations/);
    match(
      await toldBy("query_prometheus_histogram", { ...args, labels: "route=/a/b" }),
      /refuses this: .*parse error/,
    );
  });

  for (const text of ODD) {
    await test.step(`series with the label ${JSON.stringify(text)} are found by it`, async () => {
      for (const datasourceUid of UIDS) {
        const expr = `odd{text=${JSON.stringify(text)}}`;
        deepEqual((await instant(expr, { datasourceUid })).map(({ metric }) => metric), [
          { __name__: "odd", text },
        ]);
      }
    });
  }

  await test.step("what only Prometheus' own clock has is found at that time", async () => {
    const now = `${Math.ceil(Date.now() / 1000)}`;
    const [up] = await instant("up", { endTime: now });
    deepEqual([up!.metric.job, up!.value[1]], ["prometheus", "1"]);
  });

  await test.step("a Prometheus that is away is told", async () => {
    await prometheus.stop();
    match(await toldBy("query_prometheus", { expr: "up" }), /status 502/);
  });
});
