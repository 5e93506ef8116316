/**
 * Help texts, made from the tables that the program itself reads.
 *
 * @module
 */

import { type Setting, SETTING_ROWS, type SettingName } from "../config/settings.ts";
import { VERSION } from "../version.ts";
import type { Flag } from "./args.ts";

/** What the help needs to know of a command. */
export interface CommandHelp {
  readonly name: string;
  readonly summary: string;
  /** What comes before the flags on the line, where anything does. */
  readonly operands?: string;
  /** More than the summary says. */
  readonly about?: string;
  readonly flags: readonly Flag[];
  /** Settings that the command reads; all of them when absent. */
  readonly settings?: readonly SettingName[];
  /** Command lines with what they do. */
  readonly examples: readonly (readonly [line: string, does: string])[];
}

/** Help of the whole program. */
export function programHelp(commands: readonly CommandHelp[]): string {
  return `Gatehouse ${VERSION}: OAuth 2.1 in front of MCP servers

Usage: gatehouse [COMMAND] [FLAGS]

Commands:
${table(commands.map(({ name, summary }) => [name, summary]))}

Run "gatehouse COMMAND --help" for flags and examples. Without a command, gatehouse serves.
Every setting is a flag or an environment variable; the flag wins. Exit status: 0 when all went
well, 1 when it did not, 2 when the command line or the configuration is wrong.
`;
}

/** Help of one command. */
export function commandHelp(command: CommandHelp): string {
  const { name, summary, operands, about, flags, settings, examples } = command;
  const rows = SETTING_ROWS.filter(([key]) => settings?.includes(key) ?? true);
  return [
    `${summary}\n\nUsage: gatehouse ${name}${operands ? ` ${operands}` : ""} [FLAGS]\n`,
    ...(about ? [about] : []),
    ...(flags.length > 0 ? [`Flags:\n${table(flags.map(flagRow))}\n`] : []),
    ...(rows.length > 0
      ? [`Settings:\n${rows.map(([, setting]) => settingLines(setting)).join("\n")}\n`]
      : []),
    `Examples:\n${examples.map(([line, does]) => `  ${does}:\n    ${line}`).join("\n")}\n`,
  ].join("\n");
}

function flagRow({ name, value, help }: Flag): [string, string] {
  return [`--${name}${value ? `=${value}` : ""}`, help];
}

function settingLines({ flag, env, value, secret, fallback, help }: Setting): string {
  const variables = env.join(" or ") + (secret ? `, or a file named by ${env[0]}_FILE` : "");
  return `  --${flag}${
    value ? `=${value}` : ""
  }\n      ${help}\n      ${variables}; default: ${fallback}`;
}

function table(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([left]) => left.length)) + 2;
  return rows.map(([left, right]) => `  ${left.padEnd(width)}${right}`).join("\n");
}
