/**
 * The script that runs Grafana of the development environment with Keycloak's keys.
 *
 * @module
 */

import { strictEqual as equal } from "node:assert/strict";
import { has, skipBecause } from "./skip.ts";

const SCRIPT = new URL("../../dev/grafana/with-keys.sh", import.meta.url);

const UNIX = skipBecause(
  has("curl") && Deno.build.os !== "windows" ? undefined : "with-keys.sh needs sh and curl",
);

/** Stands for Grafana: tells which keys it was started with, and when it is told to end. */
const CHILD = `
  trap 'echo "ended"; exit 0' TERM
  echo "started $(grep -o '"kid":"[^"]*"' "$JWKS_FILE" | sort | tr '\\n' ' ')"
  while :; do sleep 1 & wait $!; done`;

Deno.test("with-keys.sh starts its command anew when the keys are others", UNIX, async () => {
  await using keys = serveKeys("a", "b");
  await using script = await withKeys(keys.url, ["sh", "-c", CHILD]);
  equal(await script.line(), 'started "kid":"a" "kid":"b" ');
  keys.set("b", "a");
  await keys.asked(2);
  keys.set();
  await keys.asked(2);
  keys.fail();
  await keys.asked(2);
  keys.set("c");
  equal(await script.line(), "ended");
  equal(await script.line(), 'started "kid":"c" ');
  script.stop();
  equal(await script.line(), "ended");
  equal(await script.code, 0);
});

Deno.test("with-keys.sh waits for keys", UNIX, async () => {
  await using keys = serveKeys();
  await using script = await withKeys(keys.url, ["sh", "-c", CHILD]);
  await keys.asked(3);
  keys.set("a");
  equal(await script.line(), 'started "kid":"a" ');
});

Deno.test("with-keys.sh can be stopped while it waits for keys", UNIX, async () => {
  await using keys = serveKeys();
  await using script = await withKeys(keys.url, ["sh", "-c", CHILD]);
  await keys.asked(1);
  script.stop();
  equal(await script.code, 0);
  equal(await script.line(), undefined);
});

Deno.test("with-keys.sh ends as its command ends", UNIX, async () => {
  await using keys = serveKeys("a");
  await using script = await withKeys(keys.url, ["sh", "-c", "exit 7"]);
  equal(await script.code, 7);
});

function serveKeys(...kids: string[]) {
  let answer = () => Response.json({ keys: kids.map((kid) => ({ kid })) });
  let count = 0;
  let waiting: { until: number; resolve: () => void } | undefined;
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, () => {
    count++;
    if (waiting && count >= waiting.until) waiting.resolve();
    return answer();
  });
  return {
    url: `http://127.0.0.1:${server.addr.port}/`,
    set(...kids: string[]) {
      answer = () => Response.json({ keys: kids.map((kid) => ({ kid })) });
    },
    fail() {
      answer = () => new Response("away", { status: 503 });
    },
    /** Resolves when the keys have been asked for `more` times from now on. */
    asked: (more: number) =>
      new Promise<void>((resolve) => waiting = { until: count + more, resolve }),
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

async function withKeys(url: string, command: readonly string[]) {
  const folder = await Deno.makeTempDir();
  const child = new Deno.Command("sh", {
    args: [decodeURIComponent(SCRIPT.pathname), ...command],
    env: { JWKS_URL: url, JWKS_FILE: `${folder}/jwks.json`, JWKS_PAUSE: "0.1" },
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const lines = linesOf(child.stdout);
  const code = child.status.then(({ code }) => code);
  let ended = false;
  code.then(() => ended = true);
  return {
    code,
    line: async () => (await lines.next()).value as string | undefined,
    stop: () => child.kill("SIGTERM"),
    async [Symbol.asyncDispose]() {
      if (!ended) child.kill("SIGTERM");
      await code;
      for await (const _ of lines);
      await Deno.remove(folder, { recursive: true });
    },
  };
}

async function* linesOf(stream: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string> {
  let rest = "";
  for await (const chunk of stream.pipeThrough(new TextDecoderStream())) {
    const parts = (rest + chunk).split("\n");
    rest = parts.pop()!;
    yield* parts;
  }
}
