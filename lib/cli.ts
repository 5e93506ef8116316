/**
 * The commands: reading the line, settling the configuration, running, and an exit status.
 *
 * @module
 */

import { type Config, configure, type Defaults } from "./config.ts";
import { isHmac } from "./config/oauth.ts";
import type { Problem } from "./config/sources.ts";
import type { SettingName } from "./config/settings.ts";
import { type Flag, type FlagValues, readArgs } from "./cli/args.ts";
import { AUDIT_FLAGS, AUDIT_HELP, readVerification, verify } from "./cli/audit.ts";
import { check } from "./cli/check.ts";
import { dev, devDefaults, devProblems } from "./cli/dev.ts";
import { type CommandHelp, commandHelp, programHelp } from "./cli/help.ts";
import { EXIT, type ExitCode, type Host, tellProblems } from "./cli/host.ts";
import { serve } from "./cli/serve.ts";
import { readGrant, token, TOKEN_FLAGS } from "./cli/token.ts";
import { VERSION } from "./version.ts";

/** A command line that is about to run. */
interface Call {
  readonly config: Config;
  /** What the line says besides the command and flags; none where the command takes none. */
  readonly words: readonly string[];
  readonly flags: FlagValues;
  readonly host: Host;
  /** Where a command puts what it finds wrong; it does not run then. */
  readonly problems: Problem[];
}

interface Command extends CommandHelp {
  /** Providers that the command can work with; all when absent. */
  readonly providers?: readonly string[];
  readonly defaults?: (host: Host) => Defaults;
  /** Prepares the run, or adds to the problems of the call. */
  readonly prepare: (call: Call) => (() => ExitCode | Promise<ExitCode>) | undefined;
}

const JSON_FLAG: Flag = { name: "json", help: "Print JSON" };

const TOKEN_SETTINGS: SettingName[] = [
  "port",
  "tlsCert",
  "tlsKey",
  "oauthProvider",
  "publicUrl",
  "issuer",
  "audience",
  "scopesRequired",
  "secret",
];

const COMMANDS: readonly Command[] = [
  {
    name: "serve",
    summary: "Serve MCP over stdio or HTTP (the default command)",
    flags: [],
    examples: [
      ["gatehouse", "Serve on stdio, without OAuth"],
      [
        "OAUTH_PROVIDER=hmac JWT_SECRET=$(openssl rand -hex 32) gatehouse serve --transport=http --oauth-enabled",
        "Serve on http://localhost:8080/mcp with OAuth",
      ],
    ],
    prepare: ({ config, host }) => () => serve(config, host),
  },
  {
    name: "dev",
    summary: "Serve on this machine with OAuth on, and print tokens and lines to paste",
    flags: [],
    defaults: devDefaults,
    providers: ["hmac"],
    examples: [
      ["gatehouse dev", "Serve on http://localhost:8080/mcp"],
      ["gatehouse dev --port=9000", "Serve on another port"],
    ],
    prepare: ({ config, host, problems }) => {
      problems.push(...devProblems(config));
      const { oauth } = config;
      return isHmac(oauth) ? () => dev({ ...config, oauth }, host) : undefined;
    },
  },
  {
    name: "token",
    summary: "Mint a token for the hmac provider",
    flags: TOKEN_FLAGS,
    settings: TOKEN_SETTINGS,
    defaults: () => ({ oauthEnabled: "on", oauthProvider: "hmac" }),
    providers: ["hmac"],
    examples: [
      ["gatehouse token --sub=alice --roles=admin", "A token for an hour"],
      [
        "gatehouse token --sub=ci --scope=mcp:read --ttl=8h --json",
        "A token response for a script",
      ],
    ],
    prepare: ({ config, flags, host, problems }) => {
      const { oauth } = config;
      if (!isHmac(oauth)) return undefined;
      const grant = readGrant(oauth, flags, problems);
      return () => token(grant, oauth, flags.json === "true", host);
    },
  },
  {
    name: "check",
    summary: "Check the configuration and print what is in force",
    flags: [
      { name: "production", help: "Refuse what is unsafe where others can reach the server" },
      JSON_FLAG,
    ],
    examples: [
      ["gatehouse check", "For people"],
      [
        "gatehouse check --production",
        "Before others may use it; exits with 1 when they should not",
      ],
      ["gatehouse check --json", "For scripts"],
    ],
    prepare: ({ config, flags, host }) => () => {
      const [json, production] = [flags.json === "true", flags.production === "true"];
      return check(config, { json, production }, host);
    },
  },
  {
    name: "audit",
    operands: "verify FILE...",
    summary: "Check that nobody changed an audit log",
    about: AUDIT_HELP,
    flags: [...AUDIT_FLAGS, JSON_FLAG],
    settings: [],
    examples: [
      ["gatehouse audit verify data/audit.jsonl", "One file"],
      [
        "gatehouse audit verify data/audit-2026-01.jsonl data/audit.jsonl --head=HASH",
        "Files that follow each other, the oldest first, with a hash from the server's log",
      ],
      ["gatehouse audit verify data/audit.jsonl --json", "For scripts"],
    ],
    prepare: ({ words, flags, host, problems }) => {
      const verification = readVerification(words, flags, problems);
      return () => verify(verification, flags.json === "true", host);
    },
  },
  {
    name: "version",
    summary: "Print the version",
    flags: [JSON_FLAG],
    settings: [],
    examples: [["gatehouse version", "The version alone"]],
    prepare: ({ flags, host }) => () => {
      const json = flags.json === "true";
      host.stdout(`${json ? JSON.stringify({ version: VERSION, ...host.runtime }) : VERSION}\n`);
      return EXIT.ok;
    },
  },
];

/** Runs a command line. @returns The exit status. */
export async function cli(args: readonly string[], host: Host): Promise<ExitCode> {
  const named = COMMANDS.find(({ name }) => name === args[0]);
  const command = named ?? COMMANDS[0]!;
  const { words, flags, problems: lineProblems } = readArgs(
    named ? args.slice(1) : args,
    command.flags,
    command.settings,
  );
  if (flags.help || args[0] === "help") {
    host.stdout(named ? commandHelp(named) : programHelp(COMMANDS));
    return EXIT.ok;
  }
  const problems = [...command.operands ? [] : words.map(strayWord), ...lineProblems];
  const { env, readFile } = host;
  const { settings: only, providers } = command;
  const sources = {
    flags,
    env,
    readFile,
    ...(only && { only }),
    ...(providers && { providers }),
  };
  const configured = configure(sources, command.defaults?.(host));
  if (!configured.ok) problems.push(...configured.problems);
  const run = configured.ok
    ? command.prepare({ config: configured.config, words, flags, host, problems })
    : undefined;
  if (run && problems.length === 0) return await run();
  tellProblems(host, problems);
  return EXIT.usage;
}

function strayWord(word: string): Problem {
  const names = COMMANDS.map(({ name }) => name).join(", ");
  return { where: `"${word}"`, what: "is not a command", fix: `use one of ${names}` };
}
