import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { organization, type OrganizationOptions } from "../../lib/acting/organization.ts";
import { ToolError } from "../../lib/pack.ts";
import { bearerHeader, modernCall, sign, subject } from "../fakes.ts";
import { person } from "./people.ts";

const BOTH = { orgId: "3", orgClaim: "org" };
const CLAIM = { orgClaim: "org" };

const FOUND: [
  what: string,
  options: OrganizationOptions,
  claims: Record<string, unknown>,
  org: string | undefined,
][] = [
  ["none where nothing is set", {}, { org: 7 }, undefined],
  ["that of the configuration", { orgId: "3" }, { org: 7 }, "3"],
  ["that of the claim, a number", CLAIM, { org: 7 }, "7"],
  ["that of the claim, a text", CLAIM, { org: "7" }, "7"],
  ["that of the claim over the configuration's", BOTH, { org: 7 }, "7"],
  ["the configuration's without the claim", BOTH, { other: 7 }, "3"],
  ["the configuration's for what claims inherit", { ...BOTH, orgClaim: "constructor" }, {}, "3"],
];
for (const [what, options, claims, org] of FOUND) {
  Deno.test(`organization() yields ${what}`, () => {
    equal(organization(options)(person("alice", { claims })), org);
  });
}

Deno.test("organization() yields that of the configuration where there are no callers", () => {
  equal(organization(BOTH)(undefined), "3");
  equal(organization(CLAIM)(undefined), undefined);
});

function refusalOf(options: OrganizationOptions, claims: Record<string, unknown>): ToolError {
  try {
    const org = organization(options)(person("alice", { claims }));
    throw new Error(`Cannot go on: it yielded ${org}`);
  } catch (error) {
    ok(error instanceof ToolError, String(error));
    return error;
  }
}

for (const orgClaim of ["org", "constructor", "__proto__", "toString"]) {
  Deno.test(`organization() refuses a caller without the claim ${orgClaim} when there is no other`, () => {
    const { message, reason } = refusalOf({ orgClaim }, { sub: "alice" });
    match(message, /^Your login does not say which organization of Grafana.*Ask whoever runs/);
    equal(reason, "organization claim absent");
  });
}

const MALFORMED: unknown[] = [
  "",
  " ",
  "main",
  "7 ",
  "+7",
  "-7",
  "7.5",
  "0x7",
  "07",
  "0",
  "7\r\nx: y",
  "7\n",
  "٧",
  "1234567890123456789",
  0,
  -7,
  7.5,
  1e21,
  // Not what the issuer wrote: the nearest number that there is.
  9007199254740992,
  null,
  true,
  [],
  [7],
  ["7"],
  { org: 7 },
  { toString: "7" },
];
for (const org of MALFORMED) {
  Deno.test(`organization() never takes the claim ${JSON.stringify(org)} for its absence`, () => {
    for (const options of [BOTH, CLAIM]) {
      const { message, reason } = refusalOf(options, { org });
      match(message, /^Your login names an organization.*Ask whoever runs this server$/);
      equal(reason, "organization claim malformed");
    }
  });
}

const PROGRAM: [
  what: string,
  env: Record<string, string>,
  claims: Record<string, unknown>,
  asked: string[],
  told: RegExp,
][] = [
  ["the claim", {}, { org: 7 }, ["7"], /"folders":\[\]/],
  ["GRAFANA_ORG_ID without the claim", { GRAFANA_ORG_ID: "3" }, {}, ["3"], /"folders":\[\]/],
  ["nothing without either", {}, {}, [], /does not say which organization/],
  ["nothing for a malformed claim", { GRAFANA_ORG_ID: "3" }, { org: [7] }, [], /by something else/],
];
for (const [what, env, claims, asked, told] of PROGRAM) {
  Deno.test(`packsOf() asks Grafana by ${what} where GRAFANA_ORG_CLAIM is set`, async () => {
    const seen: (string | null)[] = [];
    const { app, ports, send } = await subject(
      { GRAFANA_URL: "https://grafana.example", GRAFANA_ORG_CLAIM: "org", ...env },
      undefined,
      ({ headers }) => {
        seen.push(headers.get("x-grafana-org-id"));
        return Promise.resolve(Response.json([]));
      },
    );
    const headers = bearerHeader(await sign(claims));
    const params = { name: "search_folders", arguments: {} };
    const response = await send("/mcp", modernCall("tools/call", params, headers));
    const { result } = await response.json();
    await app.close();
    deepEqual(seen, asked);
    match(result.content[0].text, told);
    equal(result.isError ?? false, asked.length === 0);
    equal(ports.lines.some((line) => line.includes("organization claim")), asked.length === 0);
  });
}
