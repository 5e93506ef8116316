/**
 * The program behind a real nginx and a real Caddy, set up as the README recommends.
 *
 * @module
 */

import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { bearerHeader, legacyCall, modernCall } from "../../tests/fakes.ts";
import { type Asked, CLIENT, setStage, type Stage } from "./stage.ts";

/** The most that the program reads of a message, in bytes. */
const MESSAGE_BYTES = 4 * 1024 * 1024;

type Call = typeof modernCall;

function called(call: Call, tool: string, args: Record<string, unknown>, token?: string): Asked {
  const { body, headers } = call(
    "tools/call",
    { name: tool, arguments: args, _meta: { progressToken: 1 } },
    token ? bearerHeader(token) : {},
  );
  return { method: "POST", headers: headers as Record<string, string>, body: body as string };
}

/** The closing log line of the request with the id in `headers`. */
async function lineOf({ program }: Stage, headers: Headers): Promise<Record<string, unknown>> {
  const id = headers.get("x-request-id")!;
  const [line] = await program.until(
    "stderr",
    new RegExp(`^.*"event":"request","id":"${id}".*$`, "m"),
  );
  return JSON.parse(line);
}

for (const kind of ["nginx", "caddy"] as const) {
  Deno.test(`behind ${kind}`, async (t) => {
    await using stage = await setStage(kind);
    const { token, origin, program } = stage;

    for (const version of ["1.1", "2"] as const) {
      for (const [era, call] of [["2025-11-25", legacyCall], ["2026-07-28", modernCall]] as const) {
        await t.step(`a call of ${era} is answered over HTTP/${version}`, async () => {
          const answer = await stage.ask({ ...called(call, "sleep", { ms: 0 }, token), version });
          deepEqual([answer.status, answer.version], [200, version]);
          match(answer.body, /"structuredContent":\{"slept":0\}/);
        });

        await t.step(
          `an event of ${era} arrives over HTTP/${version} before its stream ends`,
          async () => {
            const asked = called(call, "steps", { ms: 3_600_000 }, token);
            await using curl = await stage.open({ ...asked, version });
            await curl.until("stdout", /"method":"notifications\/progress"/);
            ok(!curl.stdout().includes("slept"));
            // In the 2025 revisions, a call goes on when its client has left.
            if (call === legacyCall) return;
            const aborted = () => program.stderr().split('"event":"aborted"').length;
            const before = aborted();
            curl.kill("SIGTERM");
            await program.until("stderr", new RegExp(`(?:"event":"aborted"[^]*){${before}}`));
          },
        );
      }
    }

    await t.step("a call without a token is told where to get one, at the public URL", async () => {
      const { status, headers } = await stage.ask(called(modernCall, "sleep", { ms: 0 }));
      equal(status, 401);
      const url = `${origin}/.well-known/oauth-protected-resource/mcp`;
      ok(headers.get("www-authenticate")!.includes(`resource_metadata="${url}"`));
      const { body } = await stage.ask({ path: new URL(url).pathname });
      equal(JSON.parse(body).resource, `${origin}/mcp`);
    });

    await t.step("the log has the client's address, whatever the client says it is", async () => {
      for (
        const headers of [
          {},
          { "x-forwarded-for": "6.6.6.6" },
          { "x-forwarded-for": "6.6.6.6, 127.0.0.1" },
          { "x-forwarded-for": "junk" },
          { "x-forwarded-for": ",".repeat(2000) },
          { forwarded: "for=6.6.6.6", "x-real-ip": "6.6.6.6" },
        ]
      ) {
        const answer = await stage.ask({ path: "/healthz", headers });
        equal((await lineOf(stage, answer.headers)).address, CLIENT, JSON.stringify(headers));
      }
    });

    await t.step("the largest message passes, and one byte more does not", async () => {
      const asked = called(modernCall, "sleep", { ms: 0 }, token);
      for (const [size, expected] of [[MESSAGE_BYTES, 200], [MESSAGE_BYTES + 1, 413]] as const) {
        const { status } = await stage.ask({ ...asked, body: asked.body!.padEnd(size) });
        equal(status, expected);
      }
    });

    await t.step("a token of 16 KiB gets as far as the program", async () => {
      const headers = bearerHeader("x".repeat(16 * 1024));
      const answer = await stage.ask({ ...called(modernCall, "sleep", { ms: 0 }), headers });
      ok(answer.headers.get("x-request-id"));
      match(answer.headers.get("www-authenticate")!, /invalid_token/);
    });

    await t.step("another host is not served", async () => {
      const { body } = await stage.ask({ path: "/healthz", headers: { host: "evil.example" } });
      ok(!/^ok$/m.test(body));
      equal((await stage.ask({ path: "/healthz" })).body, "ok\n");
    });
  });
}
