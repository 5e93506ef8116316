import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import fc from "fast-check";
import { bearer, CACHE_ENTRIES, CACHE_LENGTH, CACHE_SECONDS, credentialOf } from "../lib/bearer.ts";
import { challenges } from "../lib/challenge.ts";
import type { Verdict } from "../lib/errors.ts";
import type { Identity, KnownIdentity } from "../lib/identity.ts";
import { MAX_TOKEN_BYTES } from "../lib/jwt.ts";
import type { Provider } from "../lib/provider.ts";
import { scopeCover } from "../lib/scope.ts";
import { tracer } from "../lib/trace.ts";
import { fakePorts, NOW, ORIGIN } from "./fakes.ts";
import { challengeOf, forge, leaks, wire } from "./tokens.ts";

type Verify = (token: string, now: number) => Verdict | Promise<Verdict>;

function identityOf(subject: string, expiresAt = NOW + 3600): KnownIdentity {
  return {
    subject,
    issuer: ORIGIN,
    username: subject,
    scopes: [],
    roles: [],
    expiresAt,
    claims: { sub: subject },
  };
}

function accept(subject: string, expiresAt?: number): Verdict {
  return { ok: true, identity: identityOf(subject, expiresAt) };
}

const REFUSED: Verdict = { ok: false, refusal: { reason: "signature" } };

/** The gate over a provider that judges as `verify` does and keeps what it was asked. */
function gateOver(verify: Verify, scopesRequired: readonly string[] = []) {
  const ports = fakePorts();
  const asked: string[] = [];
  const provider: Provider = {
    issuer: ORIGIN,
    metadata: () => Promise.reject(new Error("Nobody asks for this")),
    verify: async (token, now) => (asked.push(token), await verify(token, now)),
  };
  const gate = bearer(provider, ports, {
    challenges: challenges(`${ORIGIN}/metadata`, scopesRequired),
    scopesRequired,
    missing: scopeCover([]),
    mayCall: () => true,
  });
  const open = tracer(ports);
  const send = async (token: string): Promise<Identity | Response> =>
    await gate(
      new Request(`${ORIGIN}/mcp`, { headers: { authorization: `Bearer ${token}` } }),
      open(),
    );
  return { ports, asked, send };
}

function admitted(result: Identity | Response): Identity {
  ok(!(result instanceof Response), "The request was refused");
  return result;
}

function statusOf(result: Identity | Response): number {
  return result instanceof Response ? result.status : 200;
}

Deno.test("bearer() admits with the identity and the token as presented (SPEC A4.1)", async () => {
  const { send } = gateOver(() => accept("alice"));
  deepEqual(admitted(await send("t1")), { ...identityOf("alice"), token: "t1" });
});

Deno.test("bearer() verifies a token once for any number of requests at a time (SPEC A4.1)", async () => {
  const verdict = Promise.withResolvers<Verdict>();
  const { asked, send } = gateOver(() => verdict.promise);
  const results = Array.from({ length: 50 }, () => send("t1"));
  const other = send("t2");
  verdict.resolve(accept("alice"));
  for (const result of results) equal(admitted(await result).token, "t1");
  equal(admitted(await other).token, "t2");
  deepEqual(asked, ["t1", "t2"]);
});

for (
  const [name, first] of [
    ["was refused", () => Promise.resolve(REFUSED)],
    ["could not be judged", () => Promise.reject(new Error("Keys are not available"))],
  ] as const
) {
  Deno.test(`bearer() verifies again a token that ${name} (SPEC A4.1)`, async () => {
    const answers = [first, first, () => Promise.resolve(accept("alice"))];
    const { asked, send } = gateOver(() => answers.shift()!());
    const together = await Promise.all([send("t1"), send("t1"), send("t1")]);
    equal(new Set(together.map(statusOf)).size, 1);
    ok(statusOf(together[0]!) > 400);
    equal(asked.length, 1);
    ok(statusOf(await send("t1")) > 400);
    equal(admitted(await send("t1")).subject, "alice");
    equal(asked.length, 3);
  });
}

Deno.test("bearer() answers 503 without a challenge when nothing can be judged (SPEC A3.1)", async () => {
  const token = forge({});
  const { ports, send } = gateOver(() => {
    throw new Error(`Cannot introspect ${token}: the issuer is down`);
  });
  const response = await send(token);
  ok(response instanceof Response);
  equal(response.status, 503);
  equal(response.headers.get("retry-after"), "5");
  equal(response.headers.get("cache-control"), "no-store");
  equal(response.headers.get("www-authenticate"), null);
  equal(ports.lines.length, 1);
  const { level, event, error } = JSON.parse(ports.lines[0]!);
  deepEqual({ level, event }, { level: "error", event: "token not judged" });
  match(error, /the issuer is down$/);
  deepEqual(leaks(await wire(response) + ports.lines.join(""), token), []);
});

const LIFETIMES: readonly (readonly [name: string, exp: number, remembered: number])[] = [
  ["for 300 s when it lives for longer", CACHE_SECONDS + 1, CACHE_SECONDS],
  ["for 300 s when it lives for as long", CACHE_SECONDS, CACHE_SECONDS],
  ["until it expires when that is sooner", CACHE_SECONDS - 1, CACHE_SECONDS - 1],
  ["until it expires when that is at once", 1, 1],
];
for (const [name, exp, remembered] of LIFETIMES) {
  Deno.test(`bearer() remembers a token ${name} (SPEC A4.6)`, async () => {
    const { asked, ports, send } = gateOver(() => accept("alice", NOW + exp));
    await send("t1");
    ports.advance(remembered - 1);
    equal(admitted(await send("t1")).subject, "alice");
    equal(asked.length, 1);
    ports.advance(1);
    await send("t1");
    equal(asked.length, 2);
  });
}

for (const [name, exp] of [["now", 0], ["within the skew before now", -29]] as const) {
  Deno.test(`bearer() does not remember a token that expires ${name} (SPEC A4.6)`, async () => {
    const { asked, send } = gateOver(() => accept("alice", NOW + exp));
    await send("t1");
    await send("t1");
    equal(asked.length, 2);
  });
}

Deno.test("bearer() does not remember a token that expired while being verified (SPEC A4.6)", async () => {
  const verdict = Promise.withResolvers<Verdict>();
  const { asked, ports, send } = gateOver(() => verdict.promise);
  const first = send("t1");
  ports.advance(10);
  verdict.resolve(accept("alice", NOW + 10));
  await first;
  await send("t1");
  equal(asked.length, 2);
});

Deno.test("bearer() remembers the tokens used last, and no more than the bound (SPEC A4.5)", async () => {
  const { asked, send } = gateOver((token) => accept(token));
  for (let index = 0; index < CACHE_ENTRIES; index++) await send(`t${index}`);
  equal(asked.length, CACHE_ENTRIES);
  await send("t0");
  equal(asked.length, CACHE_ENTRIES);
  await send("one more");
  asked.length = 0;
  // The first was used again, so the second made room.
  for (const token of ["t0", "one more", "t2", "t1"]) {
    equal(admitted(await send(token)).subject, token);
  }
  deepEqual(asked, ["t1"]);
});

Deno.test("bearer() remembers no more than so much length of tokens (SPEC A4.5)", async () => {
  const { asked, send } = gateOver(() => accept("alice"));
  const tokens = [..."abcde"].map((letter) => letter.repeat(CACHE_LENGTH / 4));
  for (const token of tokens) await send(token);
  asked.length = 0;
  for (const token of [tokens[1]!, tokens[4]!, tokens[0]!]) await send(token);
  deepEqual(asked.map((token) => token[0]), ["a"]);
});

Deno.test("bearer() never mixes up tokens, and verifies as seldom as it may (SPEC A4.1, A4.6)", async () => {
  const LIVES: Readonly<Record<string, number>> = { short: 20, Short: 40, long: 4000, late: 310 };
  const step = fc.oneof(
    fc.record({ token: fc.constantFrom(...Object.keys(LIVES)) }),
    fc.record({ wait: fc.constantFrom(1, 19, 20, 299, 300) }),
  );
  const property = async (steps: ({ token: string } | { wait: number })[]) => {
    const { asked, ports, send } = gateOver((token, now) =>
      now < NOW + LIVES[token]! ? accept(`owner of ${token}`, NOW + LIVES[token]!) : REFUSED
    );
    const until = new Map<string, number>();
    let verified = 0;
    for (const step of steps) {
      if ("wait" in step) {
        ports.advance(step.wait);
        continue;
      }
      const { token } = step;
      const ends = NOW + LIVES[token]!;
      if (!(ports.now() < (until.get(token) ?? 0))) {
        verified++;
        until.set(token, Math.min(ports.now() + CACHE_SECONDS, ends));
      }
      const result = await send(token);
      equal(statusOf(result), ports.now() < ends ? 200 : 401);
      if (result instanceof Response) continue;
      deepEqual(result, { ...identityOf(`owner of ${token}`, ends), token });
    }
    equal(asked.length, verified);
  };
  await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 30 }), property), {
    seed: 1,
    numRuns: 200,
  });
});

Deno.test("bearer() judges scopes at every request, remembered or not (SPEC A4.1)", async () => {
  const { asked, ports, send } = gateOver(() => accept("alice"), ["mcp:read", "mcp:write"]);
  for (const _ of [1, 2]) {
    const response = await send("t1");
    ok(response instanceof Response);
    equal(response.status, 403);
    const { parameters } = challengeOf(response.headers.get("www-authenticate"));
    equal(parameters.error, "insufficient_scope");
    equal(parameters.scope, "mcp:read mcp:write");
  }
  equal(asked.length, 1);
  const { event, needed, lacking } = JSON.parse(ports.lines[0]!);
  const scopes = ["mcp:read", "mcp:write"];
  deepEqual({ event, needed, lacking }, {
    event: "scope refused",
    needed: scopes,
    lacking: scopes,
  });
});

const HEADERS: readonly (readonly [header: string | null, kind: string, token?: string])[] = [
  [null, "none"],
  ["", "none"],
  ["Basic dTpw", "none"],
  ["Bearerx", "none"],
  ["Bearer: x", "none"],
  ["Bearer\tx", "none"],
  [" Bearer x", "none"],
  ["Bearer", "token", ""],
  ["Bearer ", "token", ""],
  ["Bearer x", "token", "x"],
  ["bEARER   x", "token", "x"],
  ["Bearer x y", "token", "x y"],
  ["Bearer x\ny", "token", "x\ny"],
  ["Bearer x, Bearer y", "several"],
  ["Bearer ,", "several"],
];
for (const [header, kind, token] of HEADERS) {
  Deno.test(`credentialOf() finds ${kind} in ${JSON.stringify(header)} (SPEC A4.4)`, () => {
    deepEqual(credentialOf(header), { kind, ...(token !== undefined && { token }) });
  });
}

Deno.test("credentialOf() finds the token of any header that has one (SPEC A4.4)", () => {
  const scheme = fc.constantFrom("Bearer", "bearer", "BEARER", "bEaReR");
  const token = fc.string({ unit: "binary-ascii", maxLength: 40 })
    .map((text) => text.replace(/^ +/, "").replaceAll(",", ";"));
  const property = (name: string, spaces: number, text: string, times: number) => {
    const long = text.repeat(times);
    const credential = credentialOf(`${name}${" ".repeat(spaces)}${long}`);
    ok(credential.kind === "token");
    // What is longer than any token need not be kept, as long as it stays too long.
    const kept = MAX_TOKEN_BYTES + 1;
    equal(credential.token.slice(0, kept), long.slice(0, kept));
  };
  fc.assert(
    fc.property(
      scheme,
      fc.integer({ min: 1, max: 5 }),
      token,
      fc.constantFrom(1, 2, 999),
      property,
    ),
    { seed: 1, numRuns: 300 },
  );
});

Deno.test("credentialOf() takes any text, and none but Bearer's for a token (SPEC A4.4)", () => {
  const scheme = fc.constantFrom("", "Bearer", "bearer ", "Bearer\t", "Bearer\u00a0", "Basic ");
  const property = (name: string, text: string) => {
    const header = name + text;
    const { kind } = credentialOf(header);
    if (!/^bearer( |$)/i.test(header)) equal(kind, "none");
    else equal(kind, header.includes(",") ? "several" : "token");
  };
  fc.assert(fc.property(scheme, fc.string({ unit: "binary", maxLength: 100 }), property), {
    seed: 1,
    numRuns: 300,
  });
});
