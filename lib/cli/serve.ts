/**
 * Serving until the process is asked to stop.
 *
 * @module
 */

import { type App, app, prepare } from "../app.ts";
import { UNAUDITED } from "../audit.ts";
import type { Config } from "../config.ts";
import { resourceOf } from "../config.ts";
import { logger } from "../log.ts";
import { type Meter, UNMETERED } from "../meter.ts";
import type { Ports } from "../ports.ts";
import { UNTRACED } from "../spans.ts";
import { stdio } from "../stdio.ts";
import { VERSION } from "../version.ts";
import { EXIT, type ExitCode, type Host, type Listener } from "./host.ts";
import { listening } from "./listening.ts";
import { type Auditing, auditing } from "./auditing.ts";
import { listenForMetrics, type Metering, metering } from "./metering.ts";

/** How long calls in flight may take to finish once the process is asked to stop, in milliseconds. */
export const GRACE_MS = 4500;

/** How long the last answers may take to leave, in milliseconds. */
const FAREWELL_MS = 200;

/**
 * Serves `config`.
 *
 * @param onReady Called when the address answers.
 */
export async function serve(
  config: Config,
  host: Host,
  onReady?: () => Promise<void>,
): Promise<ExitCode> {
  const { meter, answer } = await metering(config, host);
  const ports = portsOf(config, host, meter);
  let auditLog: Auditing;
  try {
    auditLog = await auditing(config, host, ports.log);
  } catch (error) {
    host.stderr(`gatehouse: ${reasonOf(error)}\n`);
    return EXIT.failed;
  }
  const { audit } = auditLog;
  audit.write("started", { version: VERSION, transport: config.transport });
  let isKept = false;
  let code: ExitCode;
  try {
    code = await run(config, host, { ...ports, audit }, answer, onReady);
  } finally {
    audit.write("stopped", { version: VERSION });
    isKept = await auditLog.close();
  }
  return isKept ? code : EXIT.failed;
}

async function run(
  config: Config,
  host: Host,
  ports: Ports,
  answer: Metering["answer"],
  onReady?: () => Promise<void>,
): Promise<ExitCode> {
  if (config.transport === "stdio") {
    const served = await prepare(config, ports);
    if (config.oauth) {
      ports.log("warn", "OAuth is not used on stdio", { fix: "set MCP_TRANSPORT=http" });
    }
    if (config.metrics) {
      ports.log("warn", "metrics are not served on stdio", { fix: "set MCP_TRANSPORT=http" });
    }
    await stdio(served.newServer, ports.log, host.stop);
    await Promise.all(served.packs.map((pack) => pack.close()));
    return EXIT.ok;
  }
  const { http, oauth } = config;
  let program: App;
  try {
    program = await app(config, ports);
  } catch (error) {
    host.stderr(`gatehouse: ${reasonOf(error)}\n`);
    return EXIT.failed;
  }
  let listener: Listener;
  try {
    listener = listening(http, host, program.fetch, ports.log);
  } catch (error) {
    host.stderr(`gatehouse: Cannot listen on ${http.host}:${http.port}: ${reasonOf(error)}\n`);
    await program.close();
    return EXIT.failed;
  }
  const metrics = answer && listenForMetrics(answer, config, host, ports.log);
  if (answer && !metrics) {
    await listener.shutdown();
    await program.close();
    return EXIT.failed;
  }
  ports.log("info", "serving", {
    version: VERSION,
    url: resourceOf(http).href,
    listen: `${http.host}:${http.port}`,
    oauth: oauth?.provider.kind ?? "off",
    sessions: http.sessions,
    packs: program.packs.map((pack) => pack.name).join(","),
  });
  if (host.spans !== UNTRACED) {
    ports.log("warn", "traces hold the queries of URLs", {
      fix: "delete url.full and url.query in the collector",
    });
  }
  await onReady?.();
  await aborted(host.stop);
  ports.log("info", "stopping");
  const answered = listener.shutdown();
  await program.drain();
  await Promise.race([Promise.all([answered, metrics?.shutdown()]), sleep(GRACE_MS)]);
  await program.close();
  // The last answers are handed over, but not yet on their way: ending now would cut them off.
  await sleep(FAREWELL_MS);
  ports.log("info", "stopped");
  return EXIT.ok;
}

/** The program's ports, with the log that `config` asks for, and without the audit log. */
export function portsOf(config: Config, host: Host, meter: Meter = UNMETERED): Ports {
  const { level, format } = config.log;
  const log = logger({
    level,
    format: format === "auto" ? host.terminal ? "text" : "json" : format,
    wallMs: host.wallMs,
    write: host.stderr,
  });
  const { now, elapsedMs, random, fetch, fetchWith, resolve, fetchAt, readFile, spans } = host;
  return {
    now,
    elapsedMs,
    random,
    fetch,
    fetchWith,
    resolve,
    fetchAt,
    readFile,
    log,
    audit: UNAUDITED,
    meter,
    spans,
  };
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.name === "AddrInUse"
    ? "the port is taken. Stop what uses it, or choose another with --port"
    : error.message;
}
