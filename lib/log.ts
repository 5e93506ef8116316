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

const SECRET_NAME =
  /^(?:.*_)?(?:authorization|cookie|token|secret|password|assertion|code|verifier|arguments|args|body)$/i;
const JWT_SHAPE = /\b[\w-]{8,}\.[\w-]{8,}\.[\w-]*/g;
const LONGEST = 1024;

/** Makes a {@linkcode Log} that writes lines through `options.write`. */
export function logger(options: LogOptions): Log {
  const least = LEVELS.indexOf(options.level);
  const line = options.format === "json" ? jsonLine : textLine;
  return (level, event, fields = {}) => {
    if (LEVELS.indexOf(level) < least) return;
    options.write(line(new Date(options.wallMs()).toISOString(), level, event, clean(fields)));
  };
}

function clean(fields: Fields): Fields {
  const kept: Fields = {};
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined || SECRET_NAME.test(name)) continue;
    kept[name] = typeof value === "string" ? cut(value) : value;
  }
  return kept;
}

function cut(value: string): string {
  const safe = value.replace(JWT_SHAPE, "[token]");
  return safe.length > LONGEST ? `${safe.slice(0, LONGEST)}…` : safe;
}

function jsonLine(time: string, level: Level, event: string, fields: Fields): string {
  return `${JSON.stringify({ time, level, event, ...fields })}\n`;
}

function textLine(time: string, level: Level, event: string, fields: Fields): string {
  let line = `${time} ${level.toUpperCase().padEnd(5)} ${event}`;
  for (const [name, value] of Object.entries(fields)) line += ` ${name}=${textValue(value)}`;
  return `${line}\n`;
}

// Anything but a plain word is quoted as JSON, so that no value can start a line or a field.
function textValue(value: unknown): string {
  return typeof value === "string" && /^[\w.:/@+-]+$/.test(value) ? value : JSON.stringify(value);
}
