/**
 * Which commands of the README and the guides the test runs, how, and why not.
 *
 * @module
 */

/** A command that is not run, and why. */
export interface Exception {
  readonly command: RegExp;
  readonly reason: string;
}

/** Commands that are not run here. What `.ci/run` runs as a step of its own needs no row. */
export const EXCEPTIONS: readonly Exception[] = [
  { command: /^npx -y deno@[\d.]+ task test$/, reason: "the front door of .ci/run runs it" },
  { command: /^deno task test(:e2e)?$/, reason: "deno task ok runs them" },
  { command: /^claude mcp /, reason: "needs Claude Code, and a person who logs in" },
  {
    command: /^npx -y @modelcontextprotocol\/inspector@/,
    reason: "tests/e2e/inspector_test.ts runs it",
  },
  {
    command: /^deno run -A dev\/keycloak\/keycloak\.ts/,
    reason: "deno task test:keycloak runs it",
  },
  { command: /^deno task dev:(up|down)$|^docker /, reason: "needs Docker" },
  { command: /^(sha256sum --check|install -D|gh) /, reason: "needs a release" },
  { command: /^deno run .* URL /, reason: "needs a release; deno task test:ship runs one" },
  {
    command: /^npx -y deno@[\d.]+ task compile$/,
    reason: "needs Deno's own site; a step of .ci/run does the same without",
  },
];

/** A command that serves until it is asked to stop, and what it prints when it is ready. */
interface Server {
  readonly command: RegExp;
  readonly ready: RegExp;
}

const SERVERS: readonly Server[] = [
  { command: / task dev\b/, ready: /Press Ctrl\+C to stop/ },
  { command: / task start( --.*)?$|^gatehouse( --.*)?$/, ready: /"event":"serving"/ },
];

/** What a script needs before it runs, and what stands for words in it that are the reader's. */
interface Preparation {
  readonly command: RegExp;
  readonly before: string;
  readonly words: Readonly<Record<string, string>>;
}

const PREPARATIONS: readonly Preparation[] = [{
  command: /data\/audit/,
  // An audit log that was renamed while a server wrote it.
  before: `rm -rf data && mkdir data && mkfifo data/in
MCP_AUDIT=file:data/audit.jsonl gatehouse <data/in & exec 3>data/in
until test -s data/audit.jsonl; do sleep 0.1; done
mv data/audit.jsonl data/audit-2026-01.jsonl && exec 3>&- && wait $!`,
  words: { HASH: `$(tail -n 1 data/audit.jsonl | sed 's/.*"hash":"//; s/"}//')` },
}];

/** The script with what it needs. */
export function prepared(script: string): string {
  return PREPARATIONS.filter(({ command }) => command.test(script)).reduce(
    (whole, { before, words }) =>
      `${before}\n${whole.replace(/\b[A-Z]+\b/g, (word) => words[word] ?? word)}`,
    script,
  );
}

/** Why `command` is not run, if so. @param ci The text of `.ci/run`. */
export function exceptionTo(command: string, ci: string): string | undefined {
  const named = EXCEPTIONS.find(({ command: pattern }) => pattern.test(command));
  if (named) return named.reason;
  const [, task] = /^(?:npx -y deno@[\d.]+|deno) (task [\w:]+(?: --\w+)?)$/.exec(command) ?? [];
  const isStep = task && new RegExp(`^[^#\n]* ${task}(?![\\w:])`, "m").test(ci);
  return isStep ? "a step of .ci/run" : undefined;
}

/** What a command that serves prints when it is ready; `undefined` for the others. */
export function readyOf(command: string): RegExp | undefined {
  return SERVERS.find(({ command: pattern }) => pattern.test(command))?.ready;
}
