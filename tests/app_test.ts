import { deepStrictEqual as deepEqual, match, strictEqual as equal } from "node:assert/strict";
import { bearerHeader, legacyCall, modernCall, RESOURCE, sign, subject } from "./fakes.ts";

Deno.test("app() serves the metadata its challenge points to (SPEC A2.1, A2.2, A2.5)", async () => {
  const { send } = await subject();
  const refused = await send("/mcp", legacyCall("tools/list"));
  equal(refused.status, 401);
  const url = /resource_metadata="([^"]+)"/.exec(refused.headers.get("www-authenticate")!)![1]!;
  const document = await (await send(new URL(url).pathname)).json();
  equal(document.resource, RESOURCE);
  deepEqual(document.authorization_servers, ["http://localhost:8080"]);
});

for (const [era, call] of [["2025-11-25", legacyCall], ["2026-07-28", modernCall]] as const) {
  Deno.test(`app() tells callers of ${era} who they are`, async () => {
    const { send, ports } = await subject();
    const token = await sign();
    const response = await send(
      "/mcp",
      call("tools/call", { name: "whoami", arguments: {} }, bearerHeader(token)),
    );
    equal(response.status, 200);
    const { result } = await response.json();
    equal(result.structuredContent.subject, "alice");
    equal(JSON.stringify(result).includes(token), false);
    match(ports.lines.at(-1)!, /"tool":"whoami","outcome":"ok"/);
  });
}
