import {
  deepStrictEqual as deepEqual,
  match,
  rejects,
  strictEqual as equal,
} from "node:assert/strict";
import { ToolError } from "../../../lib/pack.ts";
import { sourceWays, type Way } from "../../../lib/pack/grafana/datasource_path.ts";
import { ALICE, type Answers, newGrafana } from "./grafana.ts";

const RESOURCES = "/api/datasources/uid/prom/resources/api/v1/labels";
const PROXY = "/api/datasources/proxy/uid/prom/api/v1/labels";
const GOOD = { status: "success", data: ["job"] };

const context = {
  identity: ALICE,
  signal: new AbortController().signal,
  log: () => {},
  progress: () => Promise.resolve(),
};

function asking(usual: Way) {
  const ask = sourceWays(usual);
  return async (answers: Answers, uid = "prom", path = "/api/v1/labels") => {
    const { api, asked } = newGrafana(answers);
    const paths = { resources: path, proxy: path };
    const told = await ask(api(context), { uid, paths }).then(
      (value): { value?: unknown; told?: string } => ({ value }),
      (error) => {
        if (error instanceof ToolError) return { told: error.message };
        throw error;
      },
    );
    return { ...told, paths: asked.map(({ path }) => path) };
  };
}

const refusal = (status: number, message = "no") => Response.json({ message }, { status });
const plain = (status: number, text: string) => new Response(text, { status });

const FIRST: [usual: Way, first: string, second: string][] = [
  ["resources", RESOURCES, PROXY],
  ["proxy", PROXY, RESOURCES],
];
for (const [usual, first, second] of FIRST) {
  Deno.test(`sourceWays() takes ${usual} first, and no other when it is open`, async () => {
    const got = await asking(usual)({ [`GET ${first}`]: GOOD, [`GET ${second}`]: GOOD });
    deepEqual(got, { value: GOOD, paths: [first] });
  });

  for (const status of [401, 403, 404, 500]) {
    Deno.test(`sourceWays() takes the other way when ${usual} answers ${status}, and remembers it`, async () => {
      const ask = asking(usual);
      const answers = { [`GET ${first}`]: refusal(status), [`GET ${second}`]: GOOD };
      deepEqual(await ask(answers), { value: GOOD, paths: [first, second] });
      deepEqual(await ask(answers), { value: GOOD, paths: [second] });
    });
  }
}

Deno.test("sourceWays() remembers per data source", async () => {
  const ask = asking("resources");
  await ask({ [`GET ${RESOURCES}`]: refusal(403), [`GET ${PROXY}`]: GOOD });
  const other = RESOURCES.replace("prom", "other");
  deepEqual((await ask({ [`GET ${other}`]: GOOD }, "other")).paths, [other]);
});

Deno.test("sourceWays() goes back when the way that it remembers is closed, as for another caller", async () => {
  const ask = asking("resources");
  await ask({ [`GET ${RESOURCES}`]: refusal(403), [`GET ${PROXY}`]: GOOD });
  const closed = { [`GET ${PROXY}`]: refusal(403), [`GET ${RESOURCES}`]: GOOD };
  deepEqual((await ask(closed)).paths, [PROXY, RESOURCES]);
  deepEqual((await ask(closed)).paths, [RESOURCES]);
});

Deno.test("sourceWays() tells the first refusal when both ways are closed, and remembers neither", async () => {
  const ask = asking("resources");
  const got = await ask({
    [`GET ${RESOURCES}`]: refusal(403, "You need datasources:query"),
    [`GET ${PROXY}`]: refusal(500, "Something else"),
  });
  match(got.told ?? "", /does not let you.*datasources:query/);
  deepEqual(got.paths, [RESOURCES, PROXY]);
  deepEqual((await ask({ [`GET ${RESOURCES}`]: GOOD })).paths, [RESOURCES]);
});

Deno.test("sourceWays() tells what the data source says when the second way reaches it", async () => {
  const got = await asking("proxy")({
    [`GET ${PROXY}`]: refusal(403),
    [`GET ${RESOURCES}`]: Response.json({ status: "error", error: "parse error" }, { status: 400 }),
  });
  equal(got.told, "The data source refuses this: parse error");
});

const LOGINS: [what: string, answer: () => Response, told: string][] = [
  ["Prometheus' JSON", () => Response.json({ error: "no auth" }, { status: 401 }), ": no auth"],
  ["plain text", () => plain(401, "Unauthorized\n"), ": Unauthorized"],
  ["nothing", () => plain(401, ""), ""],
];
for (const [what, answer, told] of LOGINS) {
  Deno.test(`sourceWays() tells whose login it is when a data source answers 401 with ${what}`, async () => {
    const got = await asking("proxy")({ [`GET ${PROXY}`]: answer() });
    equal(got.told, `The data source does not accept the login that Grafana has for it${told}`);
  });
}

Deno.test("sourceWays() tells when Grafana itself answers 401", async () => {
  const own = Response.json({ message: "Expired", messageId: "session.expired" }, { status: 401 });
  const got = await asking("proxy")({ [`GET ${PROXY}`]: own, [`GET ${RESOURCES}`]: own });
  match(got.told!, /^Grafana does not accept who you are.*Expired$/);
});

const SAID: [what: string, answer: () => Response, told: RegExp][] = [
  [
    "Loki's plain text",
    () => plain(400, "parse error at line 1\n"),
    /refuses this: parse error at line 1$/,
  ],
  [
    "Prometheus's error over anything else",
    () =>
      Response.json({
        status: "error",
        errorType: "execution",
        error: "too many samples",
        message: "Bad",
      }, {
        status: 422,
      }),
    /refuses this: too many samples$/,
  ],
  [
    "plain text of another status",
    () => plain(429, "too many outstanding requests"),
    /status 429: too many/,
  ],
  ["the first 500 characters of a long text", () => plain(400, "x".repeat(9000)), /this: x{500}$/],
  ["a refusal without a text", () => plain(400, ""), /Grafana refuses GET .* with status 400/],
  [
    "a refusal in broken JSON",
    () => new Response("{", { status: 400, headers: { "content-type": "application/json" } }),
    /status 400/,
  ],
  ["that the data source is away", () => refusal(502, "Bad Gateway"), /status 502.*Bad Gateway/],
  [
    "that a web page came",
    () => new Response("<html>", { headers: { "content-type": "text/html" } }),
    /web page/,
  ],
  [
    "that it is sent to a login",
    () => new Response(null, { status: 302, headers: { location: "/login" } }),
    /elsewhere/,
  ],
];
for (const [what, answer, told] of SAID) {
  Deno.test(`sourceWays() tells ${what}, and tries no other way`, async () => {
    const api = newGrafana({ [`GET ${RESOURCES}`]: answer() });
    const paths = { resources: "/api/v1/labels", proxy: "/api/v1/labels" };
    const request = { uid: "prom", paths, idempotent: false };
    await rejects(
      () => sourceWays("resources")(api.api(context), request),
      (error: Error) => error instanceof ToolError && told.test(error.message),
    );
    equal(api.asked.length, 1);
  });
}

Deno.test("sourceWays() tells a web page and does not remember its way", async () => {
  const ask = asking("resources");
  await ask({
    [`GET ${RESOURCES}`]: refusal(403),
    [`GET ${PROXY}`]: new Response("<html>", { headers: { "content-type": "text/html" } }),
  });
  deepEqual((await ask({ [`GET ${RESOURCES}`]: GOOD })).paths, [RESOURCES]);
});

Deno.test("sourceWays() takes only ways that have a path", async () => {
  const { api, asked } = newGrafana({});
  const request = { uid: "prom", paths: { proxy: "/api/v1/labels" } };
  await rejects(() => sourceWays("proxy")(api(context), request), ToolError);
  deepEqual(asked.map(({ path }) => path), [PROXY]);
});

Deno.test("sourceWays() keeps an odd uid within one segment, and refuses one that leads up", async () => {
  const got = await asking("proxy")({}, "a/admin?x#y");
  equal(got.paths[0], "/api/datasources/proxy/uid/a%2Fadmin%3Fx%23y/api/v1/labels");
  deepEqual(await asking("proxy")({}, ".."), {
    told: '".." cannot be part of a path in Grafana',
    paths: [],
  });
});
