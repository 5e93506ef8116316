/**
 * What the tool list costs a model, which reads all of it in every conversation.
 *
 * The measure is Grafana's own MCP server: of its version of 21 August 2026 (commit c6e492b), built
 * and started with `-t stdio` and nothing else, `tools/list` has 68 tools in 86,870 characters of
 * JSON: 1,277 on average, without output schemas, which it has none of. The 29 tools that both have
 * take 49,651 there. Characters are those of the JSON without white space.
 */

import { ok, strictEqual as equal } from "node:assert/strict";
import { serverFactory } from "../../../lib/mcp/server.ts";
import { grafana } from "../../../lib/pack/grafana.ts";
import { tracer } from "../../../lib/trace.ts";
import { fakePorts } from "../../fakes.ts";
import { type Message, post, stage } from "../../mcp/helpers.ts";
import { newGrafana } from "./grafana.ts";

/** Characters per tool of the measure, on average. */
const REFERENCE_AVERAGE = 1277;

/** Most that one tool may take, with its output schema. */
const MOST = 6000;

/** The tool list as it goes over the wire. */
async function listed(readOnly: boolean): Promise<Message[]> {
  const direct = { identity: undefined, trace: tracer(fakePorts())() };
  const info = { name: "test", title: "Test", version: "0.0.1" };
  const newServer = serverFactory([grafana(newGrafana({}, readOnly))], info, direct);
  const { send } = await stage({ OAUTH_ENABLED: "off" }, newServer);
  const response = await send("/mcp", post({ era: "2026-07-28", method: "tools/list" }));
  return (await response.json()).result.tools;
}

const sizeOf = (value: unknown) => JSON.stringify(value).length;
const sum = (sizes: readonly number[]) => sizes.reduce((total, one) => total + one, 0);

Deno.test("grafana() takes fewer characters per tool than Grafana's own server, output schemas aside", async () => {
  const tools = await listed(false);
  const rows = tools.map((one) => {
    const { outputSchema, ...rest } = one;
    return { name: one.name as string, size: sizeOf(rest), output: sizeOf(outputSchema) };
  });
  const bare = sum(rows.map(({ size }) => size));
  const whole = sizeOf(tools);
  const lines = rows.map(({ name, size, output }) => `${`${size}`.padStart(6)} +${output} ${name}`);
  const total = `${whole} characters for ${tools.length} tools; without output schemas ${bare}`;
  Deno.stderr.writeSync(new TextEncoder().encode(`${[...lines, total].join("\n")}\n`));
  ok(bare / tools.length < REFERENCE_AVERAGE, `${bare / tools.length} on average`);
  ok(whole / tools.length < 1.5 * REFERENCE_AVERAGE, `${whole / tools.length} on average`);
  for (const { name, size, output } of rows) {
    ok(size + output < MOST, `${name} takes ${size + output}`);
  }
});

Deno.test("grafana() lists fewer and smaller tools where nothing may be written", async () => {
  const [all, reading] = await Promise.all([listed(false), listed(true)]);
  ok(reading.length < all.length);
  ok(sizeOf(reading) < sizeOf(all));
  for (const { name, annotations } of reading) equal(annotations.readOnlyHint, true, name);
});

Deno.test("grafana() describes each tool in a title and a sentence or three", async () => {
  for (const { name, title, description } of await listed(false)) {
    ok(title.length <= 40, `the title of ${name} has ${title.length} characters`);
    ok(
      description.length <= 400,
      `the description of ${name} has ${description.length} characters`,
    );
    ok(/\.$/.test(description), `the description of ${name} ends without a full stop`);
  }
});
