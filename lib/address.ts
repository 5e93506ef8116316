/**
 * Which network addresses a stranger may send this server to.
 *
 * An address is public when the registries of special-purpose addresses (RFC 6890, at IANA) do not
 * list its block, when it can stand for one host, and when it hides no IPv4 address that another
 * machine would dig out. Everything else is refused, and so is what cannot be read: the question is
 * what is known to be harmless, not what is known to be bad.
 *
 * Not known here: prefixes that the operator's own network translates or routes in a way of its own
 * (RFC 6052 section 2.2). Those are for a firewall.
 *
 * @module
 */

import ipaddr from "ipaddr.js";

type Block = ReturnType<typeof ipaddr.parseCIDR>;

const blocks = (text: string): readonly Block[] =>
  text.trim().split(/\n/).map((line) => ipaddr.parseCIDR(line.trim().split(/ /)[0]!));

const LOOPBACK = blocks(`
  127.0.0.0/8
  ::1/128
`);

const SPECIAL_IPV4 = blocks(`
  0.0.0.0/8 this network
  10.0.0.0/8 private
  100.64.0.0/10 shared by a carrier's customers; some clouds put metadata here
  127.0.0.0/8 loopback
  168.63.129.16/32 not in the registry: the host of a virtual machine, at one large cloud
  169.254.0.0/16 link-local, with the metadata of most clouds
  172.16.0.0/12 private
  192.0.0.0/24 protocol assignments
  192.0.2.0/24 documentation
  192.31.196.0/24 AS112
  192.52.193.0/24 AMT
  192.88.99.0/24 6to4 relays
  192.168.0.0/16 private
  192.175.48.0/24 AS112
  198.18.0.0/15 benchmarks
  198.51.100.0/24 documentation
  203.0.113.0/24 documentation
  224.0.0.0/4 multicast
  240.0.0.0/4 reserved, and broadcast
`);

// All that IANA has opened for unicast. Loopback, unique local, link-local, multicast, NAT64
// (64:ff9b::/96, 64:ff9b:1::/48) and the mapped and compatible forms of IPv4 lie outside.
const OPEN_IPV6 = blocks("2000::/3");

const SPECIAL_IPV6 = blocks(`
  2001::/23 protocol assignments; Teredo, which carries IPv4, is 2001::/32
  2001:db8::/32 documentation
  2002::/16 6to4, which carries IPv4
  2620:4f:8000::/48 AS112
  3fff::/20 documentation
`);

/**
 * Whether `address` is one of the public internet's.
 *
 * @param address Text of an IPv4 address in four decimal parts, or of an IPv6 address without
 * brackets and zone. Any other text is not public.
 *
 * @example
 * ```ts
 * import { strictEqual } from "node:assert/strict";
 * import { isPublicAddress } from "./address.ts";
 *
 * strictEqual(isPublicAddress("1.1.1.1"), true);
 * strictEqual(isPublicAddress("169.254.169.254"), false);
 * strictEqual(isPublicAddress("64:ff9b::a9fe:a9fe"), false);
 * ```
 */
export function isPublicAddress(address: string): boolean {
  const parsed = parse(address);
  if (!parsed) return false;
  if (parsed instanceof ipaddr.IPv4) return !isIn(parsed, SPECIAL_IPV4);
  return isIn(parsed, OPEN_IPV6) && !isIn(parsed, SPECIAL_IPV6) && !isIsatap(parsed);
}

/** Whether `address` is this machine's own: 127.0.0.0/8 or `::1`, and no other spelling of them. */
export function isLoopbackAddress(address: string): boolean {
  const parsed = parse(address);
  return parsed !== undefined && isIn(parsed, LOOPBACK);
}

function parse(address: string): ipaddr.IPv4 | ipaddr.IPv6 | undefined {
  // The library also reads 127.1, 0x7f000001 and 017700000001, as `inet_aton` does.
  if (ipaddr.IPv4.isValidFourPartDecimal(address)) return ipaddr.IPv4.parse(address);
  if (!address.includes(":") || address.includes("%")) return undefined;
  return ipaddr.IPv6.isValid(address) ? ipaddr.IPv6.parse(address) : undefined;
}

function isIn(address: ipaddr.IPv4 | ipaddr.IPv6, list: readonly Block[]): boolean {
  return list.some((block) => block[0].kind() === address.kind() && address.match(block));
}

// RFC 5214 section 6.1: any prefix may hold one, and the last 32 bits are the IPv4 address.
function isIsatap(address: ipaddr.IPv6): boolean {
  const [, , , , high, low] = address.parts;
  return (high === 0 || high === 0x0200) && low === 0x5efe;
}
