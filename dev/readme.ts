/**
 * Writes the settings into the README, from the table that the program reads.
 *
 * `deno task readme` writes; the tests only compare.
 *
 * @module
 */

import { type Setting, SETTING_ROWS } from "../lib/config/settings.ts";

const START = "<!-- settings -->\n";
const END = "<!-- /settings -->";

/** The README with the settings of today. */
export function withSettings(readme: string): string {
  const [before, rest] = split(readme, START);
  const [, after] = split(rest, END);
  return `${before}${START}\n${table()}\n\n${END}${after}`;
}

function split(text: string, mark: string): [string, string] {
  const at = text.indexOf(mark);
  if (at === -1) throw new Error(`Cannot find ${mark.trim()} in the README`);
  return [text.slice(0, at), text.slice(at + mark.length)];
}

function table(): string {
  const rows = [
    ["flag", "variable", "default", "meaning"],
    ...SETTING_ROWS.map(([, setting]) => cells(setting)),
  ];
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const line = (row: string[]) =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column]!)).join(" | ")} |`;
  const [head, ...body] = rows.map(line);
  return [head, line(widths.map((width) => "-".repeat(width))), ...body].join("\n");
}

function cells({ flag, env, value, secret, fallback, help }: Setting): string[] {
  const words = value?.includes("|") ? `${help}: ${value.split("|").join(", ")}` : help;
  return [
    `\`--${flag}\``,
    env.map((name) => `\`${name}\``).join(" ") + (secret ? `, \`${env[0]}_FILE\`` : ""),
    fallback,
    words,
  ];
}

if (import.meta.main) {
  const path = new URL("../README.md", import.meta.url);
  Deno.writeTextFileSync(path, withSettings(Deno.readTextFileSync(path)));
}
