/**
 * A real Apache Kafka on this machine, for tests: brokers that are controllers, too, in KRaft mode.
 * It needs Java 17 and, the first time, Maven and the network.
 *
 * It answers on loopback only and ends with whoever started it. Topics are not made by themselves.
 *
 * @module
 */

import { until, within } from "../keycloak/wait.ts";
import { makeArchive } from "./archive.ts";
import { distribution, progress } from "./distribution.ts";
import { begin, type Process } from "./java.ts";
import { brokersSeenAt } from "./metadata.ts";
import { CLUSTER, type Listener, type Settings, takeSeat, writeSettings } from "./settings.ts";
import { type RunningTool, runTool, startTool, type Tool } from "./tools.ts";

const START_DEADLINE_MS = 120_000;
const STOP_DEADLINE_MS = 30_000;

/** What to start. */
export interface KafkaOptions extends Settings {
  /** How many brokers, numbered from 1. Broker `n` is in the rack `rack-n`. 1 when absent. */
  readonly brokers?: number;
}

/** A Kafka that runs. */
export interface Kafka extends AsyncDisposable {
  /** The addresses of all brokers at a listener, as `host:port`, in their order. */
  bootstrap(listener?: "PLAINTEXT" | Listener): string[];
  /** Ends a broker in order: it hands its partitions over, if there is somebody to take them. */
  stop(broker: number): Promise<void>;
  /** Ends a broker in the middle of whatever it does. */
  kill(broker: number): Promise<void>;
  /** Lets a broker neither answer nor end, until it may go on. */
  freeze(broker: number): void;
  /** Lets it go on. */
  thaw(broker: number): void;
  /**
   * Starts brokers that ended, at the same ports with the same data, and waits until all that run
   * know each other. None may be frozen.
   *
   * @throws {Error} When one does not start, with its last words, or runs already.
   */
  restart(...brokers: number[]): Promise<void>;
  /** Runs a tool against the cluster, and yields what it printed. */
  run(tool: Tool, args: readonly string[], input?: string): Promise<string>;
  /** Starts a tool against the cluster that goes on, such as a consumer. */
  start(tool: Tool, args: readonly string[]): RunningTool;
}

/**
 * Starts Kafka and waits until every broker knows all of them.
 *
 * @throws {Error} When one does not start, with its last words.
 */
export async function startKafka({ brokers = 1, ...settings }: KafkaOptions = {}): Promise<Kafka> {
  const home = await distribution();
  const folder = await Deno.makeTempDir({ prefix: "gatehouse-kafka-" });
  const running = new Map<number, Process>();
  const end = async (broker: number, signal: Deno.Signal) => {
    const ending = running.get(broker);
    if (!ending) return;
    running.delete(broker);
    ending.signal(signal);
    await within(STOP_DEADLINE_MS, ending.end);
    ending.signal("SIGKILL");
    await ending.end;
  };
  const dispose = async () => {
    await Promise.all([...running.keys()].map((broker) => end(broker, "SIGKILL")));
    await Deno.remove(folder, { recursive: true });
  };
  try {
    await makeArchive(home, folder);
    const seats = await Promise.all(
      Array.from({ length: brokers }, (_, index) => takeSeat(folder, index + 1, settings)),
    );
    const files = await Promise.all(seats.map((own) => writeSettings(own, seats, settings)));
    const users = scram(settings);
    await Promise.all(
      files.map((file) =>
        runTool(home, "kafka-storage", ["format", "-t", CLUSTER, "-c", file, ...users])
      ),
    );
    const restart = async (...ids: number[]) => {
      for (const id of ids) {
        if (running.has(id)) throw new Error(`Cannot start broker ${id}: it runs`);
        running.set(id, launch(home, files[id - 1]!, settings));
      }
      await Promise.all(
        [...running].map(([id, broker]) =>
          until(`broker ${id} is ready`, START_DEADLINE_MS, async () => {
            if (broker.ended()) throw new Error(`Cannot start broker ${id}:\n${broker.words()}`);
            return await brokersSeenAt(seats[id - 1]!.ports.PLAINTEXT!) >= running.size;
          })
        ),
      );
    };
    const started = performance.now();
    await restart(...seats.map(({ id }) => id));
    progress(`ready after ${((performance.now() - started) / 1000).toFixed(1)} s`);
    const bootstrap = (listener: string = "PLAINTEXT") =>
      seats.map(({ ports }) => `127.0.0.1:${ports[listener]}`);
    const addressed = (
      args: readonly string[],
    ) => ["--bootstrap-server", bootstrap().join(","), ...args];
    return {
      bootstrap,
      stop: (broker) => end(broker, "SIGTERM"),
      kill: (broker) => end(broker, "SIGKILL"),
      freeze: (broker) => running.get(broker)?.signal("SIGSTOP"),
      thaw: (broker) => running.get(broker)?.signal("SIGCONT"),
      restart,
      run: (tool, args, input) => runTool(home, tool, addressed(args), input),
      start: (tool, args) => startTool(home, tool, addressed(args)),
      [Symbol.asyncDispose]: dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}

function launch(home: string, file: string, { oauth }: Settings): Process {
  return begin({
    home,
    main: "kafka.Kafka",
    args: [file],
    properties: {
      ...(oauth && { "org.apache.kafka.sasl.oauthbearer.allowed.urls": oauth.jwks }),
    },
  });
}

function scram({ users = {} }: Settings): string[] {
  return Object.entries(users).flatMap(([name, password]) =>
    ["SCRAM-SHA-256", "SCRAM-SHA-512"].flatMap((mechanism) => [
      "--add-scram",
      `${mechanism}=[name=${name},password=${password}]`,
    ])
  );
}
