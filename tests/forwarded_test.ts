import { strictEqual as equal } from "node:assert/strict";
import fc from "fast-check";
import { among, forwarded, isBlock, MAX_FORWARDED_LENGTH } from "../lib/forwarded.ts";

const RUNS = { seed: 1, numRuns: 500 };
const ALICE = "203.0.113.7";
const PROXY = "10.0.0.1";
const TRUSTED = ["10.0.0.0/24", "2001:db8:1::/48"];

const HEADERS: [header: string | null, address: string][] = [
  [null, PROXY],
  ["", PROXY],
  [ALICE, ALICE],
  [`6.6.6.6, ${ALICE}`, ALICE],
  [`6.6.6.6,${ALICE}, 10.0.0.2`, ALICE],
  [`6.6.6.6, ${ALICE} ,10.0.0.3,2001:db8:1::5`, ALICE],
  ["10.0.0.3, 10.0.0.2", "10.0.0.3"],
  [`${ALICE}, `, PROXY],
  [`${ALICE}, , 10.0.0.2`, "10.0.0.2"],
  [`${ALICE}, unknown, 10.0.0.2`, "10.0.0.2"],
  [`${ALICE}:443`, ALICE],
  ["[2001:db8::7]:443", "2001:db8::7"],
  ["[2001:DB8::7]", "2001:db8::7"],
  ["2001:db8:0:0::7", "2001:db8::7"],
  [`::ffff:${ALICE}`, ALICE],
  [`[::ffff:${ALICE}]:1`, ALICE],
  [`${ALICE}, ::ffff:10.0.0.2`, ALICE],
  ["unknown", PROXY],
  ["_hidden:1", PROXY],
  ["203.0.113.256", PROXY],
  ["203.0.113", PROXY],
  ["0xcb.0.0.1", PROXY],
  ["0313.0.113.7", PROXY],
  [`${ALICE}:x`, PROXY],
  [`${ALICE} 6.6.6.6`, PROXY],
  ["[2001:db8::7", PROXY],
  ["[2001:db8::7]x", PROXY],
  ["for=203.0.113.7", PROXY],
];
for (const [header, address] of HEADERS) {
  Deno.test(`forwarded() tells ${address} from ${JSON.stringify(header)} of a trusted proxy (SPEC B4.3)`, () => {
    equal(forwarded(TRUSTED)(PROXY, header), address);
  });
}

Deno.test("forwarded() leaves the address of a socket that is not trusted as it is (SPEC B4.3)", () => {
  for (const remote of ["203.0.113.9", "10.0.1.1", "2001:db8:2::1", "", "unix", "10.1"]) {
    equal(forwarded(TRUSTED)(remote, ALICE), remote);
    equal(forwarded([])(remote, ALICE), remote);
  }
});

Deno.test("forwarded() knows a trusted proxy in either notation of IPv4 (SPEC B4.3)", () => {
  equal(forwarded(TRUSTED)("::ffff:10.0.0.1", ALICE), ALICE);
  equal(forwarded(TRUSTED)("::ffff:10.0.1.1", ALICE), "::ffff:10.0.1.1");
});

Deno.test("forwarded() reads the end of a long header, and no half of an entry (SPEC B4.3)", () => {
  const addressOf = forwarded(TRUSTED);
  const passed = ",10.0.0.2".repeat(100);
  const own = "203.0.113.70".padStart(MAX_FORWARDED_LENGTH - passed.length);
  equal(addressOf(PROXY, `${own}${passed}`), "203.0.113.70");
  // Of this one, 3.0.113.70 would be left.
  const more = ",10.0.0.2".repeat(112);
  const blanks = " ".repeat(MAX_FORWARDED_LENGTH - more.length - 10);
  equal(addressOf(PROXY, `203.0.113.70${blanks}${more}`), "10.0.0.2");
  equal(addressOf(PROXY, ",".repeat(1_000_000) + ALICE), ALICE);
});

Deno.test("forwarded() lets no stranger choose an address, whatever it writes (SPEC B4.3)", () => {
  const isTrusted = among(TRUSTED);
  const stranger = fc.oneof(fc.ipV4(), fc.ipV6()).filter((address) => !isTrusted(address));
  const proxies = fc.array(fc.constantFrom("10.0.0.2", "10.0.0.77", "2001:db8:1::9"), {
    maxLength: 8,
  });
  const own = fc.oneof(
    fc.string({ unit: "binary", maxLength: 60 }),
    fc.array(fc.oneof(fc.ipV4(), fc.ipV6(), fc.constant(PROXY)), { maxLength: 5 })
      .map((all) => all.join(", ")),
  );
  const addressOf = forwarded(TRUSTED);
  const property = (address: string, forged: string, passed: string[]) => {
    const header = [forged, address, ...passed].join(", ");
    const honest = [address, ...passed].join(", ");
    equal(addressOf(PROXY, header), addressOf(PROXY, honest));
    // And without a proxy in between, the header is as good as none.
    equal(addressOf(address, header), address);
  };
  fc.assert(fc.property(stranger, own, proxies, property), RUNS);
});

const BLOCKS: [text: string, is: boolean][] = [
  ["127.0.0.1", true],
  ["10.0.0.0/8", true],
  ["10.1.2.3/8", true],
  ["::1", true],
  ["fd00::/8", true],
  ["2001:db8::1/128", true],
  ["0.0.0.0/1", true],
  ["0.0.0.0/0", false],
  ["::/0", false],
  ["10.0.0.0/33", false],
  ["::/129", false],
  ["10.0.0.0/", false],
  ["10.0.0.0/8/8", false],
  ["10.0.0.0/-1", false],
  ["10.0.0.0/255.0.0.0", false],
  ["10", false],
  ["10.1", false],
  ["0x7f.0.0.1", false],
  ["010.0.0.1", false],
  ["::ffff:10.0.0.1", false],
  ["::ffff:10.0.0.0/104", false],
  ["fe80::1%eth0", false],
  ["proxy.example.com", false],
  ["loopback", false],
  ["*", false],
  ["", false],
];
for (const [text, is] of BLOCKS) {
  Deno.test(`isBlock() ${is ? "admits" : "refuses"} ${JSON.stringify(text)}`, () => {
    equal(isBlock(text), is);
  });
}

Deno.test("among() knows the addresses of its blocks, and no others", () => {
  const isAmong = among(["10.1.2.3/16", "192.0.2.1", "fd00::/8"]);
  for (const address of ["10.1.255.255", "192.0.2.1", "::ffff:10.1.0.0", "fdff::1"]) {
    equal(isAmong(address), true, address);
  }
  for (const address of ["10.2.0.0", "192.0.2.2", "fe00::1", "x", ""]) {
    equal(isAmong(address), false, address);
  }
});
