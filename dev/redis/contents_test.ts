/**
 * What is in Redis after everything that people and strangers do: sealed, named by ids and digests,
 * and gone in time.
 *
 * @module
 */

import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { ASSERTION_TYPE } from "../../lib/proxy/assertion.ts";
import { TURN_SECONDS } from "../../lib/proxy/renewal.ts";
import { PREFIX } from "../../lib/store/redis.ts";
import { SECRET } from "../../tests/fakes.ts";
import { keyOf, signWith } from "../../tests/idp.ts";
import { CHALLENGE, REDIRECT, VERIFIER } from "../../tests/proxy/flow.ts";
import { setStage } from "./replicas.ts";
import { ADA, CLIENT } from "./upstream.ts";

/** Most seconds that a row of a kind may live, and what its id looks like. */
const KINDS: Readonly<Record<string, readonly [ttl: number, id: RegExp]>> = {
  keys: [400 * 86_400, /^signing$/],
  grant: [30 * 86_400, /^[0-9a-f]{32}$/],
  code: [300, /^[\w-]{43}$/],
  login: [600, /^[\w-]{22}$/],
  turn: [TURN_SECONDS, /^[0-9a-f]{32}$/],
  person: [30 * 86_400, /^[\w-]{43}$/],
  assertion: [630, /^[\w-]{43}$/],
};

const stage = await setStage();
Deno.test.afterAll(async () => await stage[Symbol.asyncDispose]());
const { a, b, admin, balancer, upstream } = stage;

Deno.test("everything in Redis is sealed, named by digests or ids, and expires (SPEC B3.6, B3.8)", async () => {
  const { rows, secrets } = await useEverything();
  deepEqual([...new Set(rows.map(({ kind }) => kind))].sort(), Object.keys(KINDS).sort());
  for (const { key, kind, id, value, ttl } of rows) {
    const [longest, pattern] = KINDS[kind]!;
    ok(pattern.test(id), key);
    ok(ttl > 0 && ttl <= longest, `${key} lives ${ttl} s`);
    ok(/^[\w-]+\.\.[\w-]+\.[\w-]+\.[\w-]+$/.test(value), `${key} is not sealed: ${value}`);
    const { kid, ...header } = JSON.parse(atob(value.split(".")[0]!));
    deepEqual(header, { alg: "dir", enc: "A256GCM" });
    ok(/^[0-9a-f]{8}$/.test(kid), kid);
  }
  const all = rows.map(({ key, value }) => `${key} ${value}`).join("\n");
  for (const [what, secret] of secrets) {
    ok(secret.length > 4, what);
    for (const form of formsOf(secret)) equal(all.includes(form), false, `${what} is in Redis`);
  }
});

Deno.test("the kinds of keys are those that dev/storage.md lists", async () => {
  const text = await Deno.readTextFile(new URL("../storage.md", import.meta.url));
  const listed = [...text.matchAll(/^\| `(\w+):/gm)].map(([, kind]) => kind);
  deepEqual(listed.sort(), Object.keys(KINDS).sort());
});

Deno.test("strangers leave nothing in Redis, however many (SPEC B4.3)", async () => {
  const before = new Set((await everything()).map(({ key }) => key));
  const key = await keyOf("stranger");
  const isEnd = (url: string) => url.startsWith(upstream.url) || url.startsWith(REDIRECT);
  for (let nth = 0; nth < 200; nth++) {
    const client = await stage.register({
      client_name: `Stranger ${nth}`,
      ...(nth % 2 && { token_endpoint_auth_method: "private_key_jwt", jwks: { keys: [key.jwk] } }),
    });
    const browser = stage.browser(client, isEnd);
    const left = await stage.logIn(client, browser);
    const state = new URL(left.url).searchParams.get("state")!;
    const back = `${balancer.origin}/oauth/callback?${new URLSearchParams({ code: "x", state })}`;
    await browser.open(`${back}&iss=${encodeURIComponent(upstream.url)}`);
    for (
      const form of [
        { grant_type: "authorization_code", code: `gatehouse_c_${"x".repeat(43)}` },
        { grant_type: "refresh_token", refresh_token: `gatehouse_r_${"A".repeat(70)}` },
        {
          grant_type: "refresh_token",
          client_assertion_type: ASSERTION_TYPE,
          client_assertion: await signWith(key, {
            iss: client.id,
            sub: client.id,
            aud: balancer.origin,
            exp: Math.floor(Date.now() / 1000) + 600,
            jti: "a stranger's",
          }),
          refresh_token: `gatehouse_r_${"A".repeat(70)}`,
        },
      ]
    ) {
      const { status } = await stage.post("/oauth/token", client, form);
      ok(status === 400 || status === 401, `${status}`);
    }
    await stage.revoke(client, `gatehouse_r_${"A".repeat(70)}`);
    deepEqual(await stage.call(await signWith(key, { sub: "x" })), [401]);
  }
  const added = (await everything()).filter((row) => !before.has(row.key));
  deepEqual(added, []);
});

interface Used {
  readonly rows: readonly Row[];
  readonly secrets: readonly (readonly [what: string, secret: string])[];
}

/** Makes a row of every kind. @returns The rows, and what nobody should find in them. */
async function useEverything(): Promise<Used> {
  const key = await keyOf("contents");
  const confidential = await stage.register({
    client_name: "Confidential client",
    token_endpoint_auth_method: "private_key_jwt",
    jwks: { keys: [key.jwk] },
  });
  const now = Math.floor(Date.now() / 1000);
  const { id } = confidential;
  const claims = { iss: id, sub: id, aud: balancer.origin, exp: now + 600, jti: "first-of-all" };
  const assertion = await signWith(key, claims);
  await stage.post("/oauth/token", confidential, {
    client_assertion_type: ASSERTION_TYPE,
    client_assertion: assertion,
    grant_type: "authorization_code",
    code: await stage.code(confidential),
    code_verifier: VERIFIER,
  });

  const client = await stage.register();
  const browser = stage.browser(client);
  const { url } = await stage.logIn(client, browser);
  const code = new URL(url).searchParams.get("code")!;
  const { body: tokens } = await stage.redeem(client, code, a);
  const { body: next } = await stage.refresh(client, tokens.refresh_token, b);
  const unused = await stage.code(client);
  // A turn lasts as long as the provider takes.
  const hold = upstream.hold("answers");
  const slow = stage.refresh(client, next.refresh_token, a);
  await hold.reached(1);
  const rows = await everything();
  hold.drop();
  await slow;

  const cookies = [...browser.cookies.get("localhost")!.values()];
  const theirs = upstream.answers.flatMap(({ body }) =>
    ["access_token", "refresh_token", "id_token"].map((name) => body[name])
  );
  const ours = [tokens, next].flatMap((one) => [one.access_token, one.refresh_token]);
  const texts = {
    person: [ADA.sub, ADA.email, ADA.name],
    client: [client.id, id, "A client of the replicas", "Confidential client", REDIRECT],
    code: [code, unused],
    proof: [VERIFIER, CHALLENGE, "client state", assertion, "first-of-all"],
    resource: [stage.resource],
    secret: [SECRET, CLIENT.secret],
    cookie: cookies,
    "upstream token": theirs.filter((one) => typeof one === "string"),
    token: ours,
  };
  const secrets = Object.entries(texts).flatMap(([what, all]) =>
    all.map((one) => [what, one] as const)
  );
  return { rows, secrets };
}

/** A text as it may be written: as it stands, without what names its kind, or encoded. */
function formsOf(secret: string): string[] {
  const bare = secret.replace(/^gatehouse_[a-z]_/, "");
  const bytes = Buffer.from(bare);
  // The last characters of base64 depend on what follows.
  const base64 = bytes.toString("base64url").slice(0, -2);
  return [secret, bare, bytes.toString("hex"), base64, encodeURIComponent(bare)];
}

interface Row {
  readonly key: string;
  readonly kind: string;
  readonly id: string;
  readonly value: string;
  /** Seconds; negative for one that never expires. */
  readonly ttl: number;
}

async function everything(): Promise<Row[]> {
  return await Promise.all((await admin.keys("*")).map(async (key) => {
    ok(key.startsWith(PREFIX), key);
    const [kind = "", id = ""] = key.slice(PREFIX.length).split(":");
    return { key, kind, id, value: await admin.get(key) ?? "", ttl: await admin.ttl(key) };
  }));
}
