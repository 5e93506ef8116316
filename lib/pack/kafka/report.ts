/**
 * What all reports on a cluster have in common.
 *
 * @module
 */

import { type ToolContext, ToolError } from "../../pack.ts";
import type { Kafka } from "./kafka.ts";

/** When a report is made, as ISO 8601. */
export function timestamp({ now }: Pick<Kafka, "now">): string {
  return new Date(now() * 1000).toISOString();
}

/** A part of a report, or why it is missing. */
export type Part<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly reason: string };

/**
 * Looks at one part of a cluster, so that a report can go on without it.
 *
 * @param name For the log, when the part fails for a reason that callers can do nothing about.
 * @throws When nobody waits for the report any more.
 */
export async function part<T>(
  name: string,
  context: ToolContext,
  look: () => Promise<T>,
): Promise<Part<T>> {
  try {
    return { ok: true, value: await look() };
  } catch (error) {
    context.signal.throwIfAborted();
    if (error instanceof ToolError) return { ok: false, reason: error.message };
    context.log("error", "part of a report failed", { part: name, error: String(error) });
    return { ok: false, reason: "This failed; the server's log tells why" };
  }
}

/** What was left out of several lists, in one text; nothing when nothing was. */
export function leftOut(
  lists: Readonly<Record<string, { readonly truncated?: string }>>,
): { readonly truncated?: string } {
  const words = Object.entries(lists)
    .flatMap(([name, { truncated }]) => truncated === undefined ? [] : [`${name}: ${truncated}`]);
  return words.length === 0 ? {} : { truncated: words.join("; ") };
}
