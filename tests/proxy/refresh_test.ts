import {
  deepStrictEqual as deepEqual,
  notStrictEqual as notEqual,
  ok,
  strictEqual as equal,
} from "node:assert/strict";
import { REMEMBER_SECONDS } from "../../lib/proxy/access.ts";
import { IDLE_SECONDS } from "../../lib/proxy/grants.ts";
import { RETRY_SECONDS } from "../../lib/proxy/refresh.ts";
import { RESOURCE } from "../fakes.ts";
import type { Answered, Changes, Gate, TestClient } from "./flow.ts";
import { audited, later, openGate, outcome, whoami } from "./grants_helper.ts";

const SCOPES = { OAUTH_TOOL_SCOPES: "whoami=mcp:read,w*=mcp:write" };
const BOTH = "mcp:read mcp:write";

async function connected(env: Readonly<Record<string, string>> = {}, changes: Changes = {}) {
  const gate = await openGate(env);
  const { client, tokens } = await gate.connect(undefined, changes);
  return { gate, client, tokens };
}

/** Refreshes, which has to work. */
async function next(gate: Gate, client: TestClient, token: string): Promise<Answered["body"]> {
  const answer = await gate.refresh(client, token);
  equal(outcome(answer), "200");
  return answer.body;
}

Deno.test("refresh() gives new tokens and moves on (SPEC B3.2)", async () => {
  const { gate, client, tokens } = await connected();
  const seen = new Set([tokens.refresh_token]);
  let { refresh_token: token } = tokens;
  for (let count = 0; count < 3; count++) {
    await later(gate, 600);
    const body = await next(gate, client, token);
    ok(!seen.has(body.refresh_token));
    seen.add(token = body.refresh_token);
    equal((await whoami(gate, body.access_token)).status, 200);
  }
  equal(audited(gate, "refreshed").length, 3);
  const [{ client: name, user } = {}] = audited(gate, "refreshed");
  deepEqual([name, user], ["Test client", "alice@example.com"]);
});

Deno.test("refresh() gives the same successor again within 30 seconds (SPEC B3.2)", async () => {
  equal(RETRY_SECONDS, 30);
  const { gate, client, tokens } = await connected();
  await later(gate, 600);
  const first = await next(gate, client, tokens.refresh_token);
  for (const seconds of [0, 1, RETRY_SECONDS - 1]) {
    gate.ports.advance(seconds);
    const again = await next(gate, client, tokens.refresh_token);
    equal(again.refresh_token, first.refresh_token);
    notEqual(again.access_token, first.access_token);
    equal((await whoami(gate, again.access_token)).status, 200);
  }
  // A retry is no second rotation.
  equal(audited(gate, "refreshed").length, 1);
  await next(gate, client, first.refresh_token);
});

Deno.test("refresh() ends the grant when a token is used after those 30 seconds (SPEC B3.2)", async () => {
  equal(REMEMBER_SECONDS, 30);
  const { gate, client, tokens } = await connected();
  const first = await next(gate, client, tokens.refresh_token);
  gate.ports.advance(RETRY_SECONDS + 1);
  equal((await whoami(gate, first.access_token)).status, 200);
  equal(outcome(await gate.refresh(client, tokens.refresh_token)), "400 invalid_grant");
  equal(outcome(await gate.refresh(client, first.refresh_token)), "400 invalid_grant");
  // A gate may go by what it knew for so long, and no longer.
  gate.ports.advance(REMEMBER_SECONDS - 1);
  equal((await whoami(gate, first.access_token)).status, 200);
  gate.ports.advance(1);
  for (const one of [tokens, first]) equal((await whoami(gate, one.access_token)).status, 401);
  const [line, more] = audited(gate, "reuse detected");
  deepEqual(
    [line?.client, line?.user, line?.reason],
    ["Test client", "alice@example.com", "an older refresh token"],
  );
  equal(more, undefined);
});

Deno.test("refresh() ends the grant when the token before the last is used, at any time (SPEC B3.2)", async () => {
  const { gate, client, tokens } = await connected();
  const first = await next(gate, client, tokens.refresh_token);
  const second = await next(gate, client, first.refresh_token);
  equal(outcome(await gate.refresh(client, tokens.refresh_token)), "400 invalid_grant");
  equal(outcome(await gate.refresh(client, second.refresh_token)), "400 invalid_grant");
});

Deno.test("refresh() ends no other grant of the client or the person (SPEC B3.2)", async () => {
  const { gate, client, tokens } = await connected();
  const { tokens: others } = await gate.connect(client);
  const first = await next(gate, client, tokens.refresh_token);
  await next(gate, client, first.refresh_token);
  equal(outcome(await gate.refresh(client, tokens.refresh_token)), "400 invalid_grant");
  await next(gate, client, others.refresh_token);
});

Deno.test("refresh() leaves one grant in one state after ten at once (SPEC B3.2)", async () => {
  const { gate, client, tokens } = await connected();
  const all = await Promise.all(
    Array.from({ length: 10 }, () => gate.refresh(client, tokens.refresh_token)),
  );
  deepEqual(all.map(outcome), Array(10).fill("200"));
  const successors = new Set(all.map(({ body }) => body.refresh_token));
  equal(successors.size, 1);
  equal(audited(gate, "refreshed").length, 1);
  gate.ports.advance(RETRY_SECONDS + 1);
  await next(gate, client, [...successors][0]);
});

const FORGED: Readonly<Record<string, (bytes: Uint8Array) => void>> = {
  "another digest": (bytes) => void (bytes[51]! ^= 1),
  "no digest": (bytes) => void bytes.fill(0, 20),
  "an older generation": (bytes) => void (bytes[19]! -= 1),
  "a later generation": (bytes) => void (bytes[19]! += 1),
  "another grant": (bytes) => void (bytes[0]! ^= 1),
};

for (const [name, forge] of Object.entries(FORGED)) {
  Deno.test(`refresh() refuses a token forged with ${name}, and ends nothing (SPEC B3.2)`, async () => {
    const { gate, client, tokens } = await connected();
    const { refresh_token: real } = await next(gate, client, tokens.refresh_token);
    gate.ports.advance(RETRY_SECONDS + 1);
    const [prefix, text] = [real.slice(0, 12), real.slice(12)];
    const bytes = Uint8Array.fromBase64(text, { alphabet: "base64url" });
    equal(bytes.length, 52);
    forge(bytes);
    const forged = prefix + bytes.toBase64({ alphabet: "base64url", omitPadding: true });
    notEqual(forged, real);
    equal(outcome(await gate.refresh(client, forged)), "400 invalid_grant");
    deepEqual(audited(gate, "reuse detected"), []);
    await next(gate, client, real);
  });
}

const MALFORMED: Readonly<Record<string, (token: string) => string>> = {
  "without its prefix": (token) => token.slice(12),
  "with another prefix": (token) => `gatehouse_c_${token.slice(12)}`,
  "in capitals": (token) => token.toUpperCase(),
  "one character shorter": (token) => token.slice(0, -1),
  "one character longer": (token) => `${token}A`,
  "four characters shorter": (token) => token.slice(0, -4),
  "four characters longer": (token) => `${token}AAAA`,
  "with loose bits": (token) => {
    const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    return token.slice(0, -1) + letters[letters.indexOf(token.at(-1)!) ^ 1];
  },
  "in another alphabet": (token) => `${token.slice(0, -2)}+/`,
  "with a space": (token) => `${token.slice(0, -1)} `,
  "of 30 KB": (token) => token.padEnd(30_000, "A"),
};

for (const [name, spoil] of Object.entries(MALFORMED)) {
  Deno.test(`refresh() refuses a token ${name}, and ends nothing (SPEC B3.2)`, async () => {
    const { gate, client, tokens } = await connected();
    const answer = await gate.refresh(client, spoil(tokens.refresh_token));
    equal(outcome(answer), "400 invalid_grant");
    await next(gate, client, tokens.refresh_token);
  });
}

Deno.test("refresh() refuses a request without a token (SPEC B3.2)", async () => {
  const { gate, client } = await connected();
  const answer = await gate.refresh(client, "", {});
  equal(outcome(answer), "400 invalid_request");
});

Deno.test("refresh() refuses another client, be the token in force or not, and ends nothing (SPEC B3.2)", async () => {
  const { gate, client, tokens } = await connected();
  const thief = await gate.register();
  equal(outcome(await gate.refresh(thief, tokens.refresh_token)), "400 invalid_grant");
  const first = await next(gate, client, tokens.refresh_token);
  gate.ports.advance(RETRY_SECONDS + 1);
  equal(outcome(await gate.refresh(thief, tokens.refresh_token)), "400 invalid_grant");
  deepEqual(audited(gate, "reuse detected"), []);
  await next(gate, client, first.refresh_token);
});

Deno.test("refresh() narrows scopes for one access token, not for the grant (SPEC B3.2, E13)", async () => {
  const { gate, client, tokens } = await connected(SCOPES, { scope: BOTH });
  equal(tokens.scope, BOTH);
  const narrow = await gate.refresh(client, tokens.refresh_token, { scope: "mcp:read" });
  equal(narrow.body.scope, "mcp:read");
  deepEqual((await whoami(gate, narrow.body.access_token)).status, 403);
  const wide = await next(gate, client, narrow.body.refresh_token);
  equal(wide.scope, BOTH);
  equal((await whoami(gate, wide.access_token)).status, 200);
  const swapped = { scope: "mcp:write  mcp:read" };
  const again = await gate.refresh(client, wide.refresh_token, swapped);
  deepEqual(again.body.scope.split(" ").toSorted(), BOTH.split(" "));
});

for (const scope of ["mcp:read mcp:write", "mcp:write", "admin", "mcp:read ADMIN"]) {
  Deno.test(`refresh() refuses to widen mcp:read to ${scope} (SPEC B3.2)`, async () => {
    const { gate, client, tokens } = await connected(SCOPES, { scope: "mcp:read" });
    const answer = await gate.refresh(client, tokens.refresh_token, { scope });
    equal(outcome(answer), "400 invalid_scope");
    equal((await next(gate, client, tokens.refresh_token)).scope, "mcp:read");
    equal(audited(gate, "refreshed").length, 1);
  });
}

Deno.test("refresh() refuses another resource, and accepts its own (SPEC B2.6, B3.2)", async () => {
  const { gate, client, tokens } = await connected();
  const { refresh_token: token } = tokens;
  for (const resource of [`${RESOURCE}/`, "http://localhost:8080", [RESOURCE, "https://other"]]) {
    equal(outcome(await gate.refresh(client, token, { resource })), "400 invalid_target");
  }
  equal(outcome(await gate.refresh(client, token, { resource: RESOURCE })), "200");
});

Deno.test("refresh() works for 30 days after the last use, and not in the next second (SPEC B3.2)", async () => {
  equal(IDLE_SECONDS, 30 * 86_400);
  const { gate, client, tokens } = await connected();
  await later(gate, IDLE_SECONDS - 1);
  const first = await next(gate, client, tokens.refresh_token);
  await later(gate, IDLE_SECONDS - 1);
  const second = await next(gate, client, first.refresh_token);
  await later(gate, IDLE_SECONDS);
  equal(outcome(await gate.refresh(client, second.refresh_token)), "400 invalid_grant");
});

Deno.test("refresh() asks a client to register again whose registration ran out (SPEC B4.4)", async () => {
  const { gate, client, tokens } = await connected();
  let { refresh_token: token } = tokens;
  for (let day = 0; day < 87; day += 29) {
    await later(gate, 29 * 86_400);
    token = (await next(gate, client, token)).refresh_token;
  }
  await later(gate, 3 * 86_400);
  equal(outcome(await gate.refresh(client, token)), "401 invalid_client");
});
