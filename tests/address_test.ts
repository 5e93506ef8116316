import { strictEqual as equal } from "node:assert/strict";
import fc from "fast-check";
import { isLoopbackAddress, isPublicAddress } from "../lib/address.ts";

/** The IANA special-purpose registries of 2025, and blocks that are not for hosts at all. */
const IPV4 = `
  0.0.0.0/8 0.0.0.0/32 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 168.63.129.16/32 169.254.0.0/16
  172.16.0.0/12 192.0.0.0/24 192.0.0.0/29 192.0.0.8/32 192.0.0.9/32 192.0.0.10/32 192.0.0.170/32
  192.0.0.171/32 192.0.2.0/24 192.31.196.0/24 192.52.193.0/24 192.88.99.0/24 192.88.99.2/32
  192.168.0.0/16 192.175.48.0/24 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4
  240.0.0.0/4 255.255.255.255/32
`.trim().split(/\s+/);

const IPV6 = `
  ::/128 ::1/128 ::/96 ::ffff:0:0/96 ::ffff:0:0:0/96 64:ff9b::/96 64:ff9b:1::/48 100::/64
  100:0:0:1::/64 2001::/23 2001::/32 2001:1::1/128 2001:1::2/128 2001:1::3/128 2001:2::/48
  2001:3::/32 2001:4:112::/48 2001:10::/28 2001:20::/28 2001:30::/28 2001:db8::/32 2002::/16
  2620:4f:8000::/48 3fff::/20 5f00::/16 fc00::/7 fe80::/10 fec0::/10 ff00::/8
  ::/3 4000::/2 8000::/1
`.trim().split(/\s+/);

interface Family {
  readonly bits: number;
  readonly special: readonly Range[];
  textOf(address: bigint): string;
}

interface Range {
  readonly name: string;
  readonly first: bigint;
  readonly last: bigint;
}

// A reading of our own, so that the library is not asked about itself.
function rangeOf(cidr: string, bits: number): Range {
  const [base, prefix] = cidr.split("/") as [string, string];
  const number = (parts: string[], width: number, radix: number) =>
    parts.reduce((sum, part) => (sum << BigInt(width)) | BigInt(parseInt(part, radix)), 0n);
  const expand = () => {
    const [head = "", tail = ""] = base.split("::");
    const [left, right] = [head, tail].map((text) => text.split(":").filter(Boolean));
    return [...left!, ...Array(8 - left!.length - right!.length).fill("0"), ...right!];
  };
  const first = bits === 32 ? number(base.split("."), 8, 10) : number(expand(), 16, 16);
  return { name: cidr, first, last: first + (1n << BigInt(bits - Number(prefix))) - 1n };
}

const partsOf = (address: bigint, count: number, width: number) =>
  Array.from(
    { length: count },
    (_, index) => (address >> BigInt(width * (count - 1 - index))) & ((1n << BigInt(width)) - 1n),
  );

const FAMILIES: readonly Family[] = [{
  bits: 32,
  special: IPV4.map((cidr) => rangeOf(cidr, 32)),
  textOf: (address) => partsOf(address, 4, 8).join("."),
}, {
  bits: 128,
  special: IPV6.map((cidr) => rangeOf(cidr, 128)),
  textOf: (address) => partsOf(address, 8, 16).map((part) => part.toString(16)).join(":"),
}];

function isSpecial({ bits, special }: Family, address: bigint): boolean {
  const isIsatap = bits === 128 && [0x5efen, 0x2005efen].includes((address >> 32n) & 0xffffffffn);
  return isIsatap || special.some(({ first, last }) => first <= address && address <= last);
}

for (const family of FAMILIES) {
  for (const range of family.special) {
    Deno.test(`isPublicAddress() refuses ${range.name} to its ends, and nothing beside it (SPEC E3, E4)`, () => {
      for (const address of [range.first, range.first + 1n, range.last - 1n, range.last]) {
        if (address < range.first || address > range.last) continue;
        equal(isPublicAddress(family.textOf(address)), false, family.textOf(address));
      }
      for (const address of [range.first - 1n, range.last + 1n]) {
        if (address < 0n || address >> BigInt(family.bits)) continue;
        const text = family.textOf(address);
        equal(isPublicAddress(text), !isSpecial(family, address), text);
      }
    });
  }

  Deno.test(`isPublicAddress() agrees with the registry on any address of ${family.bits} bits (SPEC E3, E4)`, () => {
    const max = (1n << BigInt(family.bits)) - 1n;
    const near = fc.record({
      range: fc.constantFrom(...family.special),
      offset: fc.bigInt(-3n, 3n),
      end: fc.boolean(),
    }).map(({ range, offset, end }) => (end ? range.last : range.first) + offset)
      .filter((address) => address >= 0n && address <= max);
    const unicast = fc.bigInt(1n << BigInt(family.bits - 3), (1n << BigInt(family.bits - 2)) - 1n);
    const property = (address: bigint) => {
      const text = family.textOf(address);
      equal(isPublicAddress(text), !isSpecial(family, address), text);
    };
    fc.assert(fc.property(fc.oneof(near, unicast, fc.bigInt(0n, max)), property), {
      seed: 1,
      numRuns: 2000,
    });
  });
}

const FORMS: readonly (readonly [address: string, name: string])[] = [
  ["64:ff9b::169.254.169.254", "NAT64"],
  ["64:ff9b::a9fe:a9fe", "NAT64 in hexadecimal"],
  ["64:ff9b:1::a9fe:a9fe", "NAT64 with a local prefix"],
  ["64:ff9b::1.1.1.1", "NAT64 of a public address, which the translator decides on"],
  ["2002:a9fe:a9fe::1", "6to4"],
  ["2002:7f00:1::", "6to4 of loopback"],
  ["2001:0:7f00:1::5601:5601", "Teredo"],
  ["2600:1f18::5efe:169.254.169.254", "ISATAP"],
  ["2600:1f18::200:5efe:a9fe:a9fe", "ISATAP with the universal bit"],
  ["::ffff:169.254.169.254", "mapped IPv4"],
  ["::ffff:a9fe:a9fe", "mapped IPv4 in hexadecimal"],
  ["0:0:0:0:0:ffff:1.1.1.1", "mapped IPv4 that is public in itself"],
  ["::ffff:0:127.0.0.1", "translated IPv4 (RFC 2765)"],
  ["::127.0.0.1", "compatible IPv4"],
  ["fd00:ec2::254", "metadata of a cloud over IPv6"],
  ["100.100.100.200", "metadata of a cloud in shared space"],
  ["fe80::1%eth0", "a zone"],
  ["2606:4700::1%eth0", "a zone on a public address"],
  ["127.1", "IPv4 in two parts"],
  ["1.1", "public IPv4 in two parts"],
  ["0x7f.0.0.1", "hexadecimal parts"],
  ["0177.0.0.1", "octal parts"],
  ["01.1.1.1", "a leading zero"],
  ["2130706433", "IPv4 as one number"],
  ["16843009", "public IPv4 as one number"],
  ["[2606:4700::1]", "brackets"],
  ["1.1.1.1:443", "a port"],
  ["1.1.1.1.", "a dot at the end"],
  [" 1.1.1.1", "a blank"],
  ["1.1.1.256", "a part too large"],
  ["2606:4700::1::", "two gaps"],
  ["localhost", "a name"],
  ["", "nothing"],
];
for (const [address, name] of FORMS) {
  Deno.test(`isPublicAddress() refuses ${name}: ${JSON.stringify(address)} (SPEC E3, E4; FastMCP 3.4.3)`, () => {
    equal(isPublicAddress(address), false);
  });
}

for (
  const address of ["1.1.1.1", "8.8.8.8", "2606:4700:4700::1111", "2A00:1450::1", "2001:200::"]
) {
  Deno.test(`isPublicAddress() accepts ${address} (SPEC E4)`, () => {
    equal(isPublicAddress(address), true);
  });
}

const LOOPBACK: readonly (readonly [address: string, loopback: boolean])[] = [
  ["127.0.0.0", true],
  ["127.0.0.1", true],
  ["127.255.255.255", true],
  ["126.255.255.255", false],
  ["128.0.0.0", false],
  ["::1", true],
  ["0:0:0:0:0:0:0:1", true],
  ["::", false],
  ["::2", false],
  ["::ffff:127.0.0.1", false],
  ["::127.0.0.1", false],
  ["0.0.0.0", false],
  ["127.1", false],
  ["::1%lo", false],
  ["localhost", false],
  ["10.0.0.1", false],
  ["1.1.1.1", false],
];
for (const [address, loopback] of LOOPBACK) {
  Deno.test(`isLoopbackAddress() says ${loopback} to ${address} (SPEC B4.1)`, () => {
    equal(isLoopbackAddress(address), loopback);
  });
}

Deno.test("isPublicAddress() and isLoopbackAddress() take any text, and no text for both (SPEC E3)", () => {
  const texts = fc.oneof(fc.string({ unit: "binary" }), fc.ipV4(), fc.ipV4Extended(), fc.ipV6());
  fc.assert(
    fc.property(texts, (text) => equal(isPublicAddress(text) && isLoopbackAddress(text), false)),
    { seed: 1, numRuns: 1000 },
  );
});
