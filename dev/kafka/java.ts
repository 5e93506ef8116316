/**
 * Kafka's programs as processes.
 *
 * @module
 */

/** The archive of loaded classes in the folder of the jars; Java goes without when it is missing. */
export const ARCHIVE = "classes.jsa";

// Few compilations and one collector thread: these processes live for seconds, several at a time.
const JAVA_OPTIONS = [
  "-Xms64m",
  "-Xmx256m",
  "-XX:TieredStopAtLevel=1",
  "-XX:+UseSerialGC",
  "-XX:-UsePerfData",
  "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
];

/** What is run. */
export interface Program {
  /** The folder of `distribution.ts`. */
  readonly home: string;
  /** Class with a `main`. */
  readonly main: string;
  readonly args: readonly string[];
  /** System properties. */
  readonly properties?: Readonly<Record<string, string>>;
  /** The file to write an archive of loaded classes to at the end, instead of using the one there is. */
  readonly record?: string;
}

/** What runs. */
export interface Process {
  readonly pid: number;
  /** Whether it ended by itself, or as it was told. */
  readonly ended: () => boolean;
  /** The last that it said; complete once `end` has settled. */
  readonly words: () => string;
  /** Settles when it is gone and has said everything. */
  readonly end: Promise<void>;
  signal(name: Deno.Signal): void;
}

/**
 * A program that has not begun. What it prints and reads is up to the caller.
 *
 * @throws {Error} When the folder of the jars cannot be read.
 */
export function command(
  { home, main, args, properties = {}, record }: Program,
  streams: Pick<Deno.CommandOptions, "stdin" | "stdout" | "stderr">,
): Deno.Command {
  const archive = record
    ? `-XX:ArchiveClassesAtExit=${record}`
    : `-XX:SharedArchiveFile=${home}/${ARCHIVE}`;
  const defined = Object.entries(properties).map(([name, value]) => `-D${name}=${value}`);
  const classpath = ["-cp", jars(home).join(":")];
  return new Deno.Command("java", {
    args: [...JAVA_OPTIONS, archive, ...defined, ...classpath, main, ...args],
    ...streams,
  });
}

/** Begins a program that goes on until a signal comes. */
export function begin(program: Program): Process {
  const child = command(program, { stdin: "null", stdout: "piped", stderr: "piped" }).spawn();
  let ended = false;
  let words = "";
  const listen = async (stream: ReadableStream<Uint8Array<ArrayBuffer>>) => {
    for await (const chunk of stream.pipeThrough(new TextDecoderStream())) {
      words = (words + chunk).slice(-8_000);
    }
  };
  const end = Promise.all([
    listen(child.stdout),
    listen(child.stderr),
    child.status.then(() => ended = true),
  ]);
  return {
    pid: child.pid,
    ended: () => ended,
    words: () => words,
    end: end.then(() => {}),
    signal: (name) => {
      if (!ended) child.kill(name);
    },
  };
}

// An archive fits one order of the jars.
function jars(home: string): string[] {
  const names = Array.from(Deno.readDirSync(home), ({ name }) => name);
  return names.filter((name) => name.endsWith(".jar")).sort().map((name) => `${home}/${name}`);
}
