/**
 * Checking an audit log: whether lines were changed, taken out, put in, moved or torn.
 *
 * @module
 */

import { type Broken, type Intact, verifyAudit } from "../audit/verify.ts";
import type { Problem } from "../config/sources.ts";
import type { Flag, FlagValues } from "./args.ts";
import { EXIT, type ExitCode, type Host, type OpenFile, tellProblems } from "./host.ts";

/** After how many milliseconds of work a terminal is told how far it is, and how often. */
const PROGRESS_MS = { first: 2000, next: 1000 } as const;

/** Flags of the command, besides `--json`. */
export const AUDIT_FLAGS: readonly Flag[] = [{
  name: "head",
  value: "HASH",
  help: "A hash that a line must have: one of those that the server's log tells as audit head",
}];

/** What the check finds, and what it cannot. */
export const AUDIT_HELP =
  `Finds lines that were changed, taken out, put in, moved or torn, and names the first. Lines that were
taken off the end, and hashes that somebody made anew from some line on, are found with --head only:
give it a hash that the server's log told, where whoever can write the file could not change it.
Exit status: 0 intact, 1 broken, 2 when the command line is wrong or a file cannot be read.
`;

/** What is to be checked. */
export interface Verification {
  readonly paths: readonly string[];
  /** A hash that a line must have. */
  readonly anchor?: string;
}

/** Reads the command line, adding to `problems` where it cannot. */
export function readVerification(
  words: readonly string[],
  { head }: FlagValues,
  problems: Problem[],
): Verification {
  const [verb, ...paths] = words;
  if (verb !== "verify" || paths.length === 0) {
    const where = words.length === 0 ? "audit" : `"audit ${words.join(" ")}"`;
    problems.push({
      where,
      what: "does not say what to check",
      fix: "write gatehouse audit verify FILE",
    });
  }
  if (head === undefined) return { paths };
  if (!/^[0-9a-f]{64}$/.test(head)) {
    const fix = "use 64 hex digits, as the log has them under audit head";
    problems.push({ where: "--head", what: "is no hash", fix });
  }
  return { paths, anchor: head };
}

/** What checking needs of the host. */
type VerifyHost = Pick<Host, "open" | "elapsedMs" | "terminal" | "stdout" | "stderr">;

/** Checks files, the oldest first, and says what it found. */
export async function verify(
  { paths, anchor }: Verification,
  json: boolean,
  host: VerifyHost,
): Promise<ExitCode> {
  const files: OpenFile[] = [];
  let result: Intact | Broken;
  try {
    for (const path of paths) files.push(await host.open(path));
    const progress = progressOf(files, host);
    result = await verifyAudit(files.map(({ bytes }) => progress.watch(bytes)), anchor);
    progress.end();
  } catch (error) {
    const what = `cannot be read: ${error instanceof Error ? error.message : error}`;
    tellProblems(host, [{ where: paths.join(", "), what, fix: "name a file that is there" }]);
    return EXIT.usage;
  }
  const told = result.ok ? result : { ...result, file: paths[result.file] };
  host.stdout(json ? `${JSON.stringify(told)}\n` : wordsFor(result, paths));
  return result.ok ? EXIT.ok : EXIT.failed;
}

function wordsFor(result: Intact | Broken, paths: readonly string[]): string {
  if (!result.ok) {
    const { file, line, why, detail } = result;
    return `Broken: ${paths[file]}, line ${line}: ${why}: ${detail}\n`;
  }
  const { lines, first, last, head, recovered } = result;
  return [
    `Intact: ${lines} lines, from number ${first} to ${last}\nHead: ${head}\n`,
    ...(first > 1 ? [`An older file comes before: number ${first - 1} is not here\n`] : []),
    ...(recovered > 0 ? [`Torn by a crash and recovered: ${recovered}\n`] : []),
  ].join("");
}

/** Tells on a terminal how much was read. */
function progressOf(files: readonly OpenFile[], { elapsedMs, stderr, terminal }: VerifyHost) {
  const total = files.reduce((sum, { size }) => sum + size, 0);
  let read = 0;
  let due = elapsedMs() + PROGRESS_MS.first;
  let isShown = false;
  return {
    async *watch(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
      for await (const chunk of chunks) {
        yield chunk;
        read += chunk.length;
        if (!terminal || elapsedMs() < due) continue;
        due = elapsedMs() + PROGRESS_MS.next;
        isShown = true;
        stderr(`\r${Math.min(100, Math.floor(100 * read / total))} % checked`);
      }
    },
    end: () => {
      if (isShown) stderr("\r\x1b[K");
    },
  };
}
