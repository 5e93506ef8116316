/**
 * Reading what Grafana or a data source answered, by its shape.
 *
 * Zod tells everything that is wrong, so a list of 100,000 wrong items would make as many errors, at
 * many times the cost of the answer itself. Whoever answers decides how long a list is; so lists and
 * records of answers are read by {@linkcode items} and {@linkcode members}, which end at the first
 * item that is wrong.
 *
 * @module
 */

import { z } from "zod";
import { ToolError } from "../../pack.ts";

/** A list of any length. The first wrong item is told, by its place. */
export function items<T>(shape: z.ZodType<T>) {
  return z.array(z.unknown()).transform((all, context): T[] => {
    const read: T[] = [];
    for (const one of all) {
      const parsed = shape.safeParse(one);
      if (!parsed.success) {
        const message = `item ${read.length}: ${placesOf(parsed.error)}`;
        context.addIssue({ code: "custom", message });
        return z.NEVER;
      }
      read.push(parsed.data);
    }
    return read;
  });
}

/** An object with any number of members of one shape. That one is wrong is told, not its name. */
export function members<T>(shape: z.ZodType<T>) {
  return z.record(z.string(), z.unknown()).transform((all, context): Record<string, T> => {
    const read: [name: string, value: T][] = [];
    for (const [name, one] of Object.entries(all)) {
      const parsed = shape.safeParse(one);
      if (!parsed.success) {
        const message = `a member: ${placesOf(parsed.error)}`;
        context.addIssue({ code: "custom", message });
        return z.NEVER;
      }
      read.push([name, parsed.data]);
    }
    return Object.fromEntries(read);
  });
}

/**
 * Reads an answer.
 *
 * @param told What a caller is told when it has another shape.
 * @throws {ToolError} When it has. The reason names the places, and no values.
 */
export function shaped<T>(
  shape: z.ZodType<T>,
  value: unknown,
  told = "Grafana's answer is not of the shape that is known here. " +
    "Its version may be too old or too new, or something else answers at GRAFANA_URL",
): T {
  const parsed = shape.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new ToolError(told, `answer not as expected: ${placesOf(parsed.error)}`);
}

function placesOf({ issues }: z.ZodError): string {
  return issues.map(({ path, message }) => [...path, message].join(": ")).join("; ");
}
