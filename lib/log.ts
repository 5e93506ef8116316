/**
 * One line per event, as text for people or JSON for machines.
 *
 * It is the last net, not the rule: callers pass no secrets. Fields whose name says that they hold
 * one are dropped all the same, and anything shaped like a JSON Web Token is cut out of strings.
 *
 * @module
 */

import { type Fields, type Level, LEVELS, type Log } from "./ports.ts";

/** How lines look. */
export interface LogOptions {
  /** Least severe level that is written. */
  readonly level: Level;
  /** `text` for a terminal, `json` for a collector. */
  readonly format: "text" | "json";
  /** Wall clock in Unix milliseconds, for the time stamp. */
  readonly wallMs: () => number;
  /** Takes one line with its newline. */
  readonly write: (line: string) => void;
}

// Compared without case and separators, so that `set-cookie`, `apiKey` and `client_secret` fit.
const SECRET_NAME =
  /(?:authorization|cookies?|token|secret|password|assertion|verifier|requeststate|apikey|privatekey)$|^(?:.*auth)?(?:orization)?code$|^(?:arguments|args|body)$/;

const SHORTEST_TOKEN = 20;
const LONGEST_TEXT = 1024;
const MOST_MEMBERS = 20;
const DEEPEST = 4;

/** Makes a {@linkcode Log} that writes lines through `options.write`. */
export function logger(options: LogOptions): Log {
  const least = LEVELS.indexOf(options.level);
  const line = options.format === "json" ? jsonLine : textLine;
  return (level, event, fields = {}) => {
    if (LEVELS.indexOf(level) < least) return;
    options.write(line(new Date(options.wallMs()).toISOString(), level, event, printable(fields)));
  };
}

/** Facts without what looks like a secret, and bounded. Never throws: what cannot be read is left out. */
export function printable(fields: Fields): Fields {
  try {
    return clean(fields);
  } catch {
    return { unprintable: true };
  }
}

// The names that this program itself uses, which need no second look.
const PLAIN_NAMES = new Set(
  "id method path status user subject client rpc tool outcome ms reason".split(" "),
);

function isSecret(name: string): boolean {
  return !PLAIN_NAMES.has(name) &&
    SECRET_NAME.test(name.replace(/[^a-z]/gi, "").toLowerCase());
}

function clean(fields: Fields, depth = 0): Fields {
  const kept: Fields = {};
  for (const [name, value] of Object.entries(fields).slice(0, MOST_MEMBERS)) {
    if (value === undefined || isSecret(name)) continue;
    kept[cut(name)] = bounded(value, depth);
  }
  return kept;
}

function bounded(value: unknown, depth: number): unknown {
  if (typeof value === "string") return cut(value);
  if (typeof value === "number" || typeof value === "boolean" || value === null) return value;
  if (typeof value !== "object") return cut(String(value));
  if (depth === DEEPEST) return "…";
  return Array.isArray(value)
    ? value.slice(0, MOST_MEMBERS).map((one) => bounded(one, depth + 1))
    : clean(value as Fields, depth + 1);
}

function cut(value: string): string {
  if (value.length < SHORTEST_TOKEN) return value;
  const safe = value.slice(0, 2 * LONGEST_TEXT).replace(/[\w.-]{20,}/g, hideToken);
  return safe.length > LONGEST_TEXT ? `${safe.slice(0, LONGEST_TEXT)}…` : safe;
}

// A JSON Web Token has parts, and its first begins with `{"`, `{ ` or `{` and a line break in
// base64url. Whole runs are looked at once: a pattern over all of it could be made to take long.
function hideToken(run: string): string {
  const parts = run.split(".");
  const isToken = parts.some((part, index) =>
    /(?:eyJ|eyA|ewog|ew0K)[\w-]{5}/.test(part) &&
    parts.slice(index + 1).some(({ length }) => length >= 8)
  );
  return isToken ? "[token]" : run;
}

function jsonLine(time: string, level: Level, event: string, fields: Fields): string {
  return `${quote(Object.assign({ time, level, event }, fields, { time, level, event }))}\n`;
}

function textLine(time: string, level: Level, event: string, fields: Fields): string {
  let line = `${time} ${level.toUpperCase().padEnd(5)} ${event}`;
  for (const [name, value] of Object.entries(fields)) line += ` ${name}=${textValue(value)}`;
  return `${line}\n`;
}

// Anything but a plain word is quoted as JSON, so that no value can start a line or a field.
function textValue(value: unknown): string {
  return typeof value === "string" && /^[\w.:/@+-]+$/.test(value) ? value : quote(value);
}

// Characters that JSON leaves as they are and a terminal takes for orders: controls, and marks
// that turn the direction of text.
const UNRULY = /[\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** A value as JSON that a terminal shows as it is. */
export function quote(value: unknown): string {
  return JSON.stringify(value).replace(
    UNRULY,
    (mark) => `\\u${mark.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
