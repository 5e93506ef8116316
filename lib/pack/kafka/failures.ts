/**
 * What Kafka refuses, in words that a model can act on.
 *
 * Callers learn what is wrong and what to do; the exact reason is for the log. Neither holds a
 * password, a token or what a record says.
 *
 * @module
 */

import {
  AuthenticationError,
  GenericError,
  MultipleErrors,
  NetworkError,
  ProtocolError,
  protocolErrorsCodesById,
} from "@platformatic/kafka";
import { ToolError } from "../../pack.ts";
import type { Place } from "./cluster.ts";
import { noSuchTopic } from "./names.ts";

/** What a broker refused: a request about something, which needs a right. */
export interface Refused {
  readonly topic?: string | undefined;
  readonly partition?: number | undefined;
  readonly group?: string | undefined;
  /** The operation that an ACL would have to allow, such as `READ`. */
  readonly operation: "READ" | "WRITE" | "DESCRIBE" | "DESCRIBE_CONFIGS";
}

/**
 * Trouble that passes by itself, such as an election. Nothing has happened for what failed this way,
 * so that it may be done again.
 */
export class Passing extends Error {
  /**
   * @param told What is told when it does not pass.
   * @param attempts How often it is worth a try; as often as there is time for when absent.
   */
  constructor(readonly told: ToolError, readonly attempts = Infinity) {
    super(told.message);
  }
}

/** The client was closed meanwhile, or before. */
export class Closed extends Error {
  constructor() {
    super("Cannot ask Kafka: the client is closed");
  }
}

/** Kafka could not be had. */
export class Away extends ToolError {
  constructor(message: string, reason: string, readonly outcome: "timeout" | "unreachable") {
    super(message, reason);
  }
}

/** How often something is tried that is not likely to come right soon. */
const ATTEMPTS = 3;

/** The words for a partition that does not exist. */
export function unknownPartition({ topic, partition }: Place, count: number): ToolError {
  return new ToolError(
    `Topic "${topic}" has no partition ${partition}. Its partitions are 0 to ${count - 1}`,
    "unknown partition",
  );
}

/** The words for an offset that the log does not reach. */
export function outOfRange(
  { topic, partition, offset }: Place & { readonly offset: bigint },
  earliest: bigint,
  latest: bigint,
): ToolError {
  const range = earliest === latest
    ? `It is empty; the next record gets offset ${latest}`
    : `It has offsets ${earliest} to ${latest - 1n}; the next record gets ${latest}`;
  return new ToolError(
    `Partition ${partition} of "${topic}" cannot be read from offset ${offset}. ${range}`,
    "offset out of range",
  );
}

/** The words for a record whose fate nobody knows. */
export function unknownOutcome(topic: string, why: string): ToolError {
  return new ToolError(
    `It is not known whether the record was written to "${topic}": Kafka did not confirm it. ` +
      "Read the newest records of the topic before writing it again, or it may be there twice",
    `outcome unknown: ${why}`,
  );
}

/** The words for a record that is too large. */
export function tooLarge(topic: string, reason: string): ToolError {
  return new ToolError(
    `The record is larger than "${topic}" takes: see its setting max.message.bytes. Write less`,
    reason,
  );
}

/** The words for a call that took too long. */
export function timedOut(ms: number): Away {
  return new Away(
    `Kafka did not answer within ${ms / 1000} seconds. Ask for less, or try again`,
    "timed out",
    "timeout",
  );
}

/**
 * What a broker's error code comes to: a `ToolError`, a {@linkcode Passing}, or any other error when
 * the code tells of a fault that callers can do nothing about.
 *
 * @param detail The broker's own words, if any. Only the log gets them.
 */
export function refusal(code: number, refused: Refused, detail?: string | null): Error {
  const id = protocolErrorsCodesById[code] ?? `error ${code}`;
  const reason = [id, detail].filter(Boolean).join(": ");
  const about = named(refused);
  const tool = (message: string) => new ToolError(message, reason);
  switch (id) {
    case "TOPIC_AUTHORIZATION_FAILED":
    case "GROUP_AUTHORIZATION_FAILED":
    case "CLUSTER_AUTHORIZATION_FAILED": {
      const on = id.startsWith("CLUSTER")
        ? "the cluster"
        : id.startsWith("TOPIC") && refused.topic === undefined
        ? `the topics of ${about}`
        : about;
      return tool(
        `Kafka does not allow ${refused.operation} on ${on} with the login in use. ` +
          "Whoever runs Kafka can add an ACL for it",
      );
    }
    case "UNKNOWN_TOPIC_OR_PARTITION":
    case "UNKNOWN_TOPIC_ID":
      if (refused.topic === undefined) return tool(`Kafka does not know ${about}`);
      // A broker may not have heard yet that it leads a new partition.
      return refused.partition === undefined
        ? noSuchTopic(refused.topic)
        : new Passing(noSuchTopic(refused.topic));
    case "INVALID_TOPIC_EXCEPTION":
      return tool(`Kafka does not take "${refused.topic}" as a topic for this`);
    case "MESSAGE_TOO_LARGE":
    case "RECORD_LIST_TOO_LARGE":
      return tooLarge(refused.topic ?? "", reason);
    case "NOT_ENOUGH_REPLICAS":
      return new Passing(
        tool(
          `The record was not written: fewer replicas of ${about} are in sync than its setting ` +
            "min.insync.replicas demands. Try again when more brokers are up",
        ),
        ATTEMPTS,
      );
    case "INVALID_RECORD":
      return tool(
        `Kafka refuses the record for "${refused.topic}": a compacted topic takes none without a key`,
      );
    case "INVALID_TIMESTAMP":
    case "POLICY_VIOLATION":
      return tool(`A rule of this Kafka refuses the request about ${about}`);
    case "INVALID_GROUP_ID":
    case "GROUP_ID_NOT_FOUND":
      return tool(`Kafka knows no such group: ${about}`);
    case "UNSUPPORTED_VERSION":
    case "UNSUPPORTED_FOR_MESSAGE_FORMAT":
      return unsupported(reason);
    case "THROTTLING_QUOTA_EXCEEDED":
      return new Passing(
        tool("Kafka has had too much of this login's requests. Wait, and try again"),
      );
    case "LEADER_NOT_AVAILABLE":
      return new Passing(leaderless(refused, reason));
    case "NOT_LEADER_OR_FOLLOWER":
    case "REPLICA_NOT_AVAILABLE":
    case "BROKER_NOT_AVAILABLE":
    case "FENCED_LEADER_EPOCH":
    case "UNKNOWN_LEADER_EPOCH":
    case "OFFSET_NOT_AVAILABLE":
    case "KAFKA_STORAGE_ERROR":
    case "COORDINATOR_LOAD_IN_PROGRESS":
    case "COORDINATOR_NOT_AVAILABLE":
    case "NOT_COORDINATOR":
    case "UNSTABLE_OFFSET_COMMIT":
      return new Passing(tool(`Kafka is moving ${about} between brokers. Try again in a moment`));
    default:
      return new Error(`Cannot ask Kafka about ${about}: ${reason}`);
  }
}

/** The words for a partition that no broker leads. */
export function leaderless(
  refused: Pick<Refused, "topic" | "partition">,
  reason = "no leader",
): ToolError {
  return new ToolError(
    `No broker leads ${named(refused)} at the moment. Try again when more brokers are up`,
    reason,
  );
}

/** The words for a Kafka that is too old. */
export function unsupported(reason: string): ToolError {
  return new ToolError("This version of Kafka cannot do that", reason);
}

/** What an error of a connection comes to; an error of another kind stays as it is. */
export function unreachable(
  error: unknown,
  { host, port }: { host: string; port: number },
): unknown {
  const chain = [...causes(error)];
  const told = chain.find((cause) => cause instanceof ToolError || cause instanceof Passing);
  if (told) return told;
  const reason = `${host}:${port}: ${chain.map(wordsOf).join(": ")}`;
  if (isRefusedLogin(error)) {
    return new ToolError("Kafka refused the login. Whoever runs this server can tell why", reason);
  }
  if (!chain.some((cause) => GenericError.isGenericError(cause))) return error;
  return new Passing(
    new Away("Kafka cannot be reached at the moment. Try again later", reason, "unreachable"),
    ATTEMPTS,
  );
}

/** Whether an error of a connection is that the broker refused the login. */
export function isRefusedLogin(error: unknown): boolean {
  const chain = [...causes(error)];
  // Connections that are lost during a login count as refused ones to the library.
  const refused = chain.some((cause) => cause instanceof AuthenticationError);
  const answered = chain.some((cause) => cause instanceof ProtocolError);
  const lost = chain.findLast((cause) => cause instanceof GenericError) instanceof NetworkError;
  return refused && (answered || !lost);
}

function* causes(error: unknown): Generator<Error> {
  for (let depth = 0; error instanceof Error && depth < 8; depth++) {
    yield error;
    error = error instanceof MultipleErrors ? error.errors[0] : error.cause;
  }
}

function wordsOf(error: Error): string {
  if (!(error instanceof ProtocolError)) return error.message;
  return [error.apiId, error.serverErrorMessage].filter(Boolean).join(": ");
}

function named({ topic, partition, group }: Omit<Refused, "operation">): string {
  // Somebody chose it, of any characters.
  if (group !== undefined) return `group ${JSON.stringify(group)}`;
  if (topic === undefined) return "the cluster";
  return partition === undefined ? `topic "${topic}"` : `partition ${partition} of "${topic}"`;
}

/** The words for compressed records that grow beyond all bounds. */
export function tooLargeToRead(
  { topic, partition }: Place,
  batch: { readonly firstOffset: bigint; readonly lastOffset: bigint },
  mostBytes: number,
): ToolError {
  return new ToolError(
    `The records of partition ${partition} of "${topic}" from offset ${batch.firstOffset} to ` +
      `${batch.lastOffset} are compressed, and larger than ${mostBytes / 1024 / 1024} MiB ` +
      `together. Read on from offset ${batch.lastOffset + 1n}`,
    "batch too large",
  );
}
