/**
 * What the program runs with where no `deno.json` lies beside it.
 *
 * @module
 */

import manifest from "../../deno.json" with { type: "json" };

const { net, read, write, env, ffi } = manifest.permissions.default;

/** The permissions of `deno.json` as flags. Paths are relative to where the program is started. */
export const PERMISSIONS: readonly string[] = [
  ...(net ? ["--allow-net"] : []),
  ...(read ? ["--allow-read"] : []),
  `--allow-write=${write.map((path) => path.replace(/^\.\//, "")).join(",")}`,
  `--allow-env=${env.allow.join(",")}`,
  `--ignore-env=${env.ignore.join(",")}`,
  ...(ffi.deny ? ["--deny-ffi"] : []),
];

/** Deno's unstable features that the program is written for, as flags. */
export const FEATURES: readonly string[] = manifest.unstable.map((name) => `--unstable-${name}`);
