/**
 * Reading a command line. Unknown flags, missing values and stray words are problems, all of them
 * reported at once.
 *
 * @module
 */

import { parseArgs } from "node:util";
import type { Problem } from "../config/sources.ts";
import { SETTING_ROWS, type SettingName } from "../config/settings.ts";
import { toggle } from "../config/values.ts";

/** A flag of one command, besides those of the settings. */
export interface Flag {
  readonly name: string;
  /** What a value looks like in the help; absent for switches. */
  readonly value?: string;
  readonly help: string;
}

/** Flag values by name. Switches are `true` or `false`. */
export type FlagValues = Readonly<Record<string, string>>;

/** What a command line said. */
export interface Args {
  readonly words: readonly string[];
  readonly flags: FlagValues;
  readonly problems: readonly Problem[];
}

/** Reads `args` as words and flags: those of `settings` (all when absent) and a command's own. */
export function readArgs(
  args: readonly string[],
  own: readonly Flag[],
  settings?: readonly SettingName[],
): Args {
  const rows = SETTING_ROWS.filter(([name]) => settings?.includes(name) ?? true);
  const known = new Map<string, { value?: string }>([
    ...rows.map(([, setting]) => [setting.flag, setting] as const),
    ...own.map((flag) => [flag.name, flag] as const),
    ["help", {}],
  ]);
  const options = Object.fromEntries(
    [...known].map(([name, { value }]) => [name, { type: value ? "string" : "boolean" } as const]),
  );
  const { tokens } = parseArgs({
    args: [...args],
    options: { ...options, help: { type: "boolean", short: "h" } },
    strict: false,
    tokens: true,
    allowPositionals: true,
  });
  const words: string[] = [];
  const flags: Record<string, string> = {};
  const problems: Problem[] = [];
  for (const token of tokens) {
    if (token.kind === "positional") words.push(token.value);
    if (token.kind !== "option") continue;
    const where = token.rawName;
    const flag = known.get(token.name);
    if (!flag) {
      problems.push({ where, what: "is not a flag of this command", fix: "see --help" });
    } else if (flag.value && isMissing(token)) {
      problems.push({ where, what: "needs a value", fix: `write ${where}=${flag.value}` });
    } else if (!flag.value && token.value !== undefined && !("value" in toggle(token.value))) {
      problems.push({ where, ...toggle(token.value) as { what: string; fix: string } });
    } else if (token.name in flags) {
      problems.push({ where, what: "is given twice", fix: "give it once" });
    } else {
      flags[token.name] = token.value ?? "true";
    }
  }
  return { words, flags, problems };
}

// A flag that follows is not a value, unless it was written as one: `--sub --json` lacks a value.
function isMissing(
  { value, inlineValue }: { value: string | undefined; inlineValue: boolean | undefined },
): boolean {
  return !value || (!inlineValue && value.startsWith("--"));
}
