/**
 * What the files of this folder say that cannot be waited for, or needs what is not here.
 *
 * @module
 */

import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { parse } from "yaml";
import { snippet } from "./proxy.ts";

const NGINX = await snippet("nginx.conf");

/** The value of a directive of nginx. */
function directive(name: string): string {
  const [, value] = new RegExp(`^\\s*${name} ([^;]+);$`, "m").exec(NGINX) ?? [];
  ok(value, name);
  return value;
}

Deno.test("nginx waits an hour for what a call says, instead of its minute", () => {
  equal(directive("proxy_read_timeout"), "1h");
});

Deno.test("Caddy has no bound on how long an answer takes", async () => {
  const text = await snippet("Caddyfile");
  for (const option of ["write ", "read_timeout", "write_timeout", "_header_timeout"]) {
    ok(!text.includes(option), option);
  }
});

Deno.test("Caddy does not flush in the way that hides from Gatehouse who has left", async () => {
  ok(!/^\s*flush_interval/m.test(await snippet("Caddyfile")));
});

Deno.test("every file names the public URL and the proxies that are believed", async () => {
  for (const name of ["nginx.conf", "Caddyfile", "ingress-nginx.yaml"]) {
    match(await snippet(name), /OAUTH_SERVER_URL=https:\/\/mcp\.example\.com\b/);
    match(await snippet(name), /MCP_TRUSTED_PROXIES=[\d.]+/);
  }
});

Deno.test("the ingress has the bounds of nginx, as texts, which annotations have to be", async () => {
  const { metadata, spec } = parse(await snippet("ingress-nginx.yaml"));
  const prefix = "nginx.ingress.kubernetes.io/";
  const annotations = Object.fromEntries(
    Object.entries(metadata.annotations).map(([name, value]) => {
      ok(name.startsWith(prefix) && typeof value === "string", name);
      return [name.slice(prefix.length), value];
    }),
  );
  deepEqual(
    [
      annotations["proxy-body-size"],
      annotations["limit-connections"],
      annotations["proxy-buffering"],
      annotations["proxy-next-upstream"],
      Number(annotations["proxy-read-timeout"]) / 3600,
    ],
    [
      directive("client_max_body_size"),
      directive("limit_conn").split(" ")[1],
      directive("proxy_buffering"),
      directive("proxy_next_upstream"),
      1,
    ],
  );
  deepEqual(spec.rules.map(({ host }: { host: string }) => host), spec.tls[0].hosts);
});
