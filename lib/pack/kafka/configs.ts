/**
 * The settings of topics and brokers.
 *
 * @module
 */

import { z } from "zod";
import { type Tool, tool, ToolError } from "../../pack.ts";
import { fitting, truncated } from "../cut.ts";
import type { Kafka } from "./kafka.ts";
import { noSuchTopic, topicName } from "./names.ts";
import { findTopic } from "./topic.ts";

const reads = { readOnlyHint: true, idempotentHint: true, openWorldHint: false } as const;

const resource_type = z.enum(["topic", "broker"]);

/** The tools. */
export function configs({ clusterFor, isAllowed }: Kafka): Tool[] {
  return [
    tool({
      name: "describe_configs",
      title: "Describe settings",
      description:
        "Tells settings of a topic or a broker, and where each value comes from. Values of " +
        "sensitive settings are never shown.",
      annotations: reads,
      input: z.strictObject({
        resource_type,
        resource_name: z.string().min(1).max(249).describe("Name of the topic, id of the broker"),
        config_keys: z.array(z.string().min(1).max(249)).min(1).max(100).optional()
          .describe("As retention.ms; all when absent"),
      }),
      output: z.object({
        resource_type,
        resource_name: z.string(),
        configs: z.array(z.object({
          name: z.string(),
          value: z.string().nullable().describe("null: sensitive, or there is none"),
          is_default: z.boolean(),
          is_read_only: z.boolean(),
          is_sensitive: z.boolean(),
          source: z.string(),
        })),
        unknown_keys: z.array(z.string()).optional().describe("config_keys that Kafka has not"),
        truncated,
      }),
      async run({ resource_type: type, resource_name: name, config_keys }, context) {
        check(type, name);
        const cluster = await clusterFor(context);
        if (type === "topic") await findTopic(name, cluster, isAllowed);
        const settings = await cluster.settings({ type, name }, config_keys);
        const found = new Set(settings.map(({ name }) => name));
        const unknown = config_keys?.filter((key) => !found.has(key)) ?? [];
        const { items, ...cut } = fitting(
          settings.toSorted((a, b) => a.name < b.name ? -1 : 1).map((one) => ({
            name: one.name,
            value: one.isSensitive ? null : one.value ?? null,
            is_default: one.isDefault,
            is_read_only: one.isReadOnly,
            is_sensitive: one.isSensitive,
            source: one.source,
          })),
          "ask for some config_keys",
        );
        return {
          resource_type: type,
          resource_name: name,
          configs: items,
          ...(unknown.length > 0 && { unknown_keys: unknown }),
          ...cut,
        };
      },
    }),
  ];
}

function check(type: z.infer<typeof resource_type>, name: string): void {
  if (type === "topic" && !topicName.safeParse(name).success) throw noSuchTopic(name);
  if (type === "broker" && !/^(?:0|[1-9]\d{0,9})$/.test(name)) {
    throw new ToolError(`No broker's id is "${name}". See list_brokers`, "bad broker id");
  }
}
