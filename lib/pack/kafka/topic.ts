/**
 * Finding a topic.
 *
 * @module
 */

import type { Cluster, Topic } from "./cluster.ts";
import type { Kafka } from "./kafka.ts";
import { noSuchTopic } from "./names.ts";

/** @throws {ToolError} When there is none, or it is not allowed: in the same words. */
export async function findTopic(
  name: string,
  cluster: Cluster,
  isAllowed: Kafka["isAllowed"],
): Promise<Topic> {
  const { topics: [topic] } = isAllowed(name) ? await cluster.snapshot([name]) : { topics: [] };
  if (!topic) throw noSuchTopic(name);
  return topic;
}
