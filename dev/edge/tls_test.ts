/**
 * HTTPS of the program itself, whose certificate is renewed while it serves.
 *
 * @module
 */

import { match, ok, strictEqual as equal } from "node:assert/strict";
import { certificateFiles, certificates } from "../../tests/certificates.ts";
import { bearerHeader, modernCall } from "../../tests/fakes.ts";
import { freePort, HTTP_ENV, launchOf, tokenFor } from "../../tests/e2e/program.ts";

const NAMES = ["DNS:localhost", "IP:127.0.0.1"];

Deno.test({
  name: "the program serves HTTPS at an https URL, renews its certificate, and refuses a bad one",
  async fn() {
    await using before = await certificates(...NAMES);
    await using after = await certificates(...NAMES);
    await using pair = await certificateFiles();
    await pair.write(before);
    const port = freePort();
    const origin = `https://localhost:${port}`;
    await using program = launchOf({
      env: { ...HTTP_ENV, ...pair.env, MCP_HTTP_PORT: `${port}`, LOG_FORMAT: "json" },
    });
    await program.until("stderr", /"event":"serving"/);
    await program.until("stderr", /"event":"certificate in use","until":"20\d\d-/);
    await program.until("stderr", new RegExp(`"url":"${origin}/mcp"`));

    using client = Deno.createHttpClient({ caCerts: [before.ca] });
    const token = await tokenFor(origin, "alice");
    const call = modernCall("tools/call", { name: "whoami", arguments: {} }, bearerHeader(token));
    const response = await fetch(`${origin}/mcp`, { ...call, client });
    equal(response.status, 200);
    match(await response.text(), /alice/);
    match(response.headers.get("strict-transport-security")!, /max-age/);
    const refused = await fetch(`${origin}/mcp`, { client, method: "POST" });
    await refused.body?.cancel();
    equal(refused.status, 401);
    const metadata = `${origin}/.well-known/oauth-protected-resource/mcp`;
    ok(refused.headers.get("www-authenticate")!.includes(`resource_metadata="${metadata}"`));

    await Deno.writeTextFile(pair.keyFile, after.key);
    await program.until("stderr", /"event":"certificate not renewed; the one before goes on"/);
    await program.until("stderr", /does not belong to the certificate/);
    using fresh = Deno.createHttpClient({ caCerts: [before.ca] });
    equal(await (await fetch(`${origin}/healthz`, { client: fresh })).text(), "ok\n");

    await pair.write(after);
    await program.until("stderr", /"event":"certificate renewed"/);
    using next = Deno.createHttpClient({ caCerts: [after.ca] });
    equal(await (await fetch(`${origin}/healthz`, { client: next })).text(), "ok\n");
    equal(await (await fetch(`${origin}/healthz`, { client })).text(), "ok\n");

    program.kill("SIGTERM");
    const { code, stderr } = await program.end(10_000);
    equal(code, 0);
    for (const { key } of [before, after]) ok(!stderr.includes(key.split("\n")[1]!));
  },
});
