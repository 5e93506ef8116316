import { ok, strictEqual as equal } from "node:assert/strict";
import {
  averageOf,
  grafanaTools,
  REFERENCE_AVERAGE,
  sizesOf,
} from "../../../dev/bench/tool_list.ts";

/** Most that one tool may take, with its output schema. */
const MOST = 6000;

Deno.test("grafana() takes fewer characters per tool than Grafana's own server, output schemas aside", async () => {
  const sizes = sizesOf(await grafanaTools(false));
  const { bare, whole } = averageOf(sizes);
  const lines = sizes.map((one) => `${`${one.bare}`.padStart(6)} of ${one.whole} ${one.name}`);
  const total = `${bare.toFixed(0)} of ${whole.toFixed(0)} per tool, of ${sizes.length} tools`;
  Deno.stderr.writeSync(new TextEncoder().encode(`${[...lines, total].join("\n")}\n`));
  ok(bare < REFERENCE_AVERAGE, `${bare} on average`);
  ok(whole < 1.5 * REFERENCE_AVERAGE, `${whole} on average`);
  for (const one of sizes) ok(one.whole < MOST, `${one.name} takes ${one.whole}`);
});

Deno.test("sizesOf() and averageOf() count characters with and without output schemas", () => {
  const tool = {
    name: "a",
    title: "A",
    description: "é…",
    annotations: { readOnlyHint: true },
    outputSchema: { type: "object" },
  };
  const [one, other] = sizesOf([tool, { ...tool, name: "abc" }]);
  const bare =
    '{"name":"a","title":"A","description":"é…","annotations":{"readOnlyHint":true}}'.length;
  equal(one!.bare, bare);
  equal(one!.whole, bare + ',"outputSchema":{"type":"object"}'.length);
  equal(averageOf([one!, other!]).bare, bare + 1);
  equal(averageOf([one!, other!]).whole, one!.whole + 1);
});

Deno.test("grafana() lists fewer and smaller tools where nothing may be written", async () => {
  const [all, reading] = await Promise.all([grafanaTools(false), grafanaTools(true)]);
  ok(reading.length > 0);
  ok(reading.length < all.length);
  ok(JSON.stringify(reading).length < JSON.stringify(all).length);
  for (const { name, annotations } of reading) equal(annotations.readOnlyHint, true, name);
});

Deno.test("grafana() describes each tool in a title and a sentence or three", async () => {
  for (const { name, title, description } of await grafanaTools(false)) {
    ok(title.length <= 40, `the title of ${name} has ${title.length} characters`);
    ok(
      description.length <= 400,
      `the description of ${name} has ${description.length} characters`,
    );
    ok(/\.$/.test(description), `the description of ${name} ends without a full stop`);
  }
});
