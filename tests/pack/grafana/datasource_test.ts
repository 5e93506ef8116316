import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { KNOWN_SECONDS } from "../../../lib/pack/grafana/datasource.ts";
import { prometheus } from "../../../lib/pack/grafana/prometheus.ts";
import { NOW } from "../../fakes.ts";
import { ALICE, type Answers, callTool, newGrafana } from "./grafana.ts";

const SOURCE = { uid: "prom", name: "Metrics", type: "prometheus", jsonData: {} };
const R = "/api/datasources/uid/prom/resources/api/v1";
const RESULT = {
  status: "success",
  data: { resultType: "vector", result: [{ metric: {}, value: [1, "1"] }] },
};
const DATA = RESULT.data.result;

const base = { "GET /api/datasources/uid/prom": SOURCE };
const query = (answers: Answers, datasourceUid = "prom") =>
  callTool(prometheus, "query_prometheus", {
    datasourceUid,
    expr: "up",
    queryType: "instant",
  }, { ...base, ...answers });

const OTHERS = ["loki", "tempo", "stackdriver", "alertmanager", "victoriametrics-logs-datasource"];
for (const type of OTHERS) {
  Deno.test(`query_prometheus() refuses a data source of type ${type}, and does not query it`, async () => {
    const { asked, told } = await query({
      "GET /api/datasources/uid/prom": { ...SOURCE, type },
      [`POST ${R}/query`]: RESULT,
    });
    ok(told!.includes(`"prom" is of type ${type}, not Prometheus`), told);
    equal(asked.length, 1);
  });
}

const COMPATIBLE = [
  "grafana-amazonprometheus-datasource",
  "grafana-azureprometheus-datasource",
  "victoriametrics-metrics-datasource",
];
for (const type of COMPATIBLE) {
  Deno.test(`query_prometheus() queries a data source of type ${type}`, async () => {
    const { value } = await query({
      "GET /api/datasources/uid/prom": { ...SOURCE, type },
      [`POST ${R}/query`]: RESULT,
    });
    deepEqual(value!.data, DATA);
  });
}

Deno.test("query_prometheus() finds the type for a viewer, who may not read data sources", async () => {
  const denied = Response.json({ message: "Permission denied" }, { status: 403 });
  const { value } = await query({
    "GET /api/datasources/uid/prom": denied,
    "GET /api/frontend/settings": {
      datasources: { Metrics: { ...SOURCE, id: 1, jsonData: { httpMethod: "GET" } } },
    },
    [`GET ${R}/query`]: RESULT,
  });
  deepEqual(value!.data, DATA);
});

Deno.test("query_prometheus() points to list_datasources when there is no such data source", async () => {
  const { asked, told } = await query({}, "a/x");
  match(told!, /no data source with the uid "a\/x".*list_datasources/);
  equal(asked[0]!.path, "/api/datasources/uid/a%2Fx");
});

Deno.test("query_prometheus() looks a data source up once a minute per caller", async () => {
  const answers = { ...base, [`POST ${R}/query`]: RESULT };
  let now = NOW;
  const grafana = { ...newGrafana(answers), now: () => now };
  const tool = prometheus(grafana).find(({ name }) => name === "query_prometheus")!;
  const ask = async (token: string) => {
    const before = grafana.asked.length;
    await tool.run(tool.input.parse({ datasourceUid: "prom", expr: "up", queryType: "instant" }), {
      identity: { ...ALICE, token },
      signal: new AbortController().signal,
      log: () => {},
      progress: () => Promise.resolve(),
    });
    return grafana.asked.length - before;
  };
  deepEqual([await ask("alice"), await ask("alice")], [2, 1]);
  deepEqual([await ask("bob"), await ask("alice")], [2, 1]);
  now += KNOWN_SECONDS;
  equal(await ask("alice"), 2);
});
