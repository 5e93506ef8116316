import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { app } from "../../lib/app.ts";
import { COOL_DOWN_SECONDS, FRESH_SECONDS, RETRY_SECONDS } from "../../lib/provider/oidc.ts";
import {
  bearerHeader,
  fakePorts,
  legacyCall,
  modernCall,
  ORIGIN,
  RESOURCE,
  testConfig,
} from "../fakes.ts";
import { CLIENT, type IssuerOptions, privateKey, SELF, startIssuer } from "./issuer.ts";

const ASKING = { OIDC_CLIENT_ID: SELF.id, OIDC_CLIENT_SECRET: SELF.secret };

/** The real program, with the host's own `fetch`, before an issuer that runs. */
async function start(
  env: Record<string, string> = {},
  options: IssuerOptions & { down?: true } = {},
) {
  const issuer = await startIssuer(options);
  issuer.setUp(!options.down);
  let ahead = 0;
  const fake = fakePorts((request) => fetch(request));
  const ports = { ...fake, now: () => Math.floor(Date.now() / 1000) + ahead };
  const config = testConfig({ OAUTH_PROVIDER: "oidc", OIDC_ISSUER: issuer.url, ...env });
  const program = await app(config, ports);
  const send = (path: string, init: RequestInit = {}) => {
    const headers = new Headers(init.headers);
    headers.set("host", "localhost:8080");
    return program.fetch(new Request(new URL(path, ORIGIN), { ...init, headers }));
  };
  const ready = await send("/readyz");
  equal(ready.status, options.down ? 503 : 200);
  return {
    issuer,
    lines: fake.lines,
    send,
    advance: (seconds: number) => void (ahead += seconds),
    call: (token: string, request = legacyCall) =>
      send("/mcp", request("tools/call", { name: "whoami", arguments: {} }, bearerHeader(token))),
    async [Symbol.asyncDispose]() {
      await program.close();
      await issuer[Symbol.asyncDispose]();
    },
  };
}

async function caller(response: Response): Promise<Record<string, unknown>> {
  const text = await response.text();
  equal(response.status, 200, text);
  return JSON.parse(text).result.structuredContent;
}

async function statusOf(answer: Promise<Response>): Promise<number> {
  const response = await answer;
  await response.body?.cancel();
  return response.status;
}

async function json(answer: Response | Promise<Response>): Promise<Record<string, unknown>> {
  return await (await answer).json();
}

Deno.test("app() leads a client from its 401 to the issuer, and knows who comes back (SPEC A2.3, A4.1)", async () => {
  await using at = await start();
  const refused = await at.send("/mcp", legacyCall("tools/list"));
  equal(refused.status, 401);
  const [, link] = /resource_metadata="([^"]+)"/.exec(refused.headers.get("www-authenticate")!)!;
  const { resource, authorization_servers } = await json(at.send(new URL(link!).pathname));
  deepEqual([resource, authorization_servers], [RESOURCE, [at.issuer.url]]);

  const tokens = await at.issuer.logIn("openid mcp:read mcp:write", resource as string);
  for (const request of [legacyCall, modernCall]) {
    const { expires_at, ...who } = await caller(await at.call(tokens.access_token, request));
    deepEqual(who, {
      authenticated: true,
      subject: "ada-7",
      username: "ada@acme.example",
      email: "ada@acme.example",
      name: "Ada Lovelace",
      roles: ["admin"],
      scopes: ["mcp:read", "mcp:write"],
      issuer: at.issuer.url,
    });
    ok(Math.abs(Date.parse(expires_at as string) - Date.now() - 3_600_000) < 30_000);
  }
  equal(at.lines.join("").includes(tokens.access_token), false);
  deepEqual(at.issuer.asked.toSorted(), [
    "/.well-known/openid-configuration",
    "/.well-known/openid-configuration",
    "/jwks",
  ]);
});

Deno.test("app() relays the issuer's documents as they are, to any web page (SPEC A2.10, B1.3, B1.4)", async () => {
  await using at = await start();
  const published = await json(fetch(`${at.issuer.url}/.well-known/openid-configuration`));
  equal(published.issuer, at.issuer.url);
  for (
    const path of [
      "/.well-known/oauth-authorization-server",
      "/.well-known/oauth-authorization-server/mcp",
      "/.well-known/openid-configuration",
      "/.well-known/openid-configuration/mcp",
      "/mcp/.well-known/openid-configuration",
    ]
  ) {
    const response = await at.send(path, { headers: { origin: "https://app.example" } });
    equal(response.headers.get("access-control-allow-origin"), "*");
    deepEqual(await json(response), published);
  }
  const keys = await json(fetch(`${at.issuer.url}/jwks`));
  deepEqual(await json(at.send("/.well-known/jwks.json")), keys);
});

Deno.test("app() asks for the scopes that every call needs, and lets in who has them (SPEC A3.3, A3.5)", async () => {
  await using at = await start({ OAUTH_SCOPES_REQUIRED: "mcp:write" });
  const { access_token: reader } = await at.issuer.logIn("openid mcp:read", RESOURCE);
  const refused = await at.call(reader);
  equal(refused.status, 403);
  await refused.body?.cancel();
  match(refused.headers.get("www-authenticate")!, /error="insufficient_scope".*scope="mcp:write"/);
  const { access_token: writer } = await at.issuer.logIn("openid mcp:read mcp:write", RESOURCE);
  deepEqual((await caller(await at.call(writer))).scopes, ["mcp:read", "mcp:write"]);
});

const NAMES: readonly (readonly [claim: string, username: string])[] = [
  ["preferred_username", "ada"],
  ["name", "Ada Lovelace"],
  ["nothing_like_it", "ada-7"],
];

Deno.test("app() takes the username from the claim that the operator names (SPEC A4.1)", async () => {
  for (const [claim, username] of NAMES) {
    await using at = await start({ OAUTH_USERNAME_CLAIM: claim });
    const { access_token } = await at.issuer.logIn("openid mcp:read", RESOURCE);
    equal((await caller(await at.call(access_token))).username, username);
  }
});

Deno.test("app() accepts its audiences and no other (SPEC A4.2)", async () => {
  const second = "https://second.example/mcp";
  await using at = await start({ OIDC_AUDIENCE: `${RESOURCE}, ${second}` });
  for (
    const [resource, status] of [[RESOURCE, 200], [second, 200], [
      "https://third.example",
      401,
    ]] as const
  ) {
    const { access_token } = await at.issuer.logIn("openid mcp:read", resource);
    equal(await statusOf(at.call(access_token)), status, resource);
  }
  match(at.lines.join(""), /"reason":"audience","actual":\["https:\/\/third\.example"\]/);
});

Deno.test("app() keeps out whom the operator does not know, without asking for another token (SPEC A3.10)", async () => {
  for (
    const [rule, status] of [
      ["domain:acme.example", 200],
      ["group:admin", 200],
      ["user:ada-7", 200],
      ["domain:other.example,group:owner,user:ada", 403],
    ] as const
  ) {
    await using at = await start({ OAUTH_ALLOW: rule });
    const { access_token } = await at.issuer.logIn("openid mcp:read", RESOURCE);
    const response = await at.call(access_token);
    equal(response.status, status, rule);
    equal(response.headers.get("www-authenticate"), null);
    const body = await json(response);
    if (status === 403) equal(body.error, "access_denied");
  }
});

Deno.test("app() refuses an ID token, even where its audience is the client (SPEC A4.6)", async () => {
  await using at = await start({ OIDC_AUDIENCE: `${RESOURCE}, ${CLIENT}` });
  const { id_token } = await at.issuer.logIn("openid mcp:read", RESOURCE);
  equal(await statusOf(at.call(id_token!)), 401);
});

Deno.test("app() follows its issuer to a new key while the old one is still published (SPEC A4.6)", async () => {
  await using at = await start();
  const [old, next] = [await privateKey("old"), await privateKey("next")];
  await at.issuer.rotate(old);
  at.advance(COOL_DOWN_SECONDS);
  const before = await at.issuer.logIn("openid mcp:read", RESOURCE);
  equal(await statusOf(at.call(before.access_token)), 200);
  await at.issuer.rotate(next, old);
  at.advance(COOL_DOWN_SECONDS);
  const after = await at.issuer.logIn("openid mcp:read", RESOURCE);
  equal(await statusOf(at.call(after.access_token)), 200);
  at.advance(300);
  equal(await statusOf(at.call(before.access_token)), 200);
});

Deno.test("app() follows its issuer to a new key that replaces the old one (SPEC A4.6)", async () => {
  await using at = await start();
  const before = await at.issuer.logIn("openid mcp:read", RESOURCE);
  equal(await statusOf(at.call(before.access_token)), 200);
  await at.issuer.rotate(await privateKey("next"));
  const after = await at.issuer.logIn("openid mcp:read", RESOURCE);
  at.advance(COOL_DOWN_SECONDS);
  equal(await statusOf(at.call(after.access_token)), 200);
  at.advance(300);
  equal(await statusOf(at.call(before.access_token)), 401);
});

Deno.test("app() starts without its issuer, says so, and recovers by itself (SPEC A3.1)", async () => {
  await using at = await start({}, { down: true });
  equal((await at.send("/.well-known/oauth-authorization-server")).status, 503);
  equal((await at.send("/.well-known/oauth-protected-resource")).status, 200);
  equal((await at.send("/mcp", legacyCall("tools/list"))).status, 401);
  at.issuer.setUp(true);
  const { access_token } = await at.issuer.logIn("openid mcp:read", RESOURCE);
  const waiting = await at.call(access_token);
  deepEqual([waiting.status, waiting.headers.get("retry-after")], [503, "5"]);
  equal(waiting.headers.get("www-authenticate"), null);
  at.advance(RETRY_SECONDS);
  equal(await statusOf(at.call(access_token)), 200);
  equal((await at.send("/readyz")).status, 200);
});

Deno.test("app() goes on while its issuer is down, with tokens that it has never seen", async () => {
  await using at = await start();
  const one = await at.issuer.logIn("openid mcp:read", RESOURCE);
  const other = await at.issuer.logIn("openid mcp:read", RESOURCE);
  equal(await statusOf(at.call(one.access_token)), 200);
  at.issuer.setUp(false);
  at.advance(FRESH_SECONDS);
  for (const { access_token } of [one, other]) equal(await statusOf(at.call(access_token)), 200);
  equal((await at.send("/readyz")).status, 200);
  equal((await at.send("/.well-known/oauth-authorization-server")).status, 200);
  const isTold = () => at.lines.some((line) => line.includes("issuer not found"));
  for (let waits = 0; waits < 2000 && !isTold(); waits++) {
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  ok(isTold(), "Nobody asked again");
});

Deno.test("app() asks its issuer about tokens that say nothing (SPEC A4.6)", async () => {
  await using at = await start(ASKING, { format: "opaque" });
  const { access_token } = await at.issuer.logIn("openid mcp:read", RESOURCE);
  equal(access_token.includes("."), false);
  const who = await caller(await at.call(access_token));
  deepEqual([who.subject, who.scopes, who.username], ["ada-7", ["mcp:read"], "ada@acme.example"]);
  equal(await statusOf(at.call(access_token)), 200);
  equal(at.issuer.asked.filter((path) => path === "/token/introspection").length, 1);
  equal(await statusOf(at.call("nobody-issued-this")), 401);
  const { access_token: elsewhere } = await at.issuer.logIn("openid mcp:read", "https://x.example");
  equal(await statusOf(at.call(elsewhere)), 401);
  at.issuer.setUp(false);
  equal(await statusOf(at.call(access_token)), 200);
  equal(await statusOf(at.call("nobody-issued-that")), 503);
  at.advance(300);
  equal(await statusOf(at.call(access_token)), 503);
  const log = at.lines.join("");
  for (const secret of [access_token, elsewhere, SELF.secret]) equal(log.includes(secret), false);
});

Deno.test("app() refuses a refresh token, which its issuer says is active (SPEC A4.2, A4.6)", async () => {
  await using at = await start({ ...ASKING, OIDC_AUDIENCE: CLIENT }, { format: "opaque" });
  const tokens = await at.issuer.logIn("openid offline_access");
  equal(await statusOf(at.call(tokens.access_token)), 200);
  equal(await statusOf(at.call(tokens.refresh_token!)), 401);
});

Deno.test("app() refuses opaque tokens when it may not ask (SPEC A4.6)", async () => {
  await using at = await start({}, { format: "opaque" });
  const { access_token } = await at.issuer.logIn("openid mcp:read", RESOURCE);
  equal(await statusOf(at.call(access_token)), 401);
});
