/**
 * The command-line tools that come with Kafka.
 *
 * @module
 */

import { begin, command } from "./java.ts";

const TOOLS = {
  "kafka-acls": "org.apache.kafka.tools.AclCommand",
  "kafka-configs": "kafka.admin.ConfigCommand",
  "kafka-console-consumer": "org.apache.kafka.tools.consumer.ConsoleConsumer",
  "kafka-console-producer": "org.apache.kafka.tools.ConsoleProducer",
  "kafka-consumer-groups": "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
  "kafka-storage": "kafka.tools.StorageTool",
  "kafka-topics": "org.apache.kafka.tools.TopicCommand",
} as const;

/** The name of a tool as in Kafka's own `bin`, without `.sh`. */
export type Tool = keyof typeof TOOLS;

/**
 * Runs a tool to its end.
 *
 * @param input What it reads from stdin.
 * @returns What it printed.
 * @throws {Error} When it does not end with 0, with what it said.
 */
export async function runTool(
  home: string,
  tool: Tool,
  args: readonly string[],
  input = "",
): Promise<string> {
  const streams = { stdin: "piped", stdout: "piped", stderr: "piped" } as const;
  const child = command({ home, main: TOOLS[tool], args }, streams).spawn();
  const writer = child.stdin.getWriter();
  const written = writer.write(new TextEncoder().encode(input)).then(() => writer.close());
  // A tool that reads nothing may end before everything is written.
  const [{ success, stdout, stderr }] = await Promise.all([
    child.output(),
    written.catch(() => {}),
  ]);
  const [printed, complained] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  if (success) return printed!;
  throw new Error(`Cannot run ${tool} ${args.join(" ")}:\n${printed}${complained}`);
}

/** Starts a tool that goes on, such as a consumer. Disposing ends it as Ctrl+C would. */
export function startTool(home: string, tool: Tool, args: readonly string[]): RunningTool {
  const running = begin({ home, main: TOOLS[tool], args });
  return {
    words: running.words,
    [Symbol.asyncDispose]: async () => {
      running.signal("SIGTERM");
      await running.end;
    },
  };
}

/** A tool that goes on. */
export interface RunningTool extends AsyncDisposable {
  /** The last that it printed. */
  readonly words: () => string;
}
