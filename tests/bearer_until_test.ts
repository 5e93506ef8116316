import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import fc from "fast-check";
import { bearer, CACHE_SECONDS } from "../lib/bearer.ts";
import { challenges } from "../lib/challenge.ts";
import type { Verdict } from "../lib/errors.ts";
import { scopeCover } from "../lib/scope.ts";
import { tracer } from "../lib/trace.ts";
import { fakePorts, NOW, ORIGIN } from "./fakes.ts";

type Verify = (now: number) => Verdict | Promise<Verdict>;

/** What a provider says of a token that lives until `expiresAt`. */
function accept(expiresAt: number, until?: number): Verdict {
  const identity = {
    subject: "alice",
    issuer: ORIGIN,
    username: "alice",
    scopes: [],
    roles: [],
    expiresAt,
    claims: {},
  };
  return { ok: true, identity, ...(until !== undefined && { until }) };
}

const ENDED: Verdict = { ok: false, refusal: { reason: "grant", detail: "ended or unknown" } };

/** The gate, when it asked, and what it answers to one and the same token. */
function gateOver(verify: Verify) {
  const ports = fakePorts();
  const asked: number[] = [];
  const gate = bearer(
    {
      issuer: ORIGIN,
      metadata: () => Promise.reject(new Error("Nobody asks for this")),
      verify: async (_, now) => (asked.push(now), await verify(now)),
    },
    ports,
    {
      challenges: challenges(`${ORIGIN}/metadata`, []),
      scopesRequired: [],
      missing: scopeCover([]),
      mayCall: () => true,
    },
  );
  const open = tracer(ports);
  const headers = { authorization: "Bearer t1" };
  return {
    ports,
    asked,
    send: async () => {
      const result = await gate(new Request(`${ORIGIN}/mcp`, { headers }), open());
      return result instanceof Response ? result.status : 200;
    },
  };
}

const ROWS: readonly (readonly [
  name: string,
  expires: number,
  until: number | undefined,
  remembered: number,
])[] = [
  ["until the verdict says, when that is first", 3600, 30, 30],
  ["until the verdict says, when that is in a second", 3600, 1, 1],
  ["until the token expires, when that is first", 20, 30, 20],
  ["for 300 s, when the verdict allows longer", 3600, 4000, CACHE_SECONDS],
  ["for 300 s, when the verdict says nothing", 3600, undefined, CACHE_SECONDS],
  ["for 300 s, when the verdict never ends", 3600, Infinity, CACHE_SECONDS],
];
for (const [name, expires, until, remembered] of ROWS) {
  Deno.test(`bearer() remembers a verdict ${name} (SPEC A4.6, B3.7)`, async () => {
    const { asked, ports, send } = gateOver(() =>
      accept(NOW + expires, until === undefined ? undefined : NOW + until)
    );
    await send();
    ports.advance(remembered - 1);
    equal(await send(), 200);
    deepEqual(asked, [NOW]);
    ports.advance(1);
    await send();
    deepEqual(asked, [NOW, NOW + remembered]);
  });
}

for (const [name, until] of [["now", 0], ["in the past", -1], ["at the epoch", -NOW]] as const) {
  Deno.test(`bearer() remembers no verdict that ends ${name}, and admits once (SPEC B3.7)`, async () => {
    const { asked, send } = gateOver(() => accept(NOW + 3600, NOW + until));
    deepEqual([await send(), await send()], [200, 200]);
    equal(asked.length, 2);
  });
}

Deno.test("bearer() asks again after a verdict that ended while it was made (SPEC B3.7)", async () => {
  const verdict = Promise.withResolvers<Verdict>();
  const { asked, ports, send } = gateOver(() => verdict.promise);
  const first = send();
  ports.advance(30);
  verdict.resolve(accept(NOW + 3600, NOW + 30));
  equal(await first, 200);
  await send();
  deepEqual(asked, [NOW, NOW + 30]);
});

Deno.test("bearer() refuses within 30 s of the end of a grant (SPEC B3.2, B3.7)", async () => {
  let ended = false;
  const { ports, send } = gateOver((now) => ended ? ENDED : accept(NOW + 600, now + 30));
  equal(await send(), 200);
  ended = true;
  ports.advance(29);
  equal(await send(), 200);
  ports.advance(1);
  equal(await send(), 401);
  equal(await send(), 401);
});

Deno.test("bearer() answers 503 when it has to ask again and nobody can tell (SPEC A3.1, B3.7)", async () => {
  let up = true;
  const { ports, send } = gateOver((now) => {
    if (!up) throw new Error("Cannot reach the store");
    return accept(NOW + 600, now + 30);
  });
  await send();
  up = false;
  ports.advance(29);
  equal(await send(), 200);
  ports.advance(1);
  equal(await send(), 503);
});

Deno.test("bearer() asks as seldom as a verdict lets it, and never later (SPEC A4.6, B3.7)", async () => {
  const waits = fc.array(fc.constantFrom(0, 1, 29, 30, 31, 299, 300, 301), { maxLength: 30 });
  const life = fc.option(fc.integer({ min: -1, max: 400 }), { nil: undefined });
  const property = async (steps: number[], seconds: number | undefined, lives: number) => {
    const { asked, ports, send } = gateOver((now) =>
      accept(NOW + lives, seconds === undefined ? undefined : now + seconds)
    );
    const expected: number[] = [];
    let until = 0;
    for (const wait of steps) {
      ports.advance(wait);
      const now = ports.now();
      if (now >= until) {
        expected.push(now);
        until = Math.min(now + CACHE_SECONDS, NOW + lives, now + (seconds ?? Infinity));
      }
      await send();
    }
    deepEqual(asked, expected);
  };
  await fc.assert(fc.asyncProperty(waits, life, fc.constantFrom(10, 600, 10_000), property), {
    seed: 1,
    numRuns: 300,
  });
});
