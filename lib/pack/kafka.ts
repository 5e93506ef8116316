/**
 * The pack for Kafka: topics, records, consumer groups and the state of the cluster.
 *
 * Names and arguments are those of kafka-mcp-server, so that prompts carry over. Records are read
 * without a consumer group: nobody takes another's.
 *
 * @module
 */

import type { Pack } from "../pack.ts";
import { brokers } from "./kafka/brokers.ts";
import { configs } from "./kafka/configs.ts";
import { consume } from "./kafka/consume.ts";
import { groups } from "./kafka/groups.ts";
import type { Kafka } from "./kafka/kafka.ts";
import { produce } from "./kafka/produce.ts";
import { prompts } from "./kafka/prompts.ts";
import { resources } from "./kafka/resources.ts";
import { topics } from "./kafka/topics.ts";

/** What the pack is made of, and how it is let go. */
export interface KafkaOptions extends Kafka, Pick<Pack, "ready" | "close"> {
  /** Whether tools that write are left out. */
  readonly readOnly: boolean;
}

/** Makes the pack. */
export function kafka(options: KafkaOptions): Pack {
  const tools = [produce, consume, brokers, topics, groups, configs]
    .flatMap((make) => make(options))
    .filter(({ annotations }) => !options.readOnly || annotations.readOnlyHint);
  return {
    name: "kafka",
    tools,
    resources: resources(options),
    prompts: prompts(options),
    ready: options.ready,
    close: options.close,
  };
}
