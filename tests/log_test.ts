import {
  deepStrictEqual as deepEqual,
  doesNotThrow,
  match,
  ok,
  strictEqual as equal,
} from "node:assert/strict";
import fc from "fast-check";
import { logger, type LogOptions } from "../lib/log.ts";
import { type Fields, LEVELS } from "../lib/ports.ts";
import { fakePorts } from "./fakes.ts";
import { forge, leaks } from "./tokens.ts";

const TIME = "2027-01-15T08:00:00.000Z";
const FORMATS = ["text", "json"] as const;
const TOKEN = forge({});
const JWE = ["eyJhbGciOiJSU0EtT0FFUCJ9", ..."bcde"].map((part) => part.padEnd(24, part)).join(".");
// Without an encrypted key there is nothing between the first two dots (RFC 7516 section 4.5).
const DIRECT = JWE.replace(/\.[^.]*/, ".");
const DETACHED = TOKEN.replace(/\.[^.]*/, ".");
const PRETTY = forge({ headerText: '{\n  "alg": "HS256"\n}' });
const TABBED = forge({ headerText: '{\t"alg": "HS256"}' });

/** A log and its lines. */
function logTo(options: Partial<LogOptions> = {}) {
  const lines: string[] = [];
  const log = logger({
    level: "debug",
    format: "json",
    wallMs: () => Date.parse(TIME),
    write: (line) => lines.push(line),
    ...options,
  });
  return { lines, log };
}

/** The one line of an event, in each format. */
function linesOf(fields: Fields): Record<(typeof FORMATS)[number], string> {
  const [text, json] = FORMATS.map((format) => {
    const { lines, log } = logTo({ format });
    log("info", "event", fields);
    equal(lines.length, 1);
    return lines[0]!;
  });
  return { text: text!, json: json! };
}

for (const [index, least] of LEVELS.entries()) {
  Deno.test(`logger() writes ${LEVELS.slice(index)} when the level is ${least}`, () => {
    const { lines, log } = logTo({ level: least });
    for (const level of LEVELS) log(level, "event");
    deepEqual(lines.map((line) => JSON.parse(line).level), LEVELS.slice(index));
  });
}

Deno.test("logger() writes an event as JSON with its time, level and fields", () => {
  const { lines, log } = logTo();
  log("warn", "token refused", {
    reason: "expired",
    secondsAgo: 30,
    expected: ["a"],
    no: undefined,
  });
  equal(
    lines[0],
    `{"time":"${TIME}","level":"warn","event":"token refused",` +
      '"reason":"expired","secondsAgo":30,"expected":["a"]}\n',
  );
});

Deno.test("logger() writes an event as text with its time, level and fields", () => {
  const { lines, log } = logTo({ format: "text" });
  log("warn", "token refused", { reason: "expired", ago: 30, expected: ["a b"], no: undefined });
  log("error", "plain");
  deepEqual(lines, [
    `${TIME} WARN  token refused reason=expired ago=30 expected=["a b"]\n`,
    `${TIME} ERROR plain\n`,
  ]);
});

const TEXT_VALUES: readonly (readonly [value: unknown, shown: string])[] = [
  ["plain", "plain"],
  ["https://a.example:8080/b@c+d", "https://a.example:8080/b@c+d"],
  ["two words", '"two words"'],
  ["", '""'],
  ["a=b", '"a=b"'],
  ['say "hi"', '"say \\"hi\\""'],
  ["line\nlevel=ERROR", '"line\\nlevel=ERROR"'],
  ["tab\tcarriage\r", '"tab\\tcarriage\\r"'],
  ["\x1b[31mred", '"\\u001b[31mred"'],
  [true, "true"],
  [null, "null"],
  [{ a: "b c" }, '{"a":"b c"}'],
];
for (const [value, shown] of TEXT_VALUES) {
  Deno.test(`logger() shows ${JSON.stringify(value)} as ${shown} in text`, () => {
    equal(linesOf({ value }).text, `${TIME} INFO  event value=${shown}\n`);
  });
}

const NAMES = [
  ...["authorization", "Authorization", "cookie", "token", "access_token", "refresh_token"],
  ...["id_token", "code", "client_secret", "secret", "password", "assertion", "client_assertion"],
  ...["code_verifier", "args", "arguments", "body"],
  // The same as headers, in the plural, and as this language writes them.
  ...["set-cookie", "cookies", "proxy-authorization", "requestState", "request_state"],
  ...["accessToken", "refreshToken", "clientSecret", "apiKey", "api_key", "private_key"],
];
for (const name of NAMES) {
  Deno.test(`logger() drops a field named ${name} (SPEC A4.5)`, () => {
    const { text, json } = linesOf({ [name]: "s3cr3t-of-someone", kept: 1 });
    equal(text, `${TIME} INFO  event kept=1\n`);
    equal(json, `{"time":"${TIME}","level":"info","event":"event","kept":1}\n`);
  });
}

const NESTED: readonly (readonly [where: string, fields: Fields])[] = [
  ["a field of a field", { request: { headers: { authorization: "s3cr3t-of-someone" } } }],
  ["a list", { sent: [{ access_token: "s3cr3t-of-someone" }] }],
];
for (const [where, fields] of NESTED) {
  Deno.test(`logger() drops a secret in ${where} (SPEC A4.5)`, () => {
    for (const line of Object.values(linesOf(fields))) ok(!line.includes("s3cr3t-of-someone"));
  });
}

const KEPT = ["user", "tool", "reason", "expected", "tokens", "encoder", "status", "path"];
for (const name of KEPT) {
  Deno.test(`logger() keeps a field named ${name}`, () => {
    equal(JSON.parse(linesOf({ [name]: "value" }).json)[name], "value");
  });
}

const HIDING: readonly (readonly [where: string, fields: Fields, token: string])[] = [
  ["a text", { error: TOKEN }, TOKEN],
  ["the middle of a text", { error: `Cannot verify "${TOKEN}": it is bad` }, TOKEN],
  ["a path", { path: `/mcp/${TOKEN}/x` }, TOKEN],
  ["a text twice", { error: `${TOKEN},${TOKEN}` }, TOKEN],
  ["a text after a letter", { error: `x${TOKEN}` }, TOKEN],
  ["a text that is then cut", { error: `${"x ".repeat(500)}${TOKEN}` }, TOKEN],
  ["a list", { actual: ["a", TOKEN] }, TOKEN],
  ["a field of a field", { deep: { er: { or: TOKEN } } }, TOKEN],
  ["an error", { error: new Error(TOKEN) }, TOKEN],
  ["a text, without its signature", { error: TOKEN.replace(/[^.]*$/, "") }, TOKEN],
  ["a text, encrypted", { error: JWE }, JWE],
  ["a text, encrypted under a shared key", { error: DIRECT }, DIRECT],
  ["a text, with a detached payload", { error: DETACHED }, DETACHED],
  ["a text, with a header on two lines", { error: PRETTY }, PRETTY],
  ["a text, with a header that begins with a tab", { error: TABBED }, TABBED],
  ["the name of a field", { [TOKEN]: 1 }, TOKEN],
];
for (const [where, fields, token] of HIDING) {
  Deno.test(`logger() cuts a token out of ${where} (SPEC A4.5)`, () => {
    for (const line of Object.values(linesOf(fields))) deepEqual(leaks(line, token), []);
  });
}

const INNOCENT = [
  "https://keycloak.mycompany.example/realms/one",
  "grafana-production.monitoring.svc.cluster.local",
  "com.example-corp.identity-provider",
  "lib/provider/keycloak.something.ts",
  "2026-07-28.12345678.release",
];
for (const text of INNOCENT) {
  Deno.test(`logger() keeps "${text}", which is no token`, () => {
    equal(JSON.parse(linesOf({ text }).json).text, text);
  });
}

for (const [name, size, cut] of [["keeps", 1024, 1024], ["cuts", 1025, 1024]] as const) {
  Deno.test(`logger() ${name} a text of ${size} characters`, () => {
    const { text } = JSON.parse(linesOf({ text: "x".repeat(size) }).json);
    equal(text, "x".repeat(cut) + (size > cut ? "…" : ""));
  });
}

Deno.test("logger() writes no line much longer than its fields may be", () => {
  const long = "x".repeat(100_000);
  for (const fields of [{ long }, { long: [long] }, { long: { long } }]) {
    for (const line of Object.values(linesOf(fields))) ok(line.length < 5000, `${line.length}`);
  }
});

Deno.test("logger() keeps time, level and event when fields have their names", () => {
  const { time, level, event } = JSON.parse(
    linesOf({ time: "never", level: "debug", event: "forged" }).json,
  );
  deepEqual({ time, level, event }, { time: TIME, level: "info", event: "event" });
});

const circle: Record<string, unknown> = {};
circle.circle = circle;
const AWKWARD: readonly (readonly [name: string, value: unknown])[] = [
  ["a big integer", 1n],
  ["a circle", circle],
  ["an object that will not be JSON", { toJSON: () => fail() }],
  ["a function", fail],
  ["a symbol", Symbol("s")],
  ["half a character", "\ud800"],
  ["NaN", NaN],
];
function fail(): never {
  throw new Error("Cannot be written");
}
for (const [name, value] of AWKWARD) {
  Deno.test(`logger() never throws when a field is ${name}`, () => {
    doesNotThrow(() => linesOf({ value }));
  });
}

for (const part of ["a-", "eyJ", "eyJhbGci.", "a.", "-.", "eyJhbGci-", "a"]) {
  Deno.test(`logger() writes a path of "${part}" again and again at once (SPEC A4.1)`, () => {
    const { log } = logTo();
    const start = performance.now();
    // As long as the path of a request may be that a host lets through.
    log("info", "request", { path: "/" + part.repeat(32 * 1024 / part.length) });
    ok(performance.now() - start < 1000, "A path takes more than a second");
  });
}

// Whatever ends a line or moves the cursor for a terminal, a pager or a collector.
const LINE_BREAKERS = /[\p{Cc}\p{Zl}\p{Zp}]/u;

Deno.test("logger() writes one line per event, whatever the fields hold (SPEC A4.5)", () => {
  const value = fc.oneof(
    fc.string({ unit: "binary", maxLength: 50 }),
    fc.constantFrom("\n", "\r\n", "\u2028", "\u0085", "\x9b31m", "\x1b[2J", '"', "a=b", TOKEN, JWE),
    fc.jsonValue({ maxDepth: 2 }),
  );
  const name = fc.constantFrom("user", "reason", "actual", "token", "client_secret", "code");
  const property = (fields: Fields) => {
    const { text, json } = linesOf(fields);
    for (const line of [text, json]) {
      equal(line.indexOf("\n"), line.length - 1);
      deepEqual(leaks(line, TOKEN, JWE), []);
    }
    equal(
      LINE_BREAKERS.test(text.slice(0, -1)),
      false,
      "A line has characters that are not for printing",
    );
    match(text, /^\S+ INFO {2}event(?: (?:user|reason|actual)=.*)*\n$/);
    const { time, level, event, ...rest } = JSON.parse(json);
    deepEqual({ time, level, event }, { time: TIME, level: "info", event: "event" });
    const kept = Object.keys(fields).filter((name) => ["user", "reason", "actual"].includes(name));
    deepEqual(Object.keys(rest).sort(), kept.sort());
  };
  fc.assert(fc.property(fc.dictionary(name, value), property), { seed: 1, numRuns: 500 });
});

Deno.test("fakePorts() logs as a collector would get it", () => {
  const { lines, log } = fakePorts();
  log("debug", "event", { token: TOKEN, user: "alice" });
  deepEqual(lines, [`{"time":"${TIME}","level":"debug","event":"event","user":"alice"}\n`]);
});
