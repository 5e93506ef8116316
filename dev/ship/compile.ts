/**
 * Makes executables of the bundle, one per target: `dist/gatehouse-VERSION-TARGET`.
 *
 *     deno run -A dev/ship/compile.ts [TARGET | all]...
 *
 * Deno downloads what it puts into them from its own site, unless `DENORT_BIN` names the file. The
 * permissions of `deno.json` are baked in; paths among them are relative to where the executable
 * is started. Compiled code is not cached: the cache would lie in the folder for temporary files,
 * where others could put one of theirs.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { VERSION } from "../../lib/version.ts";
import { BUNDLE } from "./bundle.ts";
import { FEATURES, PERMISSIONS } from "./flags.ts";
import { DIST, ROOT } from "./places.ts";
import { deno } from "./run.ts";

/** What executables are made for, as Deno names it. */
export const TARGETS = [
  "x86_64-unknown-linux-gnu",
  "aarch64-unknown-linux-gnu",
  "x86_64-apple-darwin",
  "aarch64-apple-darwin",
  "x86_64-pc-windows-msvc",
] as const;

/** One of {@linkcode TARGETS}. */
export type Target = (typeof TARGETS)[number];

/** The target of this machine. It may be none of {@linkcode TARGETS}. */
export const HOST_TARGET: string = Deno.build.target;

/** Where the executable for `target` is. */
export function executableFor(target: string): URL {
  const suffix = target.includes("windows") ? ".exe" : "";
  return new URL(`gatehouse-${VERSION}-${target}${suffix}`, DIST);
}

function isTarget(word: string): word is Target {
  return (TARGETS as readonly string[]).includes(word);
}

async function compile(target: Target): Promise<void> {
  const output = fileURLToPath(executableFor(target));
  const flags = ["--quiet", "--no-config", "--no-code-cache", ...FEATURES, ...PERMISSIONS];
  await deno(
    ["compile", ...flags, "--target", target, "--output", output, BUNDLE.href],
    ROOT,
  );
  await Deno.stdout.write(new TextEncoder().encode(`${output}\n`));
}

/** @returns The exit status. */
async function main(words: readonly string[]): Promise<number> {
  const targets = words.includes("all") ? TARGETS : words.length > 0 ? words : [HOST_TARGET];
  const stray = targets.find((target) => !isTarget(target));
  if (stray !== undefined) {
    const usage = `compile: ${stray} is no target; use all, or some of ${TARGETS.join(", ")}\n`;
    await Deno.stderr.write(new TextEncoder().encode(usage));
    return 2;
  }
  for (const target of targets.filter(isTarget)) await compile(target);
  return 0;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
