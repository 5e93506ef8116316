/**
 * Where a setting's value comes from: flag before environment before default. Aliases that
 * disagree are a problem, never a silent choice.
 *
 * @module
 */

import { type Setting, SETTING_ROWS, type SettingName } from "./settings.ts";

/** What is wrong with a setting, and what to do about it. */
export interface Problem {
  /** Variable or flag, as the person wrote it or should write it. */
  readonly where: string;
  readonly what: string;
  readonly fix: string;
}

/** A value as written, and the name it was written under. */
export interface Given {
  readonly text: string;
  readonly where: string;
}

/** Values as written, by setting. */
export type Settings = ReadonlyMap<SettingName, Given>;

/** What the host knows of the configuration. */
export interface Sources {
  /** Values by flag name, without the dashes. Switches are `true` or `false`. */
  readonly flags: Readonly<Record<string, string>>;
  /** Values by variable name; an empty value counts as absent. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Reads a file named by a `NAME_FILE` variable, as text. */
  readonly readFile: (path: string) => string;
  /** Providers that the command can work with; all when absent. */
  readonly providers?: readonly string[];
  /** The settings to look at; all when absent. */
  readonly only?: readonly SettingName[];
}

/** Collects what is set, adding to `problems` where it cannot. */
export function collect(sources: Sources, problems: Problem[]): Settings {
  const settings = new Map<SettingName, Given>();
  for (const [name, setting] of SETTING_ROWS) {
    if (sources.only && !sources.only.includes(name)) continue;
    const flag = sources.flags[setting.flag];
    const given = flag !== undefined
      ? { text: flag, where: `--${setting.flag}` }
      : fromEnvironment(setting, sources, problems);
    if (given) settings.set(name, given);
  }
  return settings;
}

function fromEnvironment(
  setting: Setting,
  sources: Sources,
  problems: Problem[],
): Given | undefined {
  const all = setting.env.flatMap((name) => [
    ...direct(sources, name),
    ...(setting.secret ? fromFile(sources, name, problems) : []),
  ]);
  const [first, ...others] = all;
  const other = others.find(({ text }) => text !== first!.text);
  if (other) {
    problems.push({
      where: `${first!.where} and ${other.where}`,
      what: "mean the same setting and have different values",
      fix: `unset ${other.where}`,
    });
  }
  return first;
}

function direct({ env }: Sources, where: string): Given[] {
  const text = env[where];
  return text ? [{ text, where }] : [];
}

function fromFile({ env, readFile }: Sources, name: string, problems: Problem[]): Given[] {
  const where = `${name}_FILE`;
  const path = env[where];
  if (!path) return [];
  try {
    return [{ text: readFile(path).trimEnd(), where }];
  } catch (error) {
    problems.push({
      where,
      what: `names "${path}", which cannot be read (${
        error instanceof Error ? error.name : error
      })`,
      fix: `make the file readable, or set ${name} instead`,
    });
    return [];
  }
}
