/**
 * A real Prometheus on this machine, for tests.
 *
 * It answers on loopback only, has what it is given from the start, scrapes itself, and is gone with
 * whoever started it.
 *
 * @module
 */

import { freePort } from "../keycloak/keycloak.ts";
import { until } from "../keycloak/wait.ts";

const START_DEADLINE_MS = 60_000;

/** A Prometheus that runs. */
export interface PrometheusServer extends AsyncDisposable {
  readonly origin: string;
  /** Ends it; nobody answers any more. */
  stop(): Promise<void>;
}

/** What Prometheus does besides scraping itself. */
export interface Duties {
  /** Addresses to scrape, by the name of their job. */
  readonly jobs?: Readonly<Record<string, readonly string[]>>;
  /** Files of rules. */
  readonly rules?: readonly string[];
}

/**
 * Starts Prometheus, and waits until it answers and has scraped itself.
 *
 * @param samples What it has, in OpenMetrics' text format with times.
 * @throws {Error} When it does not start, with its last words, or is not installed.
 */
export async function startPrometheus(
  samples: string,
  duties: Duties = {},
): Promise<PrometheusServer> {
  const folder = await Deno.makeTempDir({ prefix: "gatehouse-prometheus-" });
  let stop = () => Promise.resolve();
  const dispose = async () => {
    await stop();
    await Deno.remove(folder, { recursive: true });
  };
  try {
    await fill(folder, samples);
    const address = `127.0.0.1:${freePort()}`;
    const origin = `http://${address}`;
    const running = await run(folder, address, duties);
    stop = running.stop;
    await until("Prometheus has scraped itself", START_DEADLINE_MS, async () => {
      if (running.hasEnded()) throw new Error(`Cannot start Prometheus:\n${running.lastWords()}`);
      return await hasScraped(origin);
    });
    return { origin, stop, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

async function fill(folder: string, samples: string): Promise<void> {
  const file = `${folder}/samples.txt`;
  await Deno.writeTextFile(file, samples);
  const args = ["tsdb", "create-blocks-from", "openmetrics", file, `${folder}/data`];
  const options = { args, stdin: "null", stdout: "null", stderr: "piped" } as const;
  const { success, stderr } = await promtool(options);
  if (!success) {
    throw new Error(`Cannot give samples to Prometheus:\n${new TextDecoder().decode(stderr)}`);
  }
}

async function run(folder: string, address: string, { jobs = {}, rules = [] }: Duties) {
  const all = Object.entries({ prometheus: [address], ...jobs });
  const file = `${folder}/prometheus.yml`;
  await Deno.writeTextFile(
    file,
    JSON.stringify({
      global: { scrape_interval: "1s", evaluation_interval: "1s" },
      rule_files: rules,
      scrape_configs: all.map(([job_name, targets]) => ({
        job_name,
        static_configs: [{ targets }],
      })),
    }),
  );
  const args = [
    `--config.file=${file}`,
    `--storage.tsdb.path=${folder}/data`,
    "--storage.tsdb.retention.time=100y",
    `--web.listen-address=${address}`,
    "--log.level=warn",
  ];
  const options = { args, stdin: "null", stdout: "null", stderr: "piped" } as const;
  const child = new Deno.Command("prometheus", options).spawn();
  let said = "";
  const read = (async () => {
    for await (const chunk of child.stderr.pipeThrough(new TextDecoderStream())) said += chunk;
  })();
  let ended = false;
  child.status.then(() => ended = true);
  return {
    hasEnded: () => ended,
    lastWords: () => said.slice(-4_000),
    stop: async () => {
      // It has nothing to save.
      if (!ended) child.kill("SIGKILL");
      await child.status;
      await read;
    },
  };
}

async function hasScraped(origin: string): Promise<boolean> {
  try {
    const response = await fetch(`${origin}/api/v1/metadata?metric=prometheus_build_info`);
    const text = await response.text();
    return response.ok && Object.keys(JSON.parse(text).data).length > 0;
  } catch (error) {
    if (error instanceof TypeError) return false;
    throw error;
  }
}

// It comes in one package with Prometheus, and runs first.
async function promtool(options: Deno.CommandOptions): Promise<Deno.CommandOutput> {
  try {
    return await new Deno.Command("promtool", options).output();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new Error("Cannot find promtool: install Debian's prometheus", { cause: error });
  }
}
