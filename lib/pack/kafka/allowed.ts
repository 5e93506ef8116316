/**
 * Which topics there are for callers.
 *
 * @module
 */

import { glob } from "../../glob.ts";
import { LONGEST_TOPIC } from "./names.ts";

/** Prepares the test of topics: those that a glob allows, and none denies. */
export function allowed(
  { allow, deny }: { readonly allow: readonly string[]; readonly deny: readonly string[] },
): (topic: string) => boolean {
  const [allows, denies] = [allow.map(glob), deny.map(glob)];
  // Members of groups name any text as a topic, and matching a long one could be made to take long.
  return (topic) =>
    topic.length <= LONGEST_TOPIC && allows.some((fits) => fits(topic)) &&
    !denies.some((fits) => fits(topic));
}
