/**
 * Reading the text of a setting as the value it stands for. Whatever does not read is a problem;
 * nothing is guessed.
 *
 * @module
 */

import { type AllowRule, readAllowRule } from "../allow.ts";
import { isSafeUrl } from "../outbound.ts";
import { redirectFault } from "../proxy/redirect.ts";
import { isScope, type RoleScope, type ToolScope } from "../scope.ts";
import type { Given, Problem } from "./sources.ts";

/** Reads a text, or returns a complaint: what is wrong and the fix. */
export type Reader<T> = (text: string) => { value: T } | { what: string; fix: string };

/** Reads a given value; on a complaint adds a problem and yields `undefined`. */
export function read<T>(given: Given, reader: Reader<T>, problems: Problem[]): T | undefined {
  const result = reader(given.text);
  if ("value" in result) return result.value;
  problems.push({ where: given.where, ...result });
  return undefined;
}

const ON = new Set(["true", "on", "yes", "1"]);
const OFF = new Set(["false", "off", "no", "0"]);

/** On or off. */
export const toggle: Reader<boolean> = (text) => {
  const word = text.toLowerCase();
  if (ON.has(word)) return { value: true };
  if (OFF.has(word)) return { value: false };
  return { what: `is "${text}"`, fix: "use on or off" };
};

/** One of a few words. */
export function choice<T extends string>(...words: readonly T[]): Reader<T> {
  return (text) => {
    const value = words.find((word) => word === text);
    return value !== undefined
      ? { value }
      : { what: `is "${text}"`, fix: `use ${words.join(" or ")}` };
  };
}

/** A TCP port. */
export const port: Reader<number> = (text) =>
  /^[1-9]\d{0,4}$/.test(text) && Number(text) <= 65535
    ? { value: Number(text) }
    : { what: `is "${text}"`, fix: "use a number from 1 to 65535" };

/** An address or host name to listen on. */
export const hostname: Reader<string> = (text) =>
  /^[A-Za-z0-9.:-]{1,253}$/.test(text)
    ? { value: text }
    : { what: `is "${text}"`, fix: "use an address such as 127.0.0.1, or 0.0.0.0 for all" };

const ADDRESS = /^(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\]):([1-9]\d{0,4})$/;

/** Addresses of servers, `host:port` each. */
export const addresses: Reader<[string, ...string[]]> = (text) => {
  const parts = list(text);
  if (!("value" in parts)) return parts;
  const bad = parts.value.find((part) => !(Number(ADDRESS.exec(part)?.[1]) <= 65535));
  return bad === undefined
    ? { value: parts.value as [string, ...string[]] }
    : { what: `names "${bad}"`, fix: "use HOST:PORT, such as kafka.example.com:9092" };
};

/** Where to listen, as `host:port`; an IPv6 address is in brackets there, and without them here. */
export const listenAddress: Reader<{ host: string; port: number }> = (text) => {
  const port = Number(ADDRESS.exec(text)?.[1]);
  const host = text.slice(0, text.lastIndexOf(":")).replace(/^\[(.*)\]$/, "$1");
  return port <= 65535
    ? { value: { host, port } }
    : { what: `is "${text}"`, fix: "use HOST:PORT, such as 127.0.0.1:9464" };
};

/** The name of a client to a service, as logs and quotas there have it. */
export const clientName: Reader<string> = (text) =>
  /^[\w.-]{1,128}$/.test(text)
    ? { value: text }
    : { what: `is "${text}"`, fix: "use letters, digits, dots, hyphens and underscores" };

const WITH_CREDENTIALS = { what: "has a user or password in it", fix: "leave them out" };

/** The origin of a server: https, or http on this machine. */
export const origin: Reader<URL> = (text) => {
  const url = URL.parse(text);
  if (url && (url.username || url.password)) return WITH_CREDENTIALS;
  if (!url || url.pathname !== "/" || url.search || url.hash) {
    return { what: `is "${text}"`, fix: "use an origin such as https://mcp.example.com" };
  }
  return isSafeUrl(url)
    ? { value: url }
    : { what: `is "${text}"`, fix: "use https; http is for localhost only" };
};

/** The URL of a service behind this one; may have a path. */
export const serviceUrl: Reader<URL> = (text) => {
  const url = URL.parse(text);
  if (url && (url.username || url.password)) return WITH_CREDENTIALS;
  return url && /^https?:$/.test(url.protocol) && !url.search && !url.hash
    ? { value: url }
    : { what: `is "${text}"`, fix: "use a URL such as https://grafana.example.com" };
};

/** Digits alone. */
export const digits: Reader<string> = (text) =>
  /^\d{1,18}$/.test(text) ? { value: text } : { what: `is "${text}"`, fix: "use a number" };

/** The name of a header; yields lower case. */
export const headerName: Reader<string> = (text) =>
  /^[!#$%&'*+.^_`|~\w-]{1,64}$/.test(text)
    ? { value: text.toLowerCase() }
    : { what: `is "${text}"`, fix: "use the name of a header, such as X-JWT-Assertion" };

/** An issuer identifier (RFC 8414 section 2), kept byte for byte. */
export const issuer: Reader<string> = (text) => {
  const url = URL.parse(text);
  if (url && (url.username || url.password)) return WITH_CREDENTIALS;
  return url && isSafeUrl(url) && !/[?#\s"\\]/.test(text) ? { value: text } : {
    what: `is "${text}"`,
    fix: "use the issuer's https URL without query and fragment; http is for localhost only",
  };
};

/** A comma-separated list without empty parts. */
export const list: Reader<string[]> = (text) => {
  const parts = text.split(",").map((part) => part.trim());
  return parts.every(Boolean)
    ? { value: parts }
    : { what: "has an empty part", fix: "separate values by single commas" };
};

/** Exact web origins. */
export const webOrigins: Reader<string[]> = (text) => {
  const parts = list(text);
  if (!("value" in parts)) return parts;
  const bad = parts.value.find((part) => URL.parse(part)?.origin !== part);
  return bad === undefined
    ? parts
    : { what: `names "${bad}"`, fix: "use exact origins such as https://app.example.com" };
};

/** Scope names, separated by commas or, as in OAuth, by spaces. */
export const scopes: Reader<string[]> = (text) => {
  const parts = list(text.trim().replace(/\s+/g, ","));
  if (!("value" in parts)) return parts;
  const bad = parts.value.find((part) => !isAskable(part));
  return bad === undefined ? parts : { what: `names "${bad}"`, fix: SCOPE_FIX };
};

// A resource never asks for `offline_access`: that is between a client and the issuer (SEP-2207).
const isAskable = (scope: string) => isScope(scope) && scope !== "offline_access";
const SCOPE_FIX = "name scopes without quotes or backslashes, and not offline_access";

/** Rows `GLOB=SCOPE`. */
export const toolScopeRows: Reader<ToolScope[]> = (text) => {
  const rows: ToolScope[] = [];
  for (const part of text.split(",")) {
    const [, glob, scope] = /^\s*([\w.*:/+-]+)=(\S+)\s*$/.exec(part) ?? [];
    if (!glob || !scope || !isAskable(scope)) {
      return { what: `has the row "${part.trim()}"`, fix: "write rows as whoami=mcp:read" };
    }
    rows.push({ glob, scope });
  }
  return { value: rows };
};

/** Rows `ROLE=SCOPE`. */
export const roleScopeRows: Reader<RoleScope[]> = (text) => {
  const rows: RoleScope[] = [];
  for (const part of text.split(",")) {
    const [, role, scope] = /^\s*([^=]{1,255}?)=(\S+)\s*$/.exec(part) ?? [];
    if (!role || !scope || !isAskable(scope)) {
      return { what: `has the row "${part.trim()}"`, fix: "write rows as admin=mcp:write" };
    }
    rows.push({ role, scope });
  }
  return { value: rows };
};

/** Chains `BROAD>NARROW`. */
export const scopeChains: Reader<string[][]> = (text) => {
  const chains = text.split(",").map((chain) => chain.split(">").map((scope) => scope.trim()));
  return chains.every((chain) => chain.length > 1 && chain.every(isScope))
    ? { value: chains }
    : { what: `is "${text}"`, fix: "write chains as mcp:admin>mcp:write>mcp:read" };
};

/** The name of a claim. */
export const claim: Reader<string> = (text) =>
  /^[^\s,]{1,255}$/.test(text)
    ? { value: text }
    : { what: `is "${text}"`, fix: "use the name of one claim, such as preferred_username" };

/** Who may call. */
export const allowRules: Reader<AllowRule[]> = (text) => {
  const rules: AllowRule[] = [];
  for (const part of text.split(",").map((one) => one.trim())) {
    const rule = readAllowRule(part);
    if (!rule) {
      return {
        what: `has the rule "${part}"`,
        fix: "write domain:example.com, group:NAME or user:NAME",
      };
    }
    rules.push(rule);
  }
  return { value: rules };
};

/** Tenant ids of Microsoft Entra. */
export const tenants: Reader<string[]> = (text) => {
  const parts = list(text);
  if (!("value" in parts)) return parts;
  const bad = parts.value.find((part) => !/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(part));
  return bad === undefined ? parts : {
    what: `names "${bad}"`,
    fix: "use tenant ids, such as 72f988bf-86f1-41af-91ab-2d7cd011db47",
  };
};

/** Redirect URIs: https, or of an app's own scheme (RFC 8252 section 7.1). */
export const redirectUris: Reader<string[]> = (text) => {
  const parts = list(text);
  if (!("value" in parts)) return parts;
  const bad = parts.value.find(redirectFault);
  return bad === undefined ? parts : {
    what: `names "${bad}"`,
    fix: "use whole URIs without fragment, https or of an app's own scheme",
  };
};

/** By client-ID metadata document, or by RFC 7591. */
export type Registration = "documents" | "dynamic";

/** How clients may introduce themselves. */
export const registration: Reader<Registration[]> = (text) => {
  if (OFF.has(text.toLowerCase())) return { value: [] };
  const words = text.split(",").map((word) => word.trim());
  return words.every((word) => word === "documents" || word === "dynamic")
    ? { value: words as Registration[] }
    : { what: `is "${text}"`, fix: "use documents, dynamic, both with a comma, or off" };
};

/** Where grants are kept. What it was never appears in the complaint: it may have a password. */
export const storeUrl: Reader<string> = (text) =>
  text === "memory:" || /^sqlite:./.test(text) || /^rediss?:\/\/./.test(text)
    ? { value: text }
    : { what: "names no store", fix: "use memory:, sqlite:PATH or redis://HOST:PORT" };

const UNIT_SECONDS: Readonly<Record<string, number>> = { "": 1, s: 1, m: 60, h: 3600 };

/** A duration in seconds, or with `s`, `m` or `h`. */
export function duration(
  least: number,
  most: number,
  words: string,
): Reader<number> {
  return (text) => {
    const match = /^(\d{1,6})([smh]?)$/.exec(text);
    const seconds = match ? Number(match[1]) * UNIT_SECONDS[match[2]!]! : 0;
    return seconds >= least && seconds <= most
      ? { value: seconds }
      : { what: `is "${text}"`, fix: `use seconds, or a number with s, m or h; ${words}` };
  };
}

/** Any text that is not empty. */
export const words: Reader<string> = (text) =>
  text.trim() === "" ? { what: "is empty", fix: "give it a value, or unset it" } : { value: text };
