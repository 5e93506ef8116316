import {
  deepStrictEqual as deepEqual,
  ok,
  rejects,
  strictEqual as equal,
  throws,
} from "node:assert/strict";
import { decodeJwt, generateKeyPair } from "@panva/jose";
import { actingOf, type Grounds } from "../../lib/actings.ts";
import { GRAFANA_AUTH, type GrafanaAuth, type GrafanaConfig } from "../../lib/config/grafana.ts";
import { ToolError } from "../../lib/pack.ts";
import { fakePorts, NOW, ORIGIN } from "../fakes.ts";
import { person } from "./people.ts";

const SERVICE = "glsa_of-the-server";
const ISSUER = "https://idp.example";

const { privateKey } = await generateKeyPair("ES256");

function grounds(held?: Grounds["held"]): Grounds {
  return {
    issuer: ORIGIN,
    key: () => Promise.resolve({ kid: "k1", key: privateKey }),
    server: () => Promise.resolve({ issuer: ISSUER, token_endpoint: `${ISSUER}/token` }),
    client: { id: "gatehouse", secret: "secret" },
    ...(held && { held }),
  };
}

/** Every way has the server's own token at hand. */
function config(auth: GrafanaAuth, more: Partial<GrafanaConfig> = {}): GrafanaConfig {
  return {
    url: new URL("https://grafana.example/sub/"),
    auth,
    token: SERVICE,
    audience: "grafana",
    tokenHeader: "authorization",
    timeout: 30,
    tls: {},
    ...more,
  };
}

const exchanging = () =>
  fakePorts(async (request) => {
    const form = new URLSearchParams(await request.text());
    return Response.json({
      access_token: `exchanged-${form.get("subject_token")}`,
      token_type: "Bearer",
      expires_in: 60,
    });
  });

const holding: NonNullable<Grounds["held"]> = ({ subject }) =>
  Promise.resolve({ token: `held-${subject}`, expiresAt: NOW + 60 });

const ALICE = person("alice", { claims: { aud: "grafana" } });

const SHOWN: [auth: GrafanaAuth, held: boolean, token: (token: string) => unknown, is: unknown][] =
  [
    ["forward", false, (token) => token, "token-of-alice"],
    ["upstream", true, (token) => token, "held-alice"],
    ["exchange", false, (token) => token, "exchanged-token-of-alice"],
    ["exchange", true, (token) => token, "exchanged-held-alice"],
    ["assertion", false, (token) => decodeJwt(token).sub, "alice"],
  ];
for (const [auth, held, read, is] of SHOWN) {
  Deno.test(`actingOf() acts by ${auth}${held ? " with a held token" : ""} as the caller, with the server's own token at hand`, async () => {
    const acting = actingOf(config(auth), grounds(held ? holding : undefined), exchanging());
    const { token, of } = await acting.credentialFor(ALICE);
    equal(of, "caller");
    equal(read(token), is);
  });
}

for (const auth of GRAFANA_AUTH.filter((one) => one !== "service-account")) {
  Deno.test(`actingOf() never acts by ${auth} as the server: not when there is no caller, and not when acting as one fails (SPEC A5.4)`, async () => {
    const failing: Grounds = {
      issuer: ORIGIN,
      key: () => Promise.reject(new Error("Cannot load the keys")),
      server: () => Promise.reject(new Error("Cannot fetch the metadata")),
      client: { id: "gatehouse", secret: "secret" },
      ...(auth === "upstream" && { held: () => Promise.resolve(undefined) }),
    };
    const down = fakePorts();
    const working = actingOf(config(auth), grounds(holding), exchanging());
    await rejects(working.credentialFor(undefined), ToolError);
    const stranger = person("mallory", { claims: { aud: "elsewhere" } });
    const acting = actingOf(config(auth), failing, down);
    await rejects(acting.credentialFor(stranger), (error) => {
      ok(!String(error).includes(SERVICE));
      return true;
    });
    equal(acting.forget(undefined, { token: SERVICE, of: "server" }), false);
  });
}

Deno.test("actingOf() acts as the server when that is chosen, with callers or without", async () => {
  const acting = actingOf(config("service-account"), undefined, fakePorts());
  deepEqual(await acting.credentialFor(undefined), { token: SERVICE, of: "server" });
  deepEqual(await acting.credentialFor(ALICE), { token: SERVICE, of: "server" });
});

Deno.test("actingOf() demands the audience of a forwarded token only when there is one", async () => {
  const { audience: _, ...rest } = config("forward");
  const bob = person("bob", { claims: { aud: "mcp" } });
  equal((await actingOf(rest, undefined, fakePorts()).credentialFor(bob)).token, bob.token);
  await rejects(actingOf(config("forward"), undefined, fakePorts()).credentialFor(bob), ToolError);
});

Deno.test("actingOf() states who the caller is to the URL of Grafana when no audience is set", async () => {
  const { audience: _, ...rest } = config("assertion");
  const { token } = await actingOf(rest, grounds(), fakePorts()).credentialFor(ALICE);
  deepEqual([decodeJwt(token).iss, decodeJwt(token).aud], [ORIGIN, "https://grafana.example/sub"]);
});

for (const auth of ["upstream", "exchange"] as const) {
  Deno.test(`actingOf() asks for a new login by ${auth} when the provider's token is gone`, async () => {
    const gone = grounds(() => Promise.resolve(undefined));
    await rejects(actingOf(config(auth), gone, exchanging()).credentialFor(ALICE), (error) => {
      ok(error instanceof ToolError);
      equal(error.message, "Your login at the identity provider has ended. Log in again");
      return true;
    });
  });
}

const LACKING: [auth: GrafanaAuth, grounds: Grounds | undefined][] = [
  ["upstream", undefined],
  ["upstream", { issuer: ORIGIN }],
  ["assertion", undefined],
  ["assertion", { issuer: ORIGIN }],
  ["exchange", undefined],
  ["exchange", { issuer: ORIGIN }],
];
for (const [auth, lacking] of LACKING) {
  Deno.test(`actingOf() does not start by ${auth} on ${lacking ? "too few" : "no"} grounds`, () => {
    throws(() => actingOf(config(auth), lacking, fakePorts()), {
      name: "TypeError",
      message: `Cannot act by ${auth} on these grounds`,
    });
  });
}
