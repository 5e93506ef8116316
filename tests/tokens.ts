/**
 * Tokens good and bad, made by hand rather than by the library under test; a strict reader of
 * challenges; and the search for leaks.
 *
 * @module
 */

import { ok } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHmac } from "node:crypto";
import { CLAIMS, NOW, SECRET } from "./fakes.ts";

/** How to build a token. Everything left out is as a good token has it. */
export interface Plan {
  /** Members of the header over those of a good one; `{"$absent": true}` takes one out. */
  readonly header?: Readonly<Record<string, unknown>>;
  /** The header as text, instead of an object. */
  readonly headerText?: string;
  /** The header as hexadecimal bytes. */
  readonly headerHex?: string;
  /** Claims over those of a good token. */
  readonly claims?: Readonly<Record<string, unknown>>;
  /** The payload as text, instead of an object. */
  readonly claimsText?: string;
  /** The payload as hexadecimal bytes. */
  readonly claimsHex?: string;
  /** How the encoded header and payload are misspelt before they are signed. */
  readonly spell?: { readonly header?: Spelling; readonly claims?: Spelling };
  /** Hash of the HMAC; `none` leaves the signature empty. */
  readonly mac?: "sha256" | "sha384" | "sha512" | "none";
  /** What signs; the server's own secret when absent. */
  readonly secret?: string;
  /** What happens to the parts after they were signed. */
  readonly edits?: readonly Edit[];
  /** Total length to reach with a claim that says nothing. */
  readonly length?: number;
  /** The whole token, instead of all the above. */
  readonly literal?: string;
}

type Spelling = keyof typeof SPELLINGS;
type Edit = keyof typeof EDITS;

const BASE64URL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

// Sets the lowest bit of the last character, which encodes no byte unless the length is a
// multiple of four.
function loose(part: string): string {
  if (part.length % 4 === 0) throw new Error("Cannot loosen a part without spare bits");
  const last = BASE64URL.indexOf(part.at(-1)!);
  return part.slice(0, -1) + BASE64URL[last ^ 1];
}

const SPELLINGS = {
  padded: (part: string) => part.padEnd(Math.ceil((part.length + 1) / 4) * 4, "="),
  standard: (part: string) => {
    const spelt = part.replaceAll("-", "+").replaceAll("_", "/");
    if (spelt === part) throw new Error("Cannot tell the alphabets apart in this part");
    return spelt;
  },
  loose,
  spaced: (part: string) => `${part.slice(0, 9)} ${part.slice(9)}`,
  tabbed: (part: string) => `${part.slice(0, 9)}\t${part.slice(9)}`,
  latin: (part: string) => `${part}é`,
  commaed: (part: string) => `${part.slice(0, 9)},${part.slice(9)}`,
  "one character more": (part: string) => part.padEnd(Math.ceil(part.length / 4) * 4 + 1, "A"),
};

function onSignature(edit: (signature: string) => string) {
  return ([header, claims, signature]: string[]) => [header!, claims!, edit(signature!)];
}

function flip(at: number) {
  return onSignature((signature) => {
    const bytes = Buffer.from(signature, "base64url");
    bytes[at < 0 ? bytes.length + at : at]! ^= 1;
    return bytes.toString("base64url");
  });
}

const EDITS = {
  "first signature bit flipped": flip(0),
  "last signature bit flipped": flip(-1),
  "signature cut by two bytes": onSignature((part) => part.slice(0, -3)),
  "signature doubled": onSignature((part) => encode(decode(part) + decode(part))),
  "signature of zeros": onSignature(() => encode("\0".repeat(32))),
  "signature in hexadecimal": onSignature((part) => Buffer.from(part, "base64url").toString("hex")),
  "signature loose": onSignature(loose),
  "signature padded": onSignature(SPELLINGS.padded),
  "signature standard": onSignature((part) => SPELLINGS.standard(part)),
  "signature emptied": onSignature(() => ""),
  "signature dropped": ([header, claims]: string[]) => [header!, claims!],
  "payload dropped": ([header, , signature]: string[]) => [header!, signature!],
  "header emptied": ([, claims, signature]: string[]) => ["", claims!, signature!],
  "payload emptied": ([header, , signature]: string[]) => [header!, "", signature!],
  "empty part added": (parts: string[]) => [...parts, ""],
  "empty part first": (parts: string[]) => ["", ...parts],
  "two parts added": (parts: string[]) => [...parts, encode("ciphertext"), encode("tag of it")],
  "payload of another": ([header, , signature]: string[]) => [
    header!,
    encode(JSON.stringify({ ...CLAIMS, sub: "mallory" })),
    signature!,
  ],
  "header of another": ([, claims, signature]: string[]) => [
    encode(JSON.stringify({ alg: "HS256", typ: "at+jwt", kid: "another" })),
    claims!,
    signature!,
  ],
  "parts swapped": ([header, claims, signature]: string[]) => [claims!, header!, signature!],
  quoted: (parts: string[]) => [`"${parts.join(".")}"`],
};

function encode(text: string): string {
  return Buffer.from(text, "latin1").toString("base64url");
}

function decode(part: string): string {
  return Buffer.from(part, "base64url").toString("latin1");
}

/** Builds the token of a plan. */
export function forge(plan: Plan): string {
  if (plan.literal !== undefined) return plan.literal;
  if (plan.length === undefined) return build(plan);
  // The header takes up what the steps of base64 leave over.
  for (const kid of ["k", "kk", "kkk"]) {
    const header = { kid, ...plan.header };
    const rest = plan.length - build({ ...plan, header, claims: { filler: "" } }).length;
    const near = Math.floor(rest * 3 / 4);
    for (let size = Math.max(0, near - 4); size < near + 4; size++) {
      const token = build({ ...plan, header, claims: { filler: "f".repeat(size) } });
      if (token.length === plan.length) return token;
    }
  }
  throw new Error(`Cannot make a token of ${plan.length} bytes`);
}

function build(plan: Plan): string {
  const header = part(
    plan.headerText,
    plan.headerHex,
    { alg: "HS256", typ: "at+jwt" },
    plan.header,
  );
  const claims = part(plan.claimsText, plan.claimsHex, CLAIMS, plan.claims);
  const spelt = [spell(header, plan.spell?.header), spell(claims, plan.spell?.claims)];
  const signature = plan.mac === "none" ? "" : hmacOf(spelt.join("."), plan.mac, plan.secret);
  const edit = (parts: string[], name: Edit) => EDITS[name](parts);
  return (plan.edits ?? []).reduce(edit, [...spelt, signature]).join(".");
}

function part(text: string | undefined, hex: string | undefined, good: object, over?: object) {
  if (hex !== undefined) return Buffer.from(hex, "hex").toString("base64url");
  return Buffer.from(text ?? JSON.stringify(expand({ ...good, ...over }))).toString("base64url");
}

function spell(encoded: string, spelling: Spelling | undefined): string {
  return spelling ? SPELLINGS[spelling](encoded) : encoded;
}

/** An HMAC as a token carries it. */
export function hmacOf(input: string, hash = "sha256", secret = SECRET): string {
  return createHmac(hash, secret).update(input, "latin1").digest("base64url");
}

/**
 * Works out what a JSON vector cannot spell: `{"$now": 30}` is 30 seconds after the clock of a
 * test, `{"$repeat": ["a", 256]}` a long text, and a member that is `{"$absent": true}` not there.
 */
export function expand(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(expand);
  if (typeof value !== "object" || value === null) return value;
  if ("$now" in value) return NOW + Number(value.$now);
  if ("$repeat" in value) return (value.$repeat as [string, number]).reduce(repeated);
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => !(member?.$absent === true))
      .map(([name, member]) => [name, expand(member)]),
  );
}

function repeated(text: string | number, times: string | number): string {
  return String(text).repeat(Number(times));
}

/** A challenge as a client reads it. */
export interface Challenge {
  readonly scheme: string;
  readonly parameters: Readonly<Record<string, string>>;
}

// RFC 6750 section 3: what the value of a parameter may consist of.
const VALUES: Readonly<Record<string, RegExp>> = {
  error: /^[\x20\x21\x23-\x5b\x5d-\x7e]+$/,
  error_description: /^[\x20\x21\x23-\x5b\x5d-\x7e]+$/,
  scope: /^[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*$/,
  resource_metadata: /^https?:\/\/[\x21\x23-\x5b\x5d-\x7e]+$/,
};

/**
 * Reads one challenge by RFC 9110 section 11.6.1, stricter than a client would: only known
 * parameters, each once, each a quoted string without escapes.
 */
export function challengeOf(header: string | null): Challenge {
  ok(header !== null, "There is no challenge");
  const [, scheme, rest] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+) +(\S.*)$/.exec(header) ?? [];
  ok(scheme && rest, `No scheme and parameters in ${header}`);
  const parameters: Record<string, string> = {};
  let at = 0;
  const parameter = /([a-z_]+)="([\x20\x21\x23-\x5b\x5d-\x7e]*)"(?:[ \t]*,[ \t]*|$)/y;
  while (at < rest.length) {
    parameter.lastIndex = at;
    const [whole, name, value] = parameter.exec(rest) ?? [];
    ok(whole && name && value !== undefined, `No parameter at ${rest.slice(at)}`);
    ok(VALUES[name]?.test(value), `Not a value of ${name}: ${value}`);
    ok(!Object.hasOwn(parameters, name), `${name} stands twice in ${header}`);
    parameters[name] = value;
    at += whole.length;
  }
  ok(!/,\s*$/.test(rest), `A comma ends ${header}`);
  return { scheme, parameters };
}

/** All that goes over the wire. Reads the body. */
export async function wire(response: Response): Promise<string> {
  const headers = [...response.headers].map(([name, value]) => `${name}: ${value}`);
  const line = `${response.status} ${response.statusText}`;
  return [line, ...headers, "", await response.text()].join("\n");
}

/** What of `token` and `secrets` can be found in `text`: the whole, or a part over 8 characters. */
export function leaks(text: string, token: string, ...secrets: string[]): string[] {
  const parts = [token, ...token.split(/[.\s,"]/), ...secrets];
  return parts.filter((part) => part.length > 8 && text.includes(part));
}
