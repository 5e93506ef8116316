/**
 * Reading resources and prompts of the Kafka pack before a cluster in memory.
 *
 * @module
 */

import { type ToolContext, ToolError } from "../../../lib/pack.ts";
import type { Commit, GroupMember, Place } from "../../../lib/pack/kafka/cluster.ts";
import { prompts } from "../../../lib/pack/kafka/prompts.ts";
import { resources } from "../../../lib/pack/kafka/resources.ts";
import { type Calls, type Contents, CONTEXT, newCluster, newKafka } from "./cluster.ts";

/** The resources, by the last part of their URI, and the prompts of the same subjects. */
export const SUBJECTS = [
  ["overview", "kafka_cluster_overview"],
  ["health-check", "kafka_health_check"],
  ["under-replicated-partitions", "kafka_under_replicated_partitions"],
  ["consumer-lag-report", "kafka_consumer_lag_report"],
] as const;

type Subject = typeof SUBJECTS[number];

/** What a document is, loosely: tests say what they expect. */
// deno-lint-ignore no-explicit-any -- a document is JSON
export type Document = any;

/** What became of reading a resource. */
export interface Read {
  readonly document: Document;
  readonly calls: Calls;
  /** What the caller is told instead. */
  readonly told?: string;
}

/** Reads a resource as the server does: the query passes its schema, the result is JSON. */
export async function read(
  subject: Subject[0],
  contents: Contents = {},
  query: Record<string, string> = {},
  context: ToolContext = CONTEXT,
): Promise<Read> {
  const cluster = newCluster(contents);
  const found = resources(newKafka(cluster)).find(({ uri }) => uri === `kafka-mcp://${subject}`)!;
  const { calls } = cluster;
  try {
    const document = await found.read(found.query?.parse(query) ?? {}, context);
    return { document: JSON.parse(JSON.stringify(document)), calls };
  } catch (error) {
    if (error instanceof ToolError) return { document: undefined, calls, told: error.message };
    throw error;
  }
}

/** Makes the text of a prompt. */
export async function write(
  name: Subject[1],
  contents: Contents = {},
  args: Record<string, string> = {},
): Promise<{ readonly text: string; readonly calls: Calls }> {
  const cluster = newCluster(contents);
  const found = prompts(newKafka(cluster)).find((one) => one.name === name)!;
  return {
    text: await found.write(found.input.parse(args), CONTEXT),
    calls: cluster.calls,
  };
}

/** The rows of the tables in a text, heads included, as cells. */
export function rowsOf(text: string): string[][] {
  return text.split("\n").filter((line) => line.startsWith("|"))
    .map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim()));
}

/** Makes a commit. */
export function commit(topic: string, partition: number, offset: bigint): Commit {
  return { topic, partition, offset, metadata: undefined };
}

/** Makes a member that is assigned partitions. */
export function member(id: string, ...assigned: Place[]): GroupMember {
  return { id, instanceId: undefined, clientId: id, host: "/192.0.2.1", assigned };
}
