/**
 * The contract of a pack: tools, resources and prompts, prepared once and serving many.
 *
 * @module
 */

import type { ContentBlock, ToolAnnotations } from "@modelcontextprotocol/server";
import type { z } from "zod";
import type { Identity } from "./identity.ts";
import type { Fields, Level } from "./ports.ts";

/** What a tool, resource or prompt is lent for one call. */
export interface ToolContext {
  /** Who is calling; absent when the server runs without OAuth. */
  readonly identity: Identity | undefined;
  /** Aborts when nobody waits for the result any more. */
  readonly signal: AbortSignal;
  /** Writes a line under the id of the request. */
  log(level: Level, event: string, fields?: Fields): void;
  /** Tells the caller how far the work is. Does nothing when the caller did not ask. */
  progress(done: number, total?: number, message?: string): Promise<void>;
}

/** One tool. */
export interface Tool<
  Input extends z.ZodObject = z.ZodObject,
  Output extends z.ZodObject = z.ZodObject,
> {
  /** Unique over all packs; `[A-Za-z0-9_.-]`, at most 128 characters. */
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly annotations: ToolAnnotations;
  /** Arguments; a call that does not fit never reaches {@linkcode Tool.run}. */
  readonly input: Input;
  /** Shape of the result. */
  readonly output: Output;
  /**
   * Does the work.
   *
   * @throws {ToolError} When the caller can do something about it; its message reaches them.
   * @throws Anything else, when it fails; the caller then hears only that it did, the log hears why.
   */
  run(
    args: z.infer<Input>,
    context: ToolContext,
  ): Result<z.infer<Output>> | Promise<Result<z.infer<Output>>>;
}

/** What a tool yields: a value, which is shown as JSON, or one with contents of its own. */
export type Result<T> = T | Shown<T>;

/** A value that is shown as something else than JSON, such as a picture. */
export class Shown<T> {
  constructor(readonly value: T, readonly content: readonly ContentBlock[]) {}
}

/**
 * A failure that the caller can act on. The message is for a model to read: what is wrong, where,
 * and what to do. No secret has a place in it.
 */
export class ToolError extends Error {
  /** @param reason For the log, where the message does not belong: it may quote what was asked. */
  constructor(message: string, readonly reason: string) {
    super(message);
  }
}

/** A document that clients read by its URI. It is shown as JSON. */
export interface Resource<Query extends z.ZodObject = z.ZodObject> {
  /** Unique over all packs; without query and fragment, at most 128 characters. */
  readonly uri: string;
  /** For programs, such as `kafka-overview`. */
  readonly name: string;
  readonly title: string;
  readonly description: string;
  /** Parameters that a query of the URI may have: all texts, none required. */
  readonly query?: Query;
  /** Makes the document. @throws As {@linkcode Tool.run} does. */
  read(
    query: z.infer<Query>,
    context: ToolContext,
  ): Record<string, unknown> | Promise<Record<string, unknown>>;
}

/** A text that people put before their model, made of what is so now. */
export interface Prompt<Input extends z.ZodObject = z.ZodObject> {
  /** Unique over all packs; `[A-Za-z0-9_.-]`, at most 128 characters. */
  readonly name: string;
  readonly title: string;
  readonly description: string;
  /** Arguments: all texts, as clients send them. */
  readonly input: Input;
  /** Makes the text, in Markdown. @throws As {@linkcode Tool.run} does. */
  write(args: z.infer<Input>, context: ToolContext): string | Promise<string>;
}

/** A named set of tools, resources and prompts. */
export interface Pack {
  readonly name: string;
  readonly tools: readonly Tool[];
  readonly resources?: readonly Resource[];
  readonly prompts?: readonly Prompt[];
  /** Whether the pack can work now. */
  ready(): boolean | Promise<boolean>;
  /** Lets go of what the pack holds. Called once, when serving has ended. */
  close(): void | Promise<void>;
}

/** Keeps the types of a tool's arguments and result while making it one of many. */
export function tool<Input extends z.ZodObject, Output extends z.ZodObject>(
  definition: Tool<Input, Output>,
): Tool {
  return definition as unknown as Tool;
}

/** Keeps the types of a resource's query while making it one of many. */
export function resource<Query extends z.ZodObject>(definition: Resource<Query>): Resource {
  return definition as unknown as Resource;
}

/** Keeps the types of a prompt's arguments while making it one of many. */
export function prompt<Input extends z.ZodObject>(definition: Prompt<Input>): Prompt {
  return definition as unknown as Prompt;
}
