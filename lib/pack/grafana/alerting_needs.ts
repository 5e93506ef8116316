/**
 * Arguments of a tool with several operations, where an operation needs some of them.
 *
 * @module
 */

import { ToolError } from "../../pack.ts";

/** Arguments with `Name` present. */
export type With<Args, Name extends keyof Args> =
  & Args
  & { readonly [N in Name]-?: NonNullable<Args[N]> };

/**
 * Passes arguments that have everything an operation needs. Empty counts as missing.
 *
 * @throws {ToolError} Naming what is missing.
 */
export function needing<
  Args extends { readonly operation: string },
  Name extends keyof Args & string,
>(args: Args, ...names: readonly Name[]): With<Args, Name> {
  const missing = names.filter((name) => isEmpty(args[name]));
  if (missing.length === 0) return args as With<Args, Name>;
  throw new ToolError(
    `The operation "${args.operation}" needs ${missing.join(", ")}`,
    "missing arguments",
  );
}

/** Whether an argument is absent, or stands for that. */
export function isEmpty(value: unknown): boolean {
  return value === undefined || value === null || value === "" ||
    (Array.isArray(value) && value.length === 0);
}
