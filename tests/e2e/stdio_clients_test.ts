import { deepStrictEqual as deepEqual, ok } from "node:assert/strict";
import { CLIENTS } from "./clients.ts";
import { MAIN } from "./program.ts";

// When they close, the clients wait for two seconds before they use force.
const FORCE_MS = 2000;

for (const { name, stdio } of CLIENTS) {
  Deno.test({
    name:
      `${name} lists and calls tools over stdio, and the program goes with it (SPEC D1, D5, D6)`,
    // The timer of that wait stays behind.
    sanitizeOps: false,
    sanitizeResources: false,
    fn: async () => {
      const peer = await stdio(MAIN, {});
      deepEqual(await peer.list(), ["whoami"]);
      deepEqual(await peer.whoami(), { authenticated: false, roles: [], scopes: [] });
      const asked = performance.now();
      await peer.close();
      ok(performance.now() - asked < FORCE_MS);
    },
  });
}
