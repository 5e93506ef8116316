import { deepStrictEqual as deepEqual, match, strictEqual as equal } from "node:assert/strict";
import type { Found } from "../../lib/proxy/documents.ts";
import { type Certificates, certificates, withoutCertificates } from "../certificates.ts";
import { inherited } from "./process.ts";
import { skipBecause } from "./skip.ts";

const tls = skipBecause(withoutCertificates);
const PROGRAM = new URL("find_document.ts", import.meta.url).pathname;

/** A site on loopback, with a document at any path but `/moved`, which leads to one. */
function site({ cert, key }: Certificates) {
  const asked: string[] = [];
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, cert, key, onListen: () => {} },
    (request) => {
      const { pathname, origin } = new URL(request.url);
      asked.push(pathname);
      if (pathname === "/moved") return Response.redirect(`${origin}/client.json`);
      return Response.json({
        client_id: request.url,
        client_name: "Example",
        redirect_uris: ["http://127.0.0.1/callback"],
      });
    },
  );
  return { asked, server, origin: `https://localhost:${server.addr.port}` };
}

/** Finds in a process of its own: certificate authorities are the environment's to name. */
async function find(id: string, env: Record<string, string>, ...args: string[]): Promise<Found> {
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--allow-net=localhost,127.0.0.1", PROGRAM, id, ...args],
    env: { ...inherited(), ...env },
    clearEnv: true,
  }).output();
  equal(new TextDecoder().decode(stderr), "");
  return JSON.parse(new TextDecoder().decode(stdout));
}

Deno.test({
  name:
    "a client is found by its document over real TLS, by the environment's authorities (SPEC B4.1)",
  ...tls,
  async fn() {
    await using made = await certificates("DNS:localhost");
    const { asked, server, origin } = site(made);
    // Nobody is at the proxy: to use it would fail.
    const trusting = { DENO_CERT: made.caFile, HTTPS_PROXY: "http://127.0.0.1:9" };
    const id = `${origin}/client.json`;
    deepEqual(await find(id, trusting, "loopback"), {
      ok: true,
      client: {
        name: "Example",
        redirectUris: ["http://127.0.0.1/callback"],
        authMethod: "none",
        id,
        origin: "document",
      },
    });
    deepEqual(asked, ["/client.json"]);
    const stranger = await find(id, {}, "loopback");
    match(stranger.ok ? "found" : stranger.reason, /cannot be reached: .*certificate/);
    deepEqual(asked, ["/client.json"]);
    await server.shutdown();
  },
});

Deno.test({
  name:
    "a document on loopback is out of reach for a server elsewhere, and so is one that moved (SPEC B4.1, E4)",
  ...tls,
  async fn() {
    await using made = await certificates("DNS:localhost");
    const { asked, server, origin } = site(made);
    const trusting = { DENO_CERT: made.caFile };
    const outside = await find(`${origin}/client.json`, trusting);
    match(outside.ok ? "found" : outside.reason, /^(127\.0\.0\.1|::1) is not a public address$/);
    deepEqual(asked, []);
    const moved = await find(`${origin}/moved`, trusting, "loopback");
    equal(moved.ok ? "found" : moved.reason, "the answer has status 302");
    deepEqual(asked, ["/moved"]);
    await server.shutdown();
  },
});
