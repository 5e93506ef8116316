import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { createHash } from "node:crypto";
import { REMEMBER_SECONDS } from "../../lib/proxy/access.ts";
import { CODE_SECONDS } from "../../lib/proxy/codes.ts";
import { CHALLENGE, type Changes, type Gate, type TestClient, VERIFIER } from "./flow.ts";
import { audited, later, openGate, outcome, whoami } from "./grants_helper.ts";

const WRONG = "w".repeat(43);
const challengeOf = (verifier: string) => createHash("sha256").update(verifier).digest("base64url");

const OUTCOMES: readonly (readonly [name: string, changes: Changes, outcome: string])[] = [
  ["no code", { code: undefined }, "400 invalid_request"],
  ["an unknown code", { code: `gatehouse_c_${"A".repeat(43)}` }, "400 invalid_grant"],
  ["a code of another form", { code: "A" }, "400 invalid_grant"],
  ["no verifier", { code_verifier: undefined }, "400 invalid_request"],
  ["an empty verifier", { code_verifier: "" }, "400 invalid_request"],
  ["a wrong verifier", { code_verifier: WRONG }, "400 invalid_grant"],
  ["the challenge for a verifier", { code_verifier: CHALLENGE }, "400 invalid_grant"],
  [
    "another redirect URI",
    { redirect_uri: "http://127.0.0.1:33418/other" },
    "400 invalid_grant",
  ],
  [
    "another port than in the request",
    { redirect_uri: "http://127.0.0.1:33419/callback" },
    "400 invalid_grant",
  ],
  ["another resource", { resource: "http://localhost:8080/other" }, "400 invalid_target"],
  ["the resource with a slash", { resource: "http://localhost:8080/mcp/" }, "400 invalid_target"],
  [
    "another resource besides",
    { resource: ["http://localhost:8080/mcp", "http://localhost:8080"] },
    "400 invalid_target",
  ],
];

for (const [name, changes, expected] of OUTCOMES) {
  Deno.test(`redeem() refuses ${name}, which does not use up the code (SPEC B2.1, B2.6, B3.3)`, async () => {
    const gate = await openGate();
    const client = await gate.register();
    const code = await gate.code(client);
    equal(outcome(await gate.redeem(client, code, changes)), expected);
    const [line] = audited(gate, "refused");
    equal(line?.client, "Test client");
    ok(line?.reason);
    equal(outcome(await gate.redeem(client, code)), "200");
  });
}

const GOOD: readonly (readonly [name: string, changes: Changes])[] = [
  ["no redirect URI, as OAuth 2.1 dropped it", { redirect_uri: undefined }],
  ["an empty redirect URI", { redirect_uri: "" }],
  ["the resource", { resource: "http://localhost:8080/mcp" }],
  ["parameters that nobody knows", { audience: "x", scope: "everything" }],
];

for (const [name, changes] of GOOD) {
  Deno.test(`redeem() accepts ${name} (SPEC B2.5, B2.6, B3.3)`, async () => {
    const gate = await openGate();
    const client = await gate.register();
    const code = await gate.code(client);
    equal(outcome(await gate.redeem(client, code, changes)), "200");
  });
}

const VERIFIERS: readonly (readonly [name: string, verifier: string, isGood: boolean])[] = [
  ["42 characters", "a".repeat(42), false],
  ["43 characters", "a".repeat(43), true],
  ["every character that is allowed", `${"aZ09".repeat(10)}-._~`, true],
  ["128 characters", "a".repeat(128), true],
  ["129 characters", "a".repeat(129), false],
  ["a plus sign", `${"a".repeat(43)}+`, false],
  ["a line break at the end", `${"a".repeat(43)}\n`, false],
];

for (const [name, verifier, isGood] of VERIFIERS) {
  Deno.test(`redeem() ${isGood ? "accepts" : "refuses"} a verifier of ${name} (RFC 7636 section 4.1) (SPEC B2.1)`, async () => {
    const gate = await openGate();
    const client = await gate.register();
    const code = await gate.code(client, { code_challenge: challengeOf(verifier) });
    const answer = await gate.redeem(client, code, { code_verifier: verifier });
    equal(outcome(answer), isGood ? "200" : "400 invalid_grant");
  });
}

const DOWNGRADES: readonly (readonly [name: string, changes: Changes])[] = [
  ["no challenge", { code_challenge: undefined, code_challenge_method: undefined }],
  ["no challenge but a method", { code_challenge: undefined }],
  ["an empty challenge", { code_challenge: "" }],
  ["no method, which would be plain", { code_challenge_method: undefined }],
  ["the method plain", { code_challenge: VERIFIER, code_challenge_method: "plain" }],
];

for (const [name, changes] of DOWNGRADES) {
  Deno.test(`no code is made for ${name}: PKCE cannot be left out (CVE-2025-4144) (SPEC B2.1)`, async () => {
    const gate = await openGate();
    const { url } = await gate.ask(await gate.register(), changes);
    const answer = new URL(url).searchParams;
    equal(answer.get("error"), "invalid_request");
    equal(answer.has("code"), false);
  });
}

for (const method of ["none", "client_secret_post", "client_secret_basic"]) {
  Deno.test(`redeem() refuses a code of another client, registered for ${method} (SPEC B3.3)`, async () => {
    const gate = await openGate();
    const client = await gate.register({ token_endpoint_auth_method: method });
    const thief = await gate.register({ token_endpoint_auth_method: method });
    const code = await gate.code(client);
    equal(outcome(await gate.redeem(thief, code)), "400 invalid_grant");
    equal(audited(gate, "refused").at(-1)?.reason, "another client's code");
    equal(outcome(await gate.redeem(client, code)), "200");
  });
}

Deno.test("redeem() accepts a code for 300 seconds, and not in the next (SPEC B3.3)", async () => {
  equal(CODE_SECONDS, 300);
  const gate = await openGate();
  const client = await gate.register();
  const [first, second] = [await gate.code(client), await gate.code(client)];
  await later(gate, CODE_SECONDS - 1);
  equal(outcome(await gate.redeem(client, first)), "200");
  gate.ports.advance(1);
  equal(outcome(await gate.redeem(client, second)), "400 invalid_grant");
});

Deno.test("redeem() takes no refresh token for a code, nor the other way round (SPEC B3.3)", async () => {
  const gate = await openGate();
  const { client, tokens } = await gate.connect();
  const code = await gate.code(client);
  for (const one of [tokens.refresh_token, tokens.access_token]) {
    equal(outcome(await gate.redeem(client, one)), "400 invalid_grant");
  }
  for (const one of [code, tokens.access_token]) {
    equal(outcome(await gate.refresh(client, one)), "400 invalid_grant");
  }
  equal(outcome(await gate.redeem(client, code)), "200");
  equal(outcome(await gate.refresh(client, tokens.refresh_token)), "200");
});

async function redeemed() {
  const gate = await openGate();
  const client = await gate.register();
  const code = await gate.code(client);
  const { body: tokens } = await gate.redeem(client, code);
  return { gate, client, code, tokens };
}

const isAlive = async (gate: Gate, client: TestClient, refreshToken: string) =>
  (await gate.refresh(client, refreshToken)).status === 200;

Deno.test("redeem() ends the grant when its client uses the code again (SPEC B3.3)", async () => {
  const { gate, client, code, tokens } = await redeemed();
  equal((await whoami(gate, tokens.access_token)).status, 200);
  equal(outcome(await gate.redeem(client, code)), "400 invalid_grant");
  equal(await isAlive(gate, client, tokens.refresh_token), false);
  gate.ports.advance(REMEMBER_SECONDS);
  equal((await whoami(gate, tokens.access_token)).status, 401);
  const [line, more] = audited(gate, "reuse detected");
  equal(line?.client, "Test client");
  equal(line?.user, "alice@example.com");
  equal(line?.reason, "the code was used already");
  equal(line?.level, "warn");
  equal(more, undefined);
});

Deno.test("redeem() knows a used code until it would have expired (SPEC B3.3)", async () => {
  const { gate, client, code, tokens } = await redeemed();
  await later(gate, CODE_SECONDS - 1);
  equal(outcome(await gate.redeem(client, code)), "400 invalid_grant");
  equal(await isAlive(gate, client, tokens.refresh_token), false);
});

Deno.test("redeem() ends nothing for a code that has expired (SPEC B3.3)", async () => {
  const { gate, client, code, tokens } = await redeemed();
  await later(gate, CODE_SECONDS);
  equal(outcome(await gate.redeem(client, code)), "400 invalid_grant");
  equal(await isAlive(gate, client, tokens.refresh_token), true);
});

const HARMLESS: readonly (readonly [name: string, changes: Changes])[] = [
  ["a wrong verifier", { code_verifier: WRONG }],
  ["no verifier", { code_verifier: undefined }],
  ["another redirect URI", { redirect_uri: "http://127.0.0.1:1/callback" }],
  ["another resource", { resource: "http://localhost:8080/" }],
];

for (const [name, changes] of HARMLESS) {
  Deno.test(`redeem() ends nothing for a used code with ${name}: it is no weapon (SPEC B3.3)`, async () => {
    const { gate, client, code, tokens } = await redeemed();
    ok((await gate.redeem(client, code, changes)).status === 400);
    equal(await isAlive(gate, client, tokens.refresh_token), true);
    deepEqual(audited(gate, "reuse detected"), []);
  });
}

Deno.test("redeem() ends nothing for a used code from another client (SPEC B3.3)", async () => {
  const { gate, client, code, tokens } = await redeemed();
  equal(outcome(await gate.redeem(await gate.register(), code)), "400 invalid_grant");
  equal(await isAlive(gate, client, tokens.refresh_token), true);
  deepEqual(audited(gate, "reuse detected"), []);
});

Deno.test("redeem() gives tokens once at most for ten redemptions at once (SPEC B3.3)", async () => {
  const gate = await openGate();
  const client = await gate.register();
  const code = await gate.code(client);
  const all = await Promise.all(Array.from({ length: 10 }, () => gate.redeem(client, code)));
  const won = all.filter(({ status }) => status === 200);
  ok(won.length <= 1);
  deepEqual(
    new Set(all.filter((one) => !won.includes(one)).map(outcome)),
    new Set(["400 invalid_grant"]),
  );
  // Nine of ten used it again, so nothing of it is left.
  for (const { body } of won) equal(await isAlive(gate, client, body.refresh_token), false);
  equal(audited(gate, "refreshed").length, 0);
});

Deno.test("redeem() makes the grant outlive the code (SPEC B3.2)", async () => {
  const { gate, client, tokens } = await redeemed();
  await later(gate, CODE_SECONDS + 1);
  equal((await whoami(gate, tokens.access_token)).status, 200);
  equal(await isAlive(gate, client, tokens.refresh_token), true);
});
