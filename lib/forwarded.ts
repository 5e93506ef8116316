/**
 * Whose address a request has, when proxies stand in front.
 *
 * `Forwarded` (RFC 7239) is not read: the proxies in use write `X-Forwarded-For`, and a proxy that
 * writes one header passes on the other as a stranger sent it.
 *
 * @module
 */

import ipaddr from "ipaddr.js";

/** How much of an `X-Forwarded-For` header is read, in characters from its end. */
export const MAX_FORWARDED_LENGTH = 1024;

type Address = ipaddr.IPv4 | ipaddr.IPv6;
type Block = ReturnType<typeof ipaddr.parseCIDR>;

/**
 * Prepares telling the client's address from what proxies say.
 *
 * Each proxy adds the address of its own client to the right of `X-Forwarded-For`; what stands
 * further left is the word of strangers. So the header counts only when the socket's other end is a
 * trusted proxy, and is read from the right for as long as the addresses are those of trusted
 * proxies: the first that is not is the client's. Where the header ends before, or an entry is no
 * address, the last trusted proxy stands for its clients: many may then share its address, but
 * nobody chooses it.
 *
 * Whoever has an address within `trusted` can say any address to be its own.
 *
 * @param trusted Addresses and CIDR blocks as {@linkcode isBlock} admits.
 * @returns Tells the client's address, given that of the socket's other end and the header, or
 * several joined by commas. What the socket says is returned as it is when nothing else counts.
 *
 * @example
 * ```ts
 * import { strictEqual } from "node:assert/strict";
 * import { forwarded } from "./forwarded.ts";
 *
 * const clientAddress = forwarded(["10.0.0.0/8"]);
 * strictEqual(clientAddress("10.0.0.1", "1.1.1.1, 203.0.113.7"), "203.0.113.7");
 * strictEqual(clientAddress("203.0.113.9", "1.1.1.1"), "203.0.113.9");
 * ```
 */
export function forwarded(
  trusted: readonly string[],
): (remote: string, forwardedFor: string | null) => string {
  const isTrusted = among(trusted);
  return (remote, forwardedFor) => {
    if (forwardedFor === null || !isTrusted(remote)) return remote;
    let nearest = remote;
    for (const entry of entriesOf(forwardedFor)) {
      const address = addressOf(entry);
      if (address === undefined) break;
      nearest = address;
      if (!isTrusted(address)) break;
    }
    return nearest;
  };
}

/** Prepares telling whether an address is in one of some blocks. A text that is none is not. */
export function among(blocks: readonly string[]): (address: string) => boolean {
  const parsed = blocks.map((text) => blockOf(text)).filter((block) => block !== undefined);
  return (text) => {
    if (parsed.length === 0) return false;
    const address = parse(text);
    return address !== undefined &&
      parsed.some((block) => block[0].kind() === address.kind() && address.match(block));
  };
}

/**
 * Whether `text` is an address, or a block of them in CIDR notation; but not everybody's, and not
 * IPv4 in the notation of IPv6, which no address here is compared with.
 */
export function isBlock(text: string): boolean {
  return blockOf(text) !== undefined;
}

function blockOf(text: string): Block | undefined {
  const [, base = "", bits] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  if (base.includes("%") || !isWritten(base)) return undefined;
  const address = ipaddr.parse(base);
  if (address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress()) return undefined;
  const most = address.kind() === "ipv4" ? 32 : 128;
  const length = bits === undefined ? most : Number(bits);
  return length >= 1 && length <= most ? [address, length] as Block : undefined;
}

/** The entries from the right, which is the order in which proxies are passed towards the client. */
function entriesOf(forwardedFor: string): string[] {
  // Where the start is cut off, the first entry may be half of one.
  const isCut = forwardedFor.length > MAX_FORWARDED_LENGTH;
  return forwardedFor.slice(-MAX_FORWARDED_LENGTH).split(",").slice(isCut ? 1 : 0).reverse();
}

function addressOf(entry: string): string | undefined {
  const text = entry.trim();
  const [, bracketed, dotted] = /^(?:\[([^\]]*)\]|([\d.]+))(?::\d{1,5})?$/.exec(text) ?? [];
  return parse(bracketed ?? dotted ?? text)?.toString();
}

function parse(address: string): Address | undefined {
  return isWritten(address) ? ipaddr.process(address) : undefined;
}

// The library also reads 0x7f.1 and the like, which no socket and no proxy writes.
function isWritten(address: string): boolean {
  return ipaddr.IPv4.isValidFourPartDecimal(address) || ipaddr.IPv6.isValid(address);
}
