/**
 * Writing records.
 *
 * @module
 */

import { z } from "zod";
import { type Tool, tool } from "../../pack.ts";
import { decoded, encoding } from "./encoding.ts";
import { isoTime } from "./instant.ts";
import type { Kafka } from "./kafka.ts";
import { topicName } from "./names.ts";
import { offsetNumber } from "./offset.ts";
import { checkPartition } from "./partition.ts";
import { findTopic } from "./topic.ts";

/** The tool. */
export function produce({ clusterFor, isAllowed }: Kafka): Tool[] {
  return [tool({
    name: "produce_message",
    title: "Produce message",
    description:
      "Writes one message to a topic that exists, and waits until all in-sync replicas have it.",
    annotations: {
      readOnlyHint: false,
      destructiveHint: false,
      idempotentHint: false,
      openWorldHint: false,
    },
    input: z.strictObject({
      topic: topicName,
      value: z.string().nullable().describe("null writes a tombstone"),
      key: z.string().nullish().describe("An empty key is one; absent or null is none"),
      headers: z.record(z.string(), z.string()).optional(),
      partition: z.number().int().min(0).optional().describe("Chosen by the key when absent"),
      encoding: encoding.default("text").describe("Of key, value and values of headers"),
    }),
    output: z.object({
      topic: z.string(),
      partition: z.number(),
      offset: z.number(),
      timestamp: z.string().optional(),
    }),
    async run({ topic: name, value, key, headers = {}, partition, encoding }, context) {
      const bytes = (text: string, what: string) => decoded(text, encoding, what);
      const record = {
        topic: name,
        ...(typeof key === "string" && { key: bytes(key, "The key") }),
        value: value === null ? undefined : bytes(value, "The value"),
        headers: Object.entries(headers).map(([name, text]) => ({
          name,
          value: bytes(text, `The header "${name}"`),
        })),
        ...(partition !== undefined && { partition }),
      };
      const cluster = await clusterFor(context);
      const topic = await findTopic(name, cluster, isAllowed);
      if (partition !== undefined) checkPartition(topic, partition);
      const written = await cluster.write(record);
      return {
        topic: written.topic,
        partition: written.partition,
        offset: offsetNumber(written.offset),
        ...isoTime(written.timestampMs),
      };
    },
  })];
}
