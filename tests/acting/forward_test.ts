import {
  deepStrictEqual as deepEqual,
  ok,
  rejects,
  strictEqual as equal,
} from "node:assert/strict";
import { account } from "../../lib/acting/account.ts";
import { forward } from "../../lib/acting/forward.ts";
import { ToolError } from "../../lib/pack.ts";
import { person } from "./people.ts";

Deno.test("forward() passes the caller's own token on, as it came", async () => {
  deepEqual(await forward().credentialFor(person("alice")), {
    token: "token-of-alice",
    of: "caller",
  });
});

Deno.test("forward() acts for nobody who is not there", async () => {
  for (const acting of [forward(), forward("grafana")]) {
    await rejects(acting.credentialFor(undefined), (error) => {
      ok(error instanceof ToolError);
      equal(error.message, "This tool needs a login, and there is none");
      return true;
    });
  }
});

const AUDIENCES: [aud: unknown, passes: boolean][] = [
  ["grafana", true],
  [["mcp", "grafana"], true],
  ["mcp", false],
  [["mcp"], false],
  [[], false],
  [undefined, false],
  [null, false],
  ["grafana.evil.example", false],
  ["Grafana", false],
  ["mcp grafana", false],
  [[["grafana"]], false],
  [{ grafana: true }, false],
];
for (const [aud, passes] of AUDIENCES) {
  Deno.test(`forward() ${passes ? "passes on" : "keeps"} a token for ${JSON.stringify(aud)} when it must name "grafana" (SPEC A5.1)`, async () => {
    const caller = person("alice", { claims: { aud } });
    const credential = forward("grafana").credentialFor(caller);
    if (passes) {
      deepEqual(await credential, { token: "token-of-alice", of: "caller" });
      return;
    }
    await rejects(credential, (error) => {
      ok(error instanceof ToolError);
      ok(!`${error.message}${error.reason}`.includes(caller.token));
      equal(error.reason, "token not meant for the service");
      return true;
    });
  });
}

Deno.test("forward() and account() keep nothing, so that nothing is tried again", async () => {
  for (const acting of [forward(), account("glsa")]) {
    const caller = person("alice");
    equal(acting.forget(caller, await acting.credentialFor(caller)), false);
  }
});

Deno.test("account() acts as the server, and says so", async () => {
  for (const caller of [undefined, person("alice")]) {
    deepEqual(await account("glsa").credentialFor(caller), { token: "glsa", of: "server" });
  }
});
