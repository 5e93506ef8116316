/**
 * Names of topics and groups, as callers give them.
 *
 * @module
 */

import { z } from "zod";
import { ToolError } from "../../pack.ts";

/** How long the name of a topic can be, in characters. */
export const LONGEST_TOPIC = 249;

/** Argument that is the name of a topic, as far as Kafka could have one. */
export const topicName = z.string().max(LONGEST_TOPIC)
  .regex(/^[a-zA-Z0-9._-]+$/, "a topic's name is made of a-z A-Z 0-9 . _ -")
  .refine((name) => name !== "." && name !== "..", "no topic has this name");

/** Argument that is the id of a consumer group. Kafka takes every text that is not empty. */
export const groupId = z.string().min(1).max(255);

/** The refusal of topics that do not exist or are not allowed: nothing tells which it is. */
export function noSuchTopic(...names: readonly string[]): ToolError {
  const quoted = names.map((name) => `"${name}"`).join(" or ");
  return new ToolError(
    `There is no topic ${quoted}. See list_topics for those that there are. Kafka also hides ` +
      "topics from a login without DESCRIBE on them",
    "no such topic",
  );
}
