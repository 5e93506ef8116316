/**
 * What the tools ask of a Kafka cluster, in words of their own.
 *
 * Offsets are `bigint`, times are Unix milliseconds, as in Kafka. Each method asks as few brokers as
 * it can and bounds its own time; each throws a `ToolError` with what Kafka refused in words for the
 * caller, and any other error when the client does not work.
 *
 * @module
 */

/** A broker that lives. */
export interface Broker {
  readonly id: number;
  readonly host: string;
  readonly port: number;
  readonly rack: string | undefined;
}

/** One partition of a topic. Replicas are ids of brokers. */
export interface Partition {
  readonly partition: number;
  /** Absent while the partition is offline. */
  readonly leader: number | undefined;
  readonly replicas: readonly number[];
  /** The replicas that are in sync. */
  readonly isr: readonly number[];
}

/** A topic. Partitions are in order of their numbers. */
export interface Topic {
  readonly name: string;
  readonly internal: boolean;
  readonly partitions: readonly Partition[];
}

/** The cluster as one broker sees it. */
export interface Snapshot {
  readonly clusterId: string | undefined;
  /**
   * The active controller; absent when there is none, the caller may not know, or topics were
   * asked for by name.
   */
  readonly controllerId: number | undefined;
  /** In order of their ids. */
  readonly brokers: readonly Broker[];
  /** In order of their names. Topics that do not exist, or that the caller may not see, are absent. */
  readonly topics: readonly Topic[];
}

/** A partition by name. */
export interface Place {
  readonly topic: string;
  readonly partition: number;
}

/** A header of a record. Names need not be unique. */
export interface Header {
  readonly name: string;
  readonly value: Uint8Array | undefined;
}

/** A record that was read. */
export interface KafkaRecord extends Place {
  readonly offset: bigint;
  readonly timestampMs: number;
  readonly key: Uint8Array | undefined;
  readonly value: Uint8Array | undefined;
  readonly headers: readonly Header[];
  /** How many headers there are, when the first of them are here; all are when absent. */
  readonly headerCount?: number;
}

/** What reading one partition came to. */
export interface Slice extends Place {
  /** In order of their offsets, none below the offset that was asked for. */
  readonly records: readonly KafkaRecord[];
  /** Where to go on. Beyond the last record, control records and aborted ones included. */
  readonly nextOffset: bigint;
  /** The offset that reading ends at now: the last stable one. */
  readonly endOffset: bigint;
}

/** A record to write. */
export interface NewRecord {
  readonly topic: string;
  /** Chosen by the key when absent, as Java's client does; by chance without a key. */
  readonly partition?: number;
  readonly key?: Uint8Array;
  readonly value: Uint8Array | undefined;
  readonly headers: readonly Header[];
}

/** Where a record was written, once all in-sync replicas have it. */
export interface Written extends Place {
  readonly offset: bigint;
  /** Of the topic's clock when it keeps its own (`LogAppendTime`), else the one sent. */
  readonly timestampMs: number;
}

/** A consumer group in a list. */
export interface GroupSummary {
  readonly id: string;
  /** As Kafka writes it: `Stable`, `Empty`, `PreparingRebalance`, … */
  readonly state: string;
  /** `classic`, `consumer` (KIP-848), `share` or `streams`; absent from brokers before 3.7. */
  readonly type: string | undefined;
}

/** A member of a group. */
export interface GroupMember {
  readonly id: string;
  readonly instanceId: string | undefined;
  readonly clientId: string;
  readonly host: string;
  readonly assigned: readonly Place[];
}

/** A group in full, of the classic protocol or the new one. */
export interface GroupDetails extends GroupSummary {
  /** The assignor. */
  readonly protocol: string | undefined;
  readonly members: readonly GroupMember[];
}

/** What a group committed for a partition. */
export interface Commit extends Place {
  readonly offset: bigint;
  readonly metadata: string | undefined;
}

/** One setting of a topic or broker. */
export interface Setting {
  readonly name: string;
  /** Absent for sensitive ones, and where Kafka has none. */
  readonly value: string | undefined;
  readonly isDefault: boolean;
  readonly isReadOnly: boolean;
  readonly isSensitive: boolean;
  /** Where the value comes from: `default`, `topic`, `dynamic broker`, `static broker`, … */
  readonly source: string;
}

/** An instant in a partition's log: its ends, or Unix milliseconds. */
export type Instant = "earliest" | "latest" | number;

/** A cluster, as one caller or this server reaches it. */
export interface Cluster {
  /** Brokers, and the topics named or all. Creates no topic. */
  snapshot(topics?: readonly string[]): Promise<Snapshot>;
  /**
   * The first offset at or after an instant, for each partition; `latest` is the end of what is
   * stable. `undefined` where no record is that new.
   */
  offsets(
    places: readonly Place[],
    at: Instant,
  ): Promise<readonly (Place & { readonly offset: bigint | undefined })[]>;
  /**
   * Reads committed records, with no group. Answers as soon as there is any, or after `maxWaitMs`.
   *
   * @param from Partitions, and the offset to begin at; at most one read per partition.
   * @param maxBytes Of all that is read together. One record larger than that is still read.
   */
  read(
    from: readonly (Place & { readonly offset: bigint })[],
    bounds: { readonly maxBytes: number; readonly maxWaitMs: number },
  ): Promise<readonly Slice[]>;
  /** Writes a record and waits until all in-sync replicas have it. Never writes twice. */
  write(record: NewRecord): Promise<Written>;
  /** All consumer groups, in order of their ids. */
  groups(): Promise<readonly GroupSummary[]>;
  /** Groups in full. Unknown ones are absent. */
  groupDetails(ids: readonly string[]): Promise<readonly GroupDetails[]>;
  /** What groups committed, by group. Partitions that a group never committed are absent. */
  commits(ids: readonly string[]): Promise<ReadonlyMap<string, readonly Commit[]>>;
  /** Settings of a topic, or of a broker by its id; those named or all. */
  settings(
    of: { readonly type: "topic" | "broker"; readonly name: string },
    names?: readonly string[],
  ): Promise<readonly Setting[]>;
}
