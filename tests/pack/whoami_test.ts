import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { whoami } from "../../lib/pack/whoami.ts";
import { NOW, sign, subject } from "../fakes.ts";
import { as, ERAS, type Message, post } from "../mcp/helpers.ts";

const CALL = { method: "tools/call", params: { name: "whoami", arguments: {} } };

const FULL = {
  authenticated: true,
  subject: "alice",
  username: "alice@example.com",
  email: "alice@example.com",
  name: "Alice",
  roles: ["admin"],
  scopes: ["mcp:read"],
  expires_at: new Date((NOW + 600) * 1000).toISOString(),
  issuer: "http://localhost:8080",
};

const BARE = { ...FULL, username: "alice", email: undefined, name: undefined };

const CALLERS: [who: string, claims: Record<string, unknown>, told: Record<string, unknown>][] = [
  ["has every claim", {}, FULL],
  ["has no e-mail and no name", { email: undefined, name: undefined }, BARE],
  ["has an e-mail that is not verified", { email_verified: false, name: undefined }, BARE],
  ["has no roles and no scopes", { roles: undefined, scope: undefined }, {
    ...FULL,
    roles: [],
    scopes: [],
  }],
  ["has markup for a name", { name: '<b>"\u0000' }, { ...FULL, name: '<b>"\u0000' }],
];
for (const era of ERAS) {
  for (const [who, claims, told] of CALLERS) {
    Deno.test(`whoami() tells a caller of ${era} who ${who} what the token says, and not the token (SPEC A4.3, A4.5)`, async () => {
      const { send } = await subject();
      const token = await sign(claims);
      const headers = { authorization: `Bearer ${token}` };
      const response = await send("/mcp", post({ era, ...CALL, headers }));
      const text = await response.text();
      ok(!text.includes(token));
      ok(!text.includes(token.split(".")[2]!));
      const { result }: Message = JSON.parse(text);
      deepEqual(result.structuredContent, JSON.parse(JSON.stringify(told)));
      equal(result.content[0].text, JSON.stringify(result.structuredContent));
    });
  }

  Deno.test(`whoami() tells a caller of ${era} that nobody is known without OAuth`, async () => {
    const { send } = await subject({ OAUTH_ENABLED: "off" });
    const headers = await as("alice");
    const { result }: Message = await (await send("/mcp", post({ era, ...CALL, headers }))).json();
    deepEqual(result.structuredContent, { authenticated: false, roles: [], scopes: [] });
  });
}

Deno.test("whoami() takes no arguments, and says that it changes nothing", () => {
  const { tools: [tool], ready } = whoami();
  deepEqual(tool!.annotations, { readOnlyHint: true, idempotentHint: true, openWorldHint: false });
  equal(tool!.input.safeParse({}).success, true);
  equal(tool!.input.safeParse({ subject: "bob" }).success, false);
  equal(ready(), true);
});

const EXPIRIES: [when: string, exp: number][] = [
  ["soon", NOW + 600],
  ["within a second", NOW + 600.5],
  ["after the year 9999", 10 ** 12],
];
for (const [when, exp] of EXPIRIES) {
  Deno.test(`whoami() answers in the shape that it announces when the token expires ${when}`, async () => {
    const { tools: [tool] } = whoami();
    const { send } = await subject();
    const init = post({ era: "2026-07-28", ...CALL, headers: await as("alice", { exp }) });
    const { result }: Message = await (await send("/mcp", init)).json();
    equal(result.isError, undefined);
    const parsed = tool!.output.safeParse(result.structuredContent);
    ok(parsed.success);
    deepEqual(parsed.data, result.structuredContent, "nothing that was not announced");
  });
}
