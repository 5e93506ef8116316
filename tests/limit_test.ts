import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import fc from "fast-check";
import { limiter, MAX_CLIENTS } from "../lib/limit.ts";
import { NOW } from "./fakes.ts";

const RUNS = { seed: 1, numRuns: 300 };
const ALICE = "203.0.113.7";

/** A limiter over a clock that the test sets. */
function limited(limit: number, windowSeconds: number, maxClients?: number) {
  const clock = { now: NOW };
  const options = { limit, windowSeconds, ...(maxClients !== undefined && { maxClients }) };
  return { clock, ask: limiter(options, () => clock.now) };
}

const times = <T>(count: number, act: () => T): T[] => Array.from({ length: count }, act);

Deno.test("limiter() admits as many at once as the limit says, then says when (SPEC B4.3)", () => {
  for (const limit of [1, 2, 3, 7, 10, 60, 100]) {
    const { ask } = limited(limit, 60);
    deepEqual(times(limit, () => ask(ALICE)), Array(limit).fill(0));
    equal(ask(ALICE), Math.ceil(60 / limit), `limit ${limit}`);
  }
});

Deno.test("limiter() admits one more with each part of the window that passes (SPEC B4.3)", () => {
  const { ask, clock } = limited(3, 30);
  times(3, () => ask(ALICE));
  equal(ask(ALICE), 10);
  clock.now += 9;
  equal(ask(ALICE), 1);
  clock.now += 1;
  deepEqual(times(2, () => ask(ALICE)), [0, 10]);
  clock.now += 30;
  deepEqual(times(4, () => ask(ALICE)), [0, 0, 0, 10]);
});

Deno.test("limiter() does not count what it refuses (SPEC B4.3)", () => {
  const { ask, clock } = limited(1, 10);
  equal(ask(ALICE), 0);
  deepEqual(times(50, () => ask(ALICE)), Array(50).fill(10));
  clock.now += 10;
  equal(ask(ALICE), 0);
});

Deno.test("limiter() lets nobody wait longer because the clock was set back (SPEC B4.3)", () => {
  const { ask, clock } = limited(2, 20);
  times(2, () => ask(ALICE));
  clock.now -= 86_400;
  equal(ask(ALICE), 10);
});

const SAME: [name: string, one: string, other: string, same: boolean][] = [
  ["one IPv4 address", ALICE, ALICE, true],
  ["two IPv4 addresses", ALICE, "203.0.113.8", false],
  ["an IPv4 address in IPv6 notation", ALICE, `::ffff:${ALICE}`, true],
  ["the same in hexadecimal", ALICE, "::ffff:cb00:7107", true],
  ["two IPv4 addresses in IPv6 notation", `::ffff:${ALICE}`, "::ffff:203.0.113.8", false],
  ["two addresses of one /64", "2001:db8:0:1::1", "2001:DB8:0:1:ffff:ffff:ffff:ffff", true],
  ["neighbouring /64s", "2001:db8:0:1::1", "2001:db8:0:2::1", false],
  ["one address in two zones", "fe80::1%eth0", "fe80::2", true],
  ["loopback of both versions", "127.0.0.1", "::1", false],
  ["two texts that are no address", "unknown", "", true],
  ["other notations of IPv4", "0x7f.1", "2130706433", true],
  ["an IPv4 address and a notation of it that nobody writes", "127.0.0.1", "127.1", false],
];
for (const [name, one, other, same] of SAME) {
  Deno.test(`limiter() counts ${name} ${same ? "together" : "apart"} (SPEC B4.3)`, () => {
    const { ask } = limited(1, 10);
    equal(ask(one), 0);
    equal(ask(other) > 0, same);
  });
}

Deno.test("limiter() remembers a bounded number of clients, those who ask best (SPEC B4.3)", () => {
  const { ask } = limited(1, 10, 2);
  deepEqual(["10.0.0.1", "10.0.0.2", "10.0.0.1", "10.0.0.3"].map(ask), [0, 0, 10, 0]);
  deepEqual(["10.0.0.1", "10.0.0.2"].map(ask), [10, 0]);
});

Deno.test(`limiter() remembers ${MAX_CLIENTS} clients when nothing else is said (SPEC B4.3)`, () => {
  const { ask } = limited(1, 10);
  const addresses = Array.from({ length: MAX_CLIENTS }, (_, i) => `10.1.${i >> 8}.${i & 255}`);
  ok(addresses.every((address) => ask(address) === 0));
  ok(addresses.every((address) => ask(address) === 10));
  equal(ask(ALICE), 0);
  equal(ask(addresses[0]!), 0);
});

Deno.test("limiter() keeps within its limit over any time, and to its word (SPEC B4.3)", () => {
  const property = (limit: number, windowSeconds: number, pauses: number[]) => {
    const { ask, clock } = limited(limit, windowSeconds);
    const admitted: number[] = [];
    for (const pause of pauses) {
      clock.now += pause;
      const wait = ask(ALICE);
      ok(Number.isInteger(wait) && wait >= 0 && wait <= Math.ceil(windowSeconds / limit));
      if (wait > 1) {
        clock.now += wait - 1;
        ok(ask(ALICE) > 0, "It let somebody wait in vain");
        clock.now += 1;
      } else clock.now += wait;
      if (wait > 0) equal(ask(ALICE), 0, "Waiting as told did not help");
      admitted.push(clock.now);
    }
    for (const [first, from] of admitted.entries()) {
      for (const [last, to] of admitted.entries()) {
        if (last < first) continue;
        ok(last - first + 1 <= limit + ((to - from) * limit) / windowSeconds);
      }
    }
  };
  const pauses = fc.array(fc.oneof(fc.constant(0), fc.nat({ max: 20 })), { maxLength: 40 });
  const whole = fc.integer({ min: 1, max: 100 });
  fc.assert(fc.property(whole, whole, pauses, property), RUNS);
});

Deno.test("limiter() judges each client as if there were no other (SPEC B4.3)", () => {
  const step = fc.record({ client: fc.nat({ max: 4 }), pause: fc.nat({ max: 3 }) });
  const property = (steps: { client: number; pause: number }[]) => {
    const { ask, clock } = limited(3, 10);
    const alone = Array.from(
      { length: 5 },
      () => limiter({ limit: 3, windowSeconds: 10 }, () => clock.now),
    );
    for (const { client, pause } of steps) {
      clock.now += pause;
      equal(ask(`2001:db8:0:${client}::1`), alone[client]!(ALICE));
    }
  };
  fc.assert(fc.property(fc.array(step, { maxLength: 60 }), property), RUNS);
});
