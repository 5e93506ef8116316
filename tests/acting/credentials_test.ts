import { deepStrictEqual as deepEqual, rejects, strictEqual as equal } from "node:assert/strict";
import { clientCredentials, COOL_DOWN_SECONDS } from "../../lib/acting/credentials.ts";
import { DEFAULT_LIFETIME_SECONDS, MARGIN_SECONDS } from "../../lib/acting/kept.ts";
import { outbound } from "../../lib/outbound.ts";
import { fakePorts } from "../fakes.ts";

const ISSUER = "https://idp.example/realms/acme";
const ENDPOINT = `${ISSUER}/token`;
const SERVER = { issuer: ISSUER, token_endpoint: ENDPOINT };

/** A token endpoint in memory, which gives tokens with numbers. */
function stage(answer?: () => Response, scope?: string) {
  const asked: { request: Request; form: Record<string, string> }[] = [];
  const state = { answer };
  const ports = fakePorts(async (request) => {
    const form = Object.fromEntries(new URLSearchParams(await request.text()));
    asked.push({ request, form });
    return state.answer?.() ??
      Response.json({ access_token: `t${asked.length}`, token_type: "Bearer", expires_in: 300 });
  });
  const tokens = clientCredentials({
    server: () => Promise.resolve(SERVER),
    client: { id: "kafkatools", secret: "s3cret" },
    ...(scope && { scope }),
    fetch: outbound(ports.fetch),
  }, ports.now);
  return { ...tokens, asked, ports, state };
}

Deno.test("clientCredentials() asks as the client that it was told to be, for the scope (RFC 6749 section 4.4)", async () => {
  const { token, asked } = stage(undefined, "kafka");
  equal(await token(), "t1");
  const [{ request, form }] = asked as [typeof asked[0]];
  deepEqual([request.method, request.url, request.redirect], ["POST", ENDPOINT, "manual"]);
  equal(request.headers.get("authorization"), `Basic ${btoa("kafkatools:s3cret")}`);
  deepEqual(form, { grant_type: "client_credentials", scope: "kafka" });
});

Deno.test("clientCredentials() asks for no scope unless it was told one", async () => {
  const { token, asked } = stage();
  await token();
  deepEqual(asked[0]!.form, { grant_type: "client_credentials" });
});

Deno.test("clientCredentials() keeps a token until shortly before its end", async () => {
  const { token, ports } = stage();
  equal(await token(), "t1");
  ports.advance(300 - MARGIN_SECONDS - 1);
  equal(await token(), "t1");
  ports.advance(1);
  equal(await token(), "t2");
});

Deno.test("clientCredentials() does not believe in a long life that nobody promised", async () => {
  const { token, ports, state } = stage(() =>
    Response.json({ access_token: "brief", token_type: "Bearer" })
  );
  equal(await token(), "brief");
  state.answer = undefined;
  ports.advance(DEFAULT_LIFETIME_SECONDS - MARGIN_SECONDS);
  equal(await token(), "t2");
});

Deno.test("clientCredentials() gets one token at a time", async () => {
  const { token, asked } = stage();
  deepEqual(await Promise.all([token(), token(), token()]), ["t1", "t1", "t1"]);
  equal(asked.length, 1);
});

const REFUSALS: [what: string, answer: () => Response][] = [
  ["refuses", () => Response.json({ error: "invalid_client" }, { status: 401 })],
  ["is broken", () => new Response("oops", { status: 500 })],
  ["gives no token", () => Response.json({ token_type: "Bearer" })],
  [
    "gives a token that is not for bearers",
    () => Response.json({ access_token: "t", token_type: "mac" }),
  ],
];
for (const [what, answer] of REFUSALS) {
  Deno.test(`clientCredentials() rejects when the provider ${what}, and asks again the next time`, async () => {
    const { token, state } = stage(answer);
    await rejects(token());
    state.answer = undefined;
    equal(await token(), "t2");
  });
}

// A token that brokers refused, as after the provider changed its keys, was shown until its end.
Deno.test("clientCredentials() lets go of a token that was refused, unless it is fresh or another", async () => {
  const { token, refused, ports } = stage();
  equal(await token(), "t1");
  ports.advance(COOL_DOWN_SECONDS - 1);
  refused("t1");
  equal(await token(), "t1");
  ports.advance(1);
  refused("t0");
  equal(await token(), "t1");
  refused("t1");
  equal(await token(), "t2");
  refused("t1");
  equal(await token(), "t2");
});
