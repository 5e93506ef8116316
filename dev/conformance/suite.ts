/**
 * Runs the official MCP suite and reads its verdicts.
 *
 * @module
 */

/** The suite, pinned. */
export const SUITE = "npm:@modelcontextprotocol/conformance@0.2.0-alpha.12";

const DEADLINE_MS = 180_000;

/** How long fetching the suite may take before it is tried once more. */
const FETCH_MS = 60_000;

/** Revisions that the suite has frozen requirements for. */
export type Revision = "2025-11-25" | "2026-07-28";

/** What the suite found. */
export interface Verdicts {
  /** Whether a scenario passed, by its name. */
  readonly scenarios: ReadonlyMap<string, boolean>;
  /** All that the suite printed. */
  readonly output: string;
}

/** Fetches the suite, so that runs do not wait for the network. @throws When it cannot be had. */
export async function fetchSuite(tries = 2): Promise<void> {
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: ["cache", "--no-config", "--no-lock", SUITE],
    signal: AbortSignal.timeout(FETCH_MS),
    stdout: "null",
    stderr: "inherit",
  }).output();
  if (success) return;
  if (tries <= 1) throw new Error(`Cannot fetch ${SUITE}`);
  await fetchSuite(tries - 1);
}

/**
 * Runs the scenarios of `revision` against the server at `url`.
 *
 * Scenarios count, not their checks: many a check passes against a server that is down.
 */
export async function runSuite(url: string, revision: Revision): Promise<Verdicts> {
  const scratch = await Deno.makeTempDir({ prefix: "conformance-" });
  try {
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-config", "--no-lock", SUITE, "server"].concat(
        ["--url", url, "--requirements", revision, "--output-dir", scratch],
      ),
      cwd: scratch,
      signal: AbortSignal.timeout(DEADLINE_MS),
    }).output();
    const decoder = new TextDecoder();
    const output = decoder.decode(stdout) + decoder.decode(stderr);
    return { scenarios: verdictsOf(output), output };
  } finally {
    await Deno.remove(scratch, { recursive: true });
  }
}

/**
 * The verdicts in what the suite printed: one line per scenario, "✓ ping: 2 passed, 0 failed".
 *
 * One that was skipped has the mark of success, too, and no check that passed.
 */
export function verdictsOf(output: string): Map<string, boolean> {
  const rows = output.matchAll(/^([✓✗]) (\S+): (\d+) passed, \d+ failed/gm);
  return new Map(
    [...rows].map(([, mark, name, passed]) => [name!, mark === "✓" && passed !== "0"]),
  );
}
