/**
 * Calling tools of the Kafka pack before a cluster in memory, as strict as a real one: it refuses
 * partitions that do not exist, and offsets of partitions that nobody leads.
 *
 * @module
 */

import type { Identity } from "../../../lib/identity.ts";
import { Shown, type Tool, type ToolContext, ToolError } from "../../../lib/pack.ts";
import type {
  Broker,
  Cluster,
  Commit,
  GroupDetails,
  KafkaRecord,
  NewRecord,
  Partition,
  Place,
  Setting,
  Topic,
} from "../../../lib/pack/kafka/cluster.ts";
import type { Kafka } from "../../../lib/pack/kafka/kafka.ts";
import { NOW } from "../../fakes.ts";

/** What is in a cluster. Everything is empty when absent. */
export interface Contents {
  /** Three brokers when absent. */
  readonly brokers?: readonly Broker[];
  /** Broker 1 when absent; `null` is none. */
  readonly controllerId?: number | null;
  readonly topics?: readonly Topic[];
  readonly records?: readonly KafkaRecord[];
  /** Ends of logs; without, a log begins at 0 and ends with its last record. */
  readonly logs?: readonly (Place & { readonly start?: bigint; readonly end: bigint })[];
  readonly groups?: readonly GroupDetails[];
  readonly commits?: Readonly<Record<string, readonly Commit[]>>;
  /** By type and name, as in `topic orders` and `broker 1`. */
  readonly settings?: Readonly<Record<string, readonly Setting[]>>;
  /** What methods throw instead. */
  readonly failing?: Readonly<Partial<Record<keyof Cluster, Error>>>;
}

/** How often each method was called; those that were not are absent. */
export type Calls = Partial<Record<keyof Cluster, number>>;

/** A cluster in memory, which remembers what it was asked. */
export interface TestCluster extends Cluster {
  readonly calls: Calls;
  /** Arguments of each call, in order. */
  readonly asked: readonly (readonly [method: keyof Cluster, ...args: unknown[]])[];
  readonly written: readonly NewRecord[];
}

/** Makes partitions, all of them led by broker 1 and in sync, unless given. */
export function topic(
  name: string,
  partitions: number | readonly Partition[] = 1,
  internal = false,
): Topic {
  const made = typeof partitions === "number"
    ? Array.from({ length: partitions }, (_, at) => partition(at))
    : partitions;
  return { name, internal, partitions: made };
}

/** Makes a partition: healthy on brokers 1 to 3, unless told otherwise. */
export function partition(at: number, other: Partial<Partition> = {}): Partition {
  return { partition: at, leader: 1, replicas: [1, 2, 3], isr: [1, 2, 3], ...other };
}

/** Makes a broker. */
export function broker(id: number, rack?: string): Broker {
  return { id, host: `kafka-${id}.example`, port: 9092, rack };
}

/** Makes a record at time 0, without key, of a text. */
export function record(topic: string, partition: number, offset: bigint, value = ""): KafkaRecord {
  const bytes = new TextEncoder().encode(value);
  return { topic, partition, offset, timestampMs: 0, key: undefined, value: bytes, headers: [] };
}

/** Makes a group: classic, stable and without members, unless told otherwise. */
export function group(id: string, other: Partial<GroupDetails> = {}): GroupDetails {
  return { id, state: "Stable", type: "classic", protocol: "range", members: [], ...other };
}

/** Makes a cluster. */
export function newCluster(contents: Contents = {}): TestCluster {
  const { topics = [], groups = [], commits = {}, settings = {} } = contents;
  const calls: Calls = {};
  const asked: [keyof Cluster, ...unknown[]][] = [];
  const written: NewRecord[] = [];
  const records = [...contents.records ?? []];
  const isAt = (one: Place) => (other: Place) =>
    one.topic === other.topic && one.partition === other.partition;

  function find(place: Place): Partition {
    const { topic, partition } = place;
    const found = topics.find(({ name }) => name === topic)
      ?.partitions.find((one) => one.partition === partition);
    if (!found) {
      throw new ToolError(`There is no partition ${partition} of ${topic}`, "no such partition");
    }
    return found;
  }
  function log(place: Place) {
    if (find(place).leader === undefined) {
      throw new ToolError(`Nobody leads partition ${place.partition} of ${place.topic}`, "offline");
    }
    const own = records.filter(isAt(place)).sort((a, b) => Number(a.offset - b.offset));
    const { start = 0n, end = 0n } = contents.logs?.find(isAt(place)) ?? {};
    const last = own.at(-1)?.offset;
    return { own, start, end: last !== undefined && last >= end ? last + 1n : end };
  }
  const named = <T>(items: readonly T[], nameOf: (item: T) => string, names?: readonly string[]) =>
    items.filter((item) => names?.includes(nameOf(item)) ?? true)
      .sort((a, b) => nameOf(a) < nameOf(b) ? -1 : 1);

  const answers: { [M in keyof Cluster]: (...args: Parameters<Cluster[M]>) => unknown } = {
    snapshot: (names) => ({
      clusterId: "test",
      controllerId: contents.controllerId === null ? undefined : contents.controllerId ?? 1,
      brokers: contents.brokers ?? [broker(1), broker(2), broker(3)],
      topics: named(topics, ({ name }) => name, names),
    }),
    offsets: (places, at) =>
      places.map(({ topic, partition }) => {
        const { own, start, end } = log({ topic, partition });
        const offset = at === "earliest"
          ? start
          : at === "latest"
          ? end
          : own.find(({ timestampMs }) => timestampMs >= at)?.offset;
        return { topic, partition, offset };
      }),
    read(from, { maxBytes }) {
      let left = maxBytes;
      let isFirst = true;
      return from.map(({ topic, partition, offset }) => {
        const { own, start, end } = log({ topic, partition });
        if (offset < start || offset > end) {
          throw new ToolError(`Offset ${offset} is out of range`, "out of range");
        }
        const rest = own.filter((one) => one.offset >= offset);
        const fits = rest.findIndex(({ key, value }) => {
          left -= (key?.length ?? 0) + (value?.length ?? 0);
          const isBeyond = left < 0 && !isFirst;
          isFirst = false;
          return isBeyond;
        });
        const read = fits === -1 ? rest : rest.slice(0, fits);
        return {
          topic,
          partition,
          records: read,
          nextOffset: fits === -1 ? end : rest[fits]!.offset,
          endOffset: end,
        };
      });
    },
    write(record) {
      const { topic, partition = 0, key, value, headers } = record;
      const { end: offset } = log({ topic, partition });
      const timestampMs = NOW * 1000;
      written.push(record);
      records.push({ topic, partition, offset, timestampMs, key, value, headers });
      return { topic, partition, offset, timestampMs };
    },
    groups: () => named(groups, ({ id }) => id).map(({ id, state, type }) => ({ id, state, type })),
    groupDetails: (ids) => named(groups, ({ id }) => id, ids),
    commits: (ids) =>
      new Map(ids.flatMap((id) => Object.hasOwn(commits, id) ? [[id, commits[id]!]] : [])),
    settings({ type, name }, names) {
      const all = settings[`${type} ${name}`];
      if (!all) throw new ToolError(`There is no ${type} ${name}`, "no such resource");
      return all.filter(({ name }) => names?.includes(name) ?? true);
    },
  };

  const counted = Object.entries(answers).map(([name, answer]) => {
    const method = name as keyof Cluster;
    // deno-lint-ignore require-await -- so that what it throws is a rejection
    const call = async (...args: unknown[]) => {
      calls[method] = (calls[method] ?? 0) + 1;
      asked.push([method, ...args]);
      const failure = contents.failing?.[method];
      if (failure) throw failure;
      return (answer as (...args: unknown[]) => unknown)(...args);
    };
    return [method, call];
  });
  return { ...Object.fromEntries(counted) as Cluster, calls, asked, written };
}

/** Who calls in these tests. */
export const ALICE: Identity = {
  subject: "alice",
  issuer: "https://idp.example",
  username: "alice@example.com",
  scopes: [],
  roles: ["admin"],
  expiresAt: NOW + 600,
  claims: {},
  token: "alice-token",
};

/** What a test lends to tools, resources and prompts. */
export const CONTEXT: ToolContext = {
  identity: ALICE,
  signal: new AbortController().signal,
  log: () => {},
  progress: () => Promise.resolve(),
};

/** Makes what tools are made of. Topics that begin with `secret` are not allowed. */
export function newKafka(cluster: Cluster): Kafka {
  return {
    clusterFor: () => Promise.resolve(cluster),
    isAllowed: (topic) => !topic.startsWith("secret"),
    now: () => NOW,
  };
}

/** What became of a call. */
export interface Called {
  readonly calls: Calls;
  readonly asked: TestCluster["asked"];
  readonly written: readonly NewRecord[];
  /** The result, after its schema. */
  readonly value?: Record<string, unknown>;
  /** Shown instead of the result's JSON. */
  readonly content?: readonly unknown[];
  /** What the caller is told instead. */
  readonly told?: string;
}

/** Calls a tool as the server does: arguments and result pass their schemas. */
export async function callTool(
  make: (kafka: Kafka) => readonly Tool[],
  name: string,
  args: Record<string, unknown>,
  contents: Contents = {},
): Promise<Called> {
  const cluster = newCluster(contents);
  const tool = make(newKafka(cluster)).find((one) => one.name === name);
  if (!tool) throw new TypeError(`Cannot call ${name}: there is no such tool`);
  const { calls, asked, written } = cluster;
  const parsed = tool.input.safeParse(args);
  if (!parsed.success) {
    return { calls, asked, written, told: `bad arguments: ${parsed.error.message}` };
  }
  try {
    const result = await tool.run(parsed.data, CONTEXT);
    const { value, content } = result instanceof Shown ? result : { value: result, content: [] };
    return { calls, asked, written, value: tool.output.parse(value), content };
  } catch (error) {
    if (error instanceof ToolError) return { calls, asked, written, told: error.message };
    throw error;
  }
}
