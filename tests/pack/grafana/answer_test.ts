import { match, ok, strictEqual as equal, throws } from "node:assert/strict";
import { ToolError } from "../../../lib/pack.ts";
import { type ApiAnswer, judge, readJson } from "../../../lib/pack/grafana/answer.ts";

const REQUEST = { method: "POST", path: "/api/dashboards/db" };

function answerOf(status: number, body: unknown, contentType = "application/json"): ApiAnswer {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return { status, contentType, bytes: new TextEncoder().encode(text) };
}

function toldBy(answer: ApiAnswer): ToolError {
  try {
    judge(answer, REQUEST);
  } catch (error) {
    ok(error instanceof ToolError);
    return error;
  }
  throw new TypeError("Cannot tell: nothing was refused");
}

Deno.test("judge() passes every good answer as it is", () => {
  for (const status of [200, 201, 202, 204, 207]) {
    const answer = answerOf(status, { message: "fine" });
    equal(judge(answer, REQUEST), answer);
  }
});

const PERMISSION =
  "You'll need additional permissions to perform this action. Permissions needed: dashboards:write";

const TOLD: [status: number, told: RegExp][] = [
  [302, /^Grafana sends this request elsewhere, as to a login page\. Its URL may be wrong\./],
  [400, /^Grafana refuses POST \/api\/dashboards\/db with status 400\./],
  [401, /^Grafana does not accept who you are\. It may not know you, or not trust your token\./],
  [403, /^Grafana does not let you do this\./],
  [404, /^Grafana has nothing at POST \/api\/dashboards\/db\./],
  [409, /^It was changed by somebody else, or exists already\. Read it again first\./],
  [412, /^It was changed by somebody else, or exists already\. Read it again first\./],
  [429, /^Grafana is asked too often\. Wait a little\./],
  [500, /^Grafana failed with status 500\./],
  [503, /^Grafana failed with status 503\./],
  [0, /^Grafana refuses POST \/api\/dashboards\/db with status 0\./],
];
for (const [status, told] of TOLD) {
  Deno.test(`judge() tells ${status} in words, with Grafana's own behind them`, () => {
    const bare = toldBy(answerOf(status, {}));
    match(bare.message, told);
    ok(!bare.message.includes("Grafana says"));
    equal(bare.reason, `grafana ${status}`);
    const { message, reason } = toldBy(answerOf(status, { message: PERMISSION }));
    equal(message, `${bare.message} Grafana says: ${PERMISSION}`);
    equal(reason, `grafana ${status}`, "what Grafana says may quote what was asked");
  });
}

Deno.test("judge() hears Grafana under both names that it has for a message", () => {
  match(toldBy(answerOf(400, { error: "bad query" })).message, /Grafana says: bad query$/);
  match(toldBy(answerOf(400, { error: "b", message: "m" })).message, /Grafana says: m$/);
  match(toldBy(answerOf(400, { error: "b", message: "" })).message, /Grafana says: b$/);
});

Deno.test("judge() tells no more than 500 characters of Grafana's", () => {
  const { message } = toldBy(answerOf(403, { message: "x".repeat(10_000) }));
  equal(message, `Grafana does not let you do this. Grafana says: ${"x".repeat(500)}`);
});

const SILENT: [what: string, body: unknown, contentType?: string][] = [
  ["a web page", "<html>Log in</html>", "text/html"],
  ["JSON that says it is a page", { message: "no" }, "text/html"],
  ["a page that says it is JSON", "<html>"],
  ["nothing", ""],
  ["null", null],
  ["a list", ["no"]],
  ["a text", '"no"'],
  ["a message that is none", { message: { text: "no" } }],
  ["bytes of no text", "\ufffd\ufffd", "application/octet-stream"],
];
for (const [what, body, contentType] of SILENT) {
  Deno.test(`judge() tells a refusal without Grafana's words when they are ${what}`, () => {
    equal(toldBy(answerOf(403, body, contentType)).message, "Grafana does not let you do this.");
  });
}

Deno.test("readJson() reads JSON, whatever type it is said to have", () => {
  for (const type of ["application/json", "text/plain", "", "text/html"]) {
    equal(readJson(answerOf(200, "7", type)), 7);
  }
});

Deno.test("readJson() knows a login page when it sees one", () => {
  throws(() => readJson(answerOf(200, "<!doctype html>", "text/html; charset=utf-8")), (error) => {
    ok(error instanceof ToolError);
    match(error.message, /^A web page came back.*login.*Check GRAFANA_URL$/);
    return true;
  });
});

Deno.test("readJson() quotes nothing of what it cannot read", () => {
  for (const body of ["", "private words", '{"a":']) {
    throws(() => readJson(answerOf(200, body)), (error) => {
      ok(error instanceof ToolError);
      equal(error.message, "Grafana's answer is not JSON");
      return true;
    });
  }
});
