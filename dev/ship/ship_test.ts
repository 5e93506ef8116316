/**
 * What is shipped, as it is used: from an empty folder, with nothing in the environment but `PATH`
 * and settings. `deno task compile` makes it first.
 *
 * @module
 */

import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { VERSION } from "../../lib/version.ts";
import { bearerHeader, modernCall, SECRET } from "../../tests/fakes.ts";
import { freePort, HTTP_ENV, launchOf } from "../../tests/e2e/program.ts";
import { type Artefact, artefacts } from "./artefacts.ts";

// Nobody listens at port 1.
const NOWHERE = "127.0.0.1:1";

const END_MS = 60_000;

interface Place extends Artefact {
  readonly alone: string;
}

const STEPS: readonly (readonly [name: string, step: (place: Place) => Promise<void>])[] = [
  ["tells its version", tellsItsVersion],
  ["refuses without a token and answers with one that it minted", guards],
  ["speaks over standard input and output", speaksOverStdio],
  ["loads the Kafka tools, which tell that no broker can be reached", loadsKafka],
  ["loads the Grafana tools", loadsGrafana],
  ["keeps registrations in SQLite, below the folder it runs in", keepsInSqlite],
  ["loads the Redis store, and waits for Redis", waitsForRedis],
  ["serves metrics", servesMetrics],
  ["says what is wrong with the configuration", refusesConfiguration],
  ["leaves no file that it was not asked for, where others could put theirs", leavesNothing],
];

for (const name of ["bundle", "executable"] as const) {
  Deno.test(`${name}, alone`, async (t) => {
    await using shipped = await artefacts();
    const artefact = shipped.all.find((one) => one.name === name)!;
    for (const [title, step] of STEPS) {
      await t.step(title, async () => {
        const alone = await Deno.makeTempDir({ prefix: "ship-" });
        try {
          await step({ ...artefact, alone });
        } finally {
          await Deno.remove(alone, { recursive: true });
        }
      });
    }
  });
}

async function end({ command, alone }: Place, args: string[], env: Record<string, string> = {}) {
  await using process = launchOf({ command, args, env, alone });
  await process.closeInput();
  return await process.end(END_MS);
}

/** A program that serves, ready or not. */
interface Program extends AsyncDisposable {
  readonly origin: string;
  /** Calls a tool as somebody with a token of the embedded minter. */
  call(tool: string): Promise<Result>;
  /** Asks it to stop, and waits for its end. */
  stop(): Promise<void>;
}

interface Result {
  readonly isError?: boolean;
  readonly structuredContent: Readonly<Record<string, unknown>>;
  readonly content: readonly { readonly text: string }[];
}

async function begin(place: Place, settings: Record<string, string> = {}): Promise<Program> {
  const port = freePort();
  const origin = `http://localhost:${port}`;
  const env = { ...HTTP_ENV, MCP_HTTP_PORT: `${port}`, ...settings };
  const process = launchOf({ ...place, env });
  try {
    await process.until("stderr", /"event":"serving"/);
  } catch (error) {
    await process[Symbol.asyncDispose]();
    throw error;
  }
  const token = async () => {
    const args = ["token", "--sub=alice", `--port=${port}`];
    const minted = await end(place, args, { JWT_SECRET: SECRET });
    equal(minted.code, 0, minted.stderr);
    return minted.stdout.trim();
  };
  return {
    origin,
    call: async (name) => {
      const headers = bearerHeader(await token());
      const params = { name, arguments: {} };
      const response = await fetch(`${origin}/mcp`, modernCall("tools/call", params, headers));
      equal(response.status, 200);
      return (await response.json()).result;
    },
    stop: async () => {
      process.kill("SIGTERM");
      const { code, stderr } = await process.end(END_MS);
      equal(code, 0, stderr);
      match(stderr, /"event":"stopped"/);
    },
    [Symbol.asyncDispose]: () => process[Symbol.asyncDispose](),
  };
}

async function tellsItsVersion(place: Place) {
  const { code, stdout, stderr } = await end(place, ["version"]);
  equal(code, 0, stderr);
  equal(stdout, `${VERSION}\n`);
}

async function guards(place: Place) {
  await using program = await begin(place);
  const refused = await fetch(`${program.origin}/mcp`, modernCall("tools/list"));
  await refused.body?.cancel();
  equal(refused.status, 401);
  match(
    refused.headers.get("www-authenticate")!,
    /^Bearer .*resource_metadata="http:\/\/localhost/,
  );
  const { structuredContent } = await program.call("whoami");
  equal(structuredContent.subject, "alice");
  await program.stop();
}

async function speaksOverStdio({ command, alone }: Place) {
  await using process = launchOf({ command, alone });
  await process.write('{"jsonrpc":"2.0","id":1,"method":"ping"}\n');
  await process.closeInput();
  const { code, stdout, stderr } = await process.end(END_MS);
  equal(code, 0, stderr);
  equal(JSON.parse(stdout).id, 1);
}

async function loadsKafka(place: Place) {
  await using program = await begin(place, { KAFKA_BROKERS: NOWHERE });
  const { isError, content } = await program.call("list_brokers");
  equal(isError, true);
  match(content[0]!.text, /^Kafka cannot be reached/);
  await program.stop();
}

async function loadsGrafana(place: Place) {
  const env = { GRAFANA_URL: `http://${NOWHERE}`, GRAFANA_SERVICE_ACCOUNT_TOKEN: "x".repeat(20) };
  await using program = await begin(place, env);
  const { isError, content } = await program.call("get_current_user");
  equal(isError, true);
  match(content[0]!.text, /Grafana/);
  await program.stop();
}

async function keepsInSqlite(place: Place) {
  const env = { OAUTH_MODE: "proxy", STORE_URL: "sqlite:data/grants.db" };
  await using program = await begin(place, env);
  const response = await fetch(`${program.origin}/oauth/register`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ client_name: "App", redirect_uris: ["http://127.0.0.1/callback"] }),
  });
  equal(response.status, 201, await response.text());
  await program.stop();
  ok((await Deno.stat(`${place.alone}/data/grants.db`)).size > 0);
}

async function waitsForRedis(place: Place) {
  const env = { OAUTH_MODE: "proxy", STORE_URL: `redis://${NOWHERE}` };
  await using program = await begin(place, env);
  const response = await fetch(`${program.origin}/readyz`);
  equal(response.status, 503);
  match(await response.text(), /^waiting for .*the store$/m);
  await program.stop();
}

async function servesMetrics(place: Place) {
  const address = `127.0.0.1:${freePort()}`;
  await using program = await begin(place, { MCP_METRICS_LISTEN: address });
  const response = await fetch(`http://${address}/metrics`);
  equal(response.status, 200);
  match(await response.text(), new RegExp(`version="${RegExp.escape(VERSION)}"`));
  await program.stop();
}

async function refusesConfiguration(place: Place) {
  const { code, stderr } = await end(place, ["check"], { MCP_TRANSPORT: "smoke" });
  equal(code, 2);
  match(stderr, /MCP_TRANSPORT/);
}

// Deno keeps what it downloads at home, and of an executable it would cache the compiled code.
async function leavesNothing(place: Place) {
  const { code, stderr } = await end(place, ["version"], { TMPDIR: place.alone });
  equal(code, 0, stderr);
  const left = [...Deno.readDirSync(place.alone)].map(({ name }) => name);
  deepEqual(left, place.name === "bundle" ? [".cache"] : []);
}
