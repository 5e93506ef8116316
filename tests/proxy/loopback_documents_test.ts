import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { newGate } from "./flow.ts";

async function reached(env: Record<string, string>): Promise<string[]> {
  const addresses: string[] = [];
  const strangers = {
    resolve: () => Promise.resolve(["127.0.0.1"]),
    fetchAt: (_request: Request, address: string) => {
      addresses.push(address);
      return Promise.reject(new TypeError("Nobody listens"));
    },
  };
  const gate = await newGate(
    { OAUTH_PROVIDER: "oidc", OIDC_ISSUER: "https://idp.example", ...env },
    {
      strangers,
    },
  );
  const page = await gate.ask({ id: "https://client.example/metadata.json" });
  equal(page.status, 503);
  return addresses;
}

Deno.test("a server that others reach through a proxy fetches no document from its own machine (SPEC B4.1, E4)", async () => {
  const client = { OIDC_CLIENT_ID: "gatehouse" };
  deepEqual(await reached({ ...client, OAUTH_SERVER_URL: "https://mcp.example.com" }), []);
  deepEqual(await reached(client), ["127.0.0.1"]);
});
