/**
 * The cluster's brokers, topics and settings.
 *
 * @module
 */

import {
  ConfigResourceTypes,
  ConfigSources,
  describeConfigsV4,
  describeQuorumV0,
  describeQuorumV1,
  describeQuorumV2,
} from "@platformatic/kafka";
import { ToolError } from "../../pack.ts";
import { answered, type Call, type Calls, newest } from "./calls.ts";
import type { Cluster, Setting, Snapshot } from "./cluster.ts";
import { refusal } from "./failures.ts";
import { addresses, metadata } from "./routing.ts";

const QUORUM = {
  topicName: "__cluster_metadata",
  partitions: [{ partitionIndex: 0 }],
} as const;

/** Topic codes that tell of nothing but an absent topic: unknown, invalid, not to be seen. */
const ABSENT: ReadonlySet<number> = new Set([3, 17, 29]);

const SOURCES: Readonly<Record<number, string>> = {
  [ConfigSources.DYNAMIC_TOPIC_CONFIG]: "topic",
  [ConfigSources.DYNAMIC_BROKER_CONFIG]: "dynamic broker",
  [ConfigSources.DYNAMIC_DEFAULT_BROKER_CONFIG]: "dynamic default broker",
  [ConfigSources.STATIC_BROKER_CONFIG]: "static broker",
  [ConfigSources.DEFAULT_CONFIG]: "default",
  [ConfigSources.DYNAMIC_BROKER_LOGGER_CONFIG]: "dynamic broker logger",
  [ConfigSources.CLIENT_METRICS_CONFIG]: "client metrics",
  [ConfigSources.GROUP_CONFIG]: "group",
};

const NOBODY = -1;

/** The part of a cluster that tells what there is. */
export function describing({ call }: Calls): Pick<Cluster, "snapshot" | "settings"> {
  return {
    snapshot: (topics) => call((own) => snapshot(own, topics)),
    settings: (of, names) => call((own) => settings(own, of, names)),
  };
}

async function snapshot(call: Call, topics?: readonly string[]): Promise<Snapshot> {
  // Who asks for topics by name does so for their partitions.
  const isOfCluster = !topics || topics.length === 0;
  const [found, controller] = await Promise.all([
    metadata(call, topics),
    isOfCluster ? leaderOfQuorum(call) : NOBODY,
  ]);
  const controllerId = controller ?? found.controllerId;
  return {
    clusterId: found.clusterId ?? undefined,
    controllerId: controllerId < 0 ? undefined : controllerId,
    brokers: found.brokers
      .map(({ nodeId, host, port, rack }) => ({ id: nodeId, host, port, rack: rack ?? undefined }))
      .sort((a, b) => a.id - b.id),
    topics: found.topics
      .filter(({ errorCode }) => !ABSENT.has(errorCode))
      .map(({ name, isInternal, partitions }) => ({
        name: name ?? "",
        internal: isInternal,
        partitions: partitions
          .map(({ partitionIndex, leaderId, replicaNodes, isrNodes }) => ({
            partition: partitionIndex,
            leader: leaderId < 0 ? undefined : leaderId,
            replicas: replicaNodes,
            isr: isrNodes,
          }))
          .sort((a, b) => a.partition - b.partition),
      }))
      .sort((a, b) => a.name < b.name ? -1 : 1),
  };
}

/** How long the quorum may take: without a majority it does not answer, and the rest is still told. */
const QUORUM_MS = 1_000;

/**
 * The controller of a cluster with a quorum, where metadata names any broker.
 *
 * @returns Absent for clusters that have no quorum; a negative number when it cannot be known.
 */
function leaderOfQuorum(call: Call): Promise<number | undefined> {
  const asked = call.any(async (connection, versions) => {
    if (!versions.has(describeQuorumV0.api.key)) return undefined;
    const api = newest(versions, [
      describeQuorumV2.api,
      describeQuorumV1.api,
      describeQuorumV0.api,
    ]);
    const { errorCode, topics } = await answered(
      api.async(connection, [{ ...QUORUM, partitions: [...QUORUM.partitions] }]),
    );
    const quorum = topics[0]?.partitions[0];
    return errorCode === 0 && quorum?.errorCode === 0 ? quorum.leaderId : NOBODY;
  });
  return Promise.race([asked.catch(() => NOBODY), call.pause(QUORUM_MS).then(() => NOBODY)]);
}

async function settings(
  call: Call,
  { type, name }: Parameters<Cluster["settings"]>[0],
  names?: readonly string[],
): Promise<readonly Setting[]> {
  const resource = {
    resourceType: type === "topic" ? ConfigResourceTypes.TOPIC : ConfigResourceTypes.BROKER,
    resourceName: name,
    configurationKeys: names ? [...names] : null,
  };
  const ask = async (...[connection, versions]: Parameters<Parameters<Call["any"]>[0]>) => {
    const api = newest(versions, [describeConfigsV4.api]);
    return await answered(api.async(connection, [resource], false, false));
  };
  // A broker knows its own settings only.
  const { results } = type === "topic"
    ? await call.any(ask)
    : await call.at(await brokerOf(call, name), "ask", ask);
  const [found] = results;
  if (!found) throw new Error("Cannot ask for settings: the answer is empty");
  if (found.errorCode !== 0) {
    const topic = type === "topic" ? name : undefined;
    throw refusal(found.errorCode, { topic, operation: "DESCRIBE_CONFIGS" }, found.errorMessage);
  }
  return found.configs.map(({ name, value, readOnly, configSource, isSensitive }) => ({
    name,
    value: isSensitive ? undefined : value ?? undefined,
    isDefault: configSource === ConfigSources.DEFAULT_CONFIG,
    isReadOnly: readOnly,
    isSensitive,
    source: SOURCES[configSource] ?? "unknown",
  })).sort((a, b) => a.name < b.name ? -1 : 1);
}

async function brokerOf(call: Call, id: string) {
  const found = addresses(await metadata(call, []));
  const address = found.get(Number(id));
  if (address) return address;
  throw new ToolError(
    `No broker ${id} lives. Those that do: ${[...found.keys()].sort((a, b) => a - b).join(", ")}`,
    "unknown broker",
  );
}
