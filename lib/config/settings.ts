/**
 * Every setting in one table: its flag, its environment variables, its default and its help.
 *
 * @module
 */

import type { Setting } from "./setting.ts";
import { KAFKA } from "./settings_kafka.ts";
import { OAUTH } from "./settings_oauth.ts";
import { PACKS } from "./settings_packs.ts";
import { PROXY } from "./settings_proxy.ts";
import { SERVER } from "./settings_server.ts";

export type { Setting } from "./setting.ts";

const LOG = {
  logLevel: {
    flag: "log-level",
    env: ["LOG_LEVEL"],
    value: "debug|info|warn|error",
    fallback: "info",
    help: "Least severe event to log",
  },
  logFormat: {
    flag: "log-format",
    env: ["LOG_FORMAT"],
    value: "text|json",
    fallback: "text on a terminal, else json",
    help: "How log lines look; they go to stderr",
  },
} as const satisfies Record<string, Setting>;

/** The settings by their name in the program. */
export const SETTINGS = { ...SERVER, ...OAUTH, ...PROXY, ...PACKS, ...KAFKA, ...LOG };

/** Name of a setting. */
export type SettingName = keyof typeof SETTINGS;

/** The table's rows, in order. */
export const SETTING_ROWS = Object.entries(SETTINGS) as [SettingName, Setting][];

/** Every environment variable that is read. */
export const ENVIRONMENT: readonly string[] = SETTING_ROWS.flatMap(([, { env, secret }]) =>
  secret ? env.flatMap((name) => [name, `${name}_FILE`]) : env
);
