/**
 * The client at brokers that want a login, and that do not allow everything.
 *
 * @module
 */

import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { exportJWK, generateKeyPair, SignJWT } from "@panva/jose";
import { certificates, withoutCertificates } from "../../tests/certificates.ts";
import { ToolError } from "../../lib/pack.ts";
import { startKafka } from "./kafka.ts";
import { BOUNDS, bytes, reach, refused, topic } from "./reaching.ts";

const PASSWORD = "a password of the test";
const NOT_LOGGED_IN = /^Kafka refused the login\./;
const AWAY = /^Kafka cannot be reached at the moment/;
const MECHANISMS = ["plain", "scram-sha-256", "scram-sha-512"] as const;

Deno.test("logins by password, in the clear and over TLS", {
  ignore: withoutCertificates !== undefined,
}, async () => {
  await using made = await certificates("IP:127.0.0.1");
  await using kafka = await startKafka({
    listeners: ["SASL_PLAINTEXT", "SASL_SSL", "SSL", "MUTUAL"],
    users: { clerk: PASSWORD },
    certificates: made,
  });
  const tls = { ca: made.ca };
  for (const mechanism of MECHANISMS) {
    const sasl = { mechanism, username: "clerk", password: PASSWORD };
    const wrong = { ...sasl, password: "another password" };
    for (const [listener, options] of [["SASL_PLAINTEXT", {}], ["SASL_SSL", { tls }]] as const) {
      const brokers = kafka.bootstrap(listener);
      await using good = reach(brokers, { ...options, sasl });
      equal((await good.snapshot()).brokers.length, 1);
      equal(await good.ready(), true);
      await using bad = reach(brokers, { ...options, sasl: wrong });
      const reason = await refused(() => bad.snapshot(), NOT_LOGGED_IN);
      match(reason, /SASL_AUTHENTICATION_FAILED/);
      equal(await bad.ready(), false);
      ok(!JSON.stringify([reason, bad.lines]).includes("another password"));
    }
  }
  const sasl = { mechanism: "plain", username: "clerk", password: PASSWORD } as const;
  await using plain = reach(kafka.bootstrap(), { sasl });
  match(await refused(() => plain.snapshot(), NOT_LOGGED_IN), /ILLEGAL_SASL_STATE/);
  await using nobody = reach(kafka.bootstrap("SASL_PLAINTEXT"));
  await refused(() => nobody.snapshot(), AWAY);

  await using other = await certificates("IP:127.0.0.1");
  const certified = { ca: made.ca, cert: made.cert, key: made.key };
  await using mutual = reach(kafka.bootstrap("MUTUAL"), { tls: certified });
  equal((await mutual.snapshot()).brokers.length, 1);
  const refusals = [
    ["SSL", { tls: { ca: other.ca } }, /UNABLE_TO_VERIFY|certificate/],
    ["SSL", {}, /Broker requires TLS/],
    ["PLAINTEXT", { tls }, /./],
    ["MUTUAL", { tls }, /./],
    ["MUTUAL", { tls: { ca: made.ca, cert: other.cert, key: other.key } }, /./],
  ] as const;
  for (const [listener, options, words] of refusals) {
    await using stranger = reach(kafka.bootstrap(listener), options);
    match(await refused(() => stranger.snapshot(), AWAY), words, listener);
  }
});

Deno.test("a certificate for another name is not taken", {
  ignore: withoutCertificates !== undefined,
}, async () => {
  await using made = await certificates("DNS:broker.example");
  await using kafka = await startKafka({ listeners: ["SSL"], certificates: made });
  await using client = reach(kafka.bootstrap("SSL"), { tls: { ca: made.ca } });
  await refused(() => client.snapshot(), AWAY);
});

Deno.test("a session that ends is followed by another, and nothing is noticed", async () => {
  await using kafka = await startKafka({
    listeners: ["SASL_PLAINTEXT"],
    users: { clerk: PASSWORD },
    extra: { "connections.max.reauth.ms": "5000" },
  });
  const sasl = { mechanism: "scram-sha-256", username: "clerk", password: PASSWORD } as const;
  await using client = reach(kafka.bootstrap("SASL_PLAINTEXT"), { sasl });
  await kafka.run("kafka-topics", topic("orders"));
  const start = performance.now();
  while (performance.now() - start < 8_000) {
    await client.write({ topic: "orders", partition: 0, value: bytes("x"), headers: [] });
    await client.read([{ topic: "orders", partition: 0, offset: 0n }], BOUNDS);
  }
});

Deno.test("logins by token: the person is its subject, and has the rights that ACLs give", async () => {
  const { publicKey, privateKey } = await generateKeyPair("ES256");
  const jwk = { ...await exportJWK(publicKey), kid: "test", alg: "ES256", use: "sig" };
  await using keys = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    () => Response.json({ keys: [jwk] }),
  );
  const issuer = "https://issuer.example";
  const jwks = `http://127.0.0.1:${keys.addr.port}/jwks`;
  await using kafka = await startKafka({
    listeners: ["OAUTH"],
    oauth: { jwks, issuer, audience: "kafka" },
    authorizer: true,
  });
  let given = "";
  const refusedTokens: string[] = [];
  const as = (subject: string, audience = "kafka") =>
    reach(kafka.bootstrap("OAUTH"), {
      sasl: {
        mechanism: "oauthbearer",
        token: async () =>
          given = await new SignJWT({ scope: "any" })
            .setProtectedHeader({ alg: "ES256", kid: "test" })
            .setSubject(subject).setIssuer(issuer).setAudience(audience)
            .setIssuedAt().setExpirationTime("5m").sign(privateKey),
        refused: (token) => refusedTokens.push(token),
      },
    });
  await kafka.run("kafka-topics", topic("orders"));
  await kafka.run("kafka-topics", topic("secrets"));
  const allow = (...args: string[]) =>
    kafka.run("kafka-acls", ["--add", "--allow-principal", "User:clerk", ...args]);
  await allow("--operation", "Read", "--topic", "orders");

  await using clerk = as("clerk");
  deepEqual((await clerk.snapshot()).topics.map(({ name }) => name), ["orders"]);
  equal((await clerk.snapshot()).controllerId, undefined);
  deepEqual((await clerk.snapshot(["secrets", "orders"])).topics.map(({ name }) => name), [
    "orders",
  ]);
  const place = { topic: "orders", partition: 0 };
  const secret = { topic: "secrets", partition: 0 };
  const record = { value: bytes("x"), headers: [] };
  deepEqual((await clerk.read([{ ...place, offset: 0n }], BOUNDS)).length, 1);
  const refusals: readonly [() => Promise<unknown>, RegExp][] = [
    [() => clerk.write({ ...place, ...record }), /does not allow WRITE on .*"orders"/],
    [() => clerk.write({ ...secret, ...record }), /does not allow WRITE on .*"secrets"/],
    [() => clerk.read([{ ...secret, offset: 0n }], BOUNDS), /does not allow READ on .*"secrets"/],
    [() => clerk.offsets([secret], "latest"), /does not allow DESCRIBE on .*"secrets"/],
    [() => clerk.groupDetails(["shop"]), /does not allow DESCRIBE on group "shop"/],
    [() => clerk.commits(["shop"]), /does not allow DESCRIBE on group "shop"/],
    [
      () => clerk.settings({ type: "topic", name: "orders" }),
      /does not allow DESCRIBE_CONFIGS on topic "orders"/,
    ],
    [
      () => clerk.settings({ type: "broker", name: "1" }),
      /does not allow DESCRIBE_CONFIGS on the cluster/,
    ],
  ];
  for (const [ask, words] of refusals) match(await refused(ask, words), /AUTHORIZATION_FAILED/);
  deepEqual(await clerk.groups(), []);
  await allow("--operation", "Describe", "--cluster");
  equal((await clerk.snapshot()).controllerId, 1);

  await using stranger = as("clerk", "another audience");
  deepEqual(refusedTokens, []);
  const reason = await refused(() => stranger.snapshot(), NOT_LOGGED_IN);
  equal(refusedTokens.at(-1), given);
  equal(await stranger.ready(), false);
  ok(!JSON.stringify([reason, stranger.lines]).includes(given));

  const told = new ToolError("Log in again", "no token");
  await using nobody = reach(kafka.bootstrap("OAUTH"), {
    sasl: {
      mechanism: "oauthbearer",
      token: () => Promise.reject(told),
      refused: () => ok(false, "No token was shown"),
    },
  });
  await refused(() => nobody.snapshot(), /^Log in again$/);
});
