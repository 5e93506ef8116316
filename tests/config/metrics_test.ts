import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { configure } from "../../lib/config.ts";

const read = (text?: string) =>
  configure({
    flags: {},
    env: text === undefined ? {} : { MCP_METRICS_LISTEN: text },
    readFile: () => "",
  });

for (
  const [text, expected] of [
    [undefined, undefined],
    ["127.0.0.1:9464", { host: "127.0.0.1", port: 9464 }],
    ["localhost:1", { host: "localhost", port: 1 }],
    ["0.0.0.0:65535", { host: "0.0.0.0", port: 65535 }],
    ["[::1]:9464", { host: "::1", port: 9464 }],
    ["[::]:9464", { host: "::", port: 9464 }],
  ] as const
) {
  Deno.test(`configure() takes ${text ?? "nothing"} as the address for metrics`, () => {
    const configured = read(text);
    ok(configured.ok);
    deepEqual(configured.config.metrics, expected);
  });
}

for (
  const text of [
    "9464",
    ":9464",
    "127.0.0.1",
    "127.0.0.1:",
    "127.0.0.1:0",
    "127.0.0.1:65536",
    "127.0.0.1:09464",
    "127.0.0.1:9464/metrics",
    "http://127.0.0.1:9464",
    "::1:9464",
    "[::1:9464",
    "a b:1",
    "on",
  ]
) {
  Deno.test(`configure() refuses "${text}" as the address for metrics`, () => {
    const configured = read(text);
    ok(!configured.ok);
    const [problem, ...more] = configured.problems;
    equal(more.length, 0);
    equal(problem?.where, "MCP_METRICS_LISTEN");
    match(problem?.fix ?? "", /127\.0\.0\.1:9464/);
  });
}
