import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { discovery, metadataUrlOf } from "../lib/discovery.ts";
import { routes } from "../lib/http.ts";
import type { Metadata, Provider } from "../lib/provider.ts";
import { tracer } from "../lib/trace.ts";
import { bearerHeader, fakePorts, legacyCall, ORIGIN, RESOURCE, sign, subject } from "./fakes.ts";

const PUBLIC = {
  MCP_HTTP_HOST: "0.0.0.0",
  OAUTH_SERVER_URL: "https://mcp.example.com",
};

const RESOURCE_DOCUMENT = {
  resource: RESOURCE,
  authorization_servers: [ORIGIN],
  bearer_methods_supported: ["header"],
};

const SERVER_DOCUMENT = {
  issuer: ORIGIN,
  jwks_uri: `${ORIGIN}/.well-known/jwks.json`,
  response_types_supported: [],
  grant_types_supported: [],
};

const OPENID_DOCUMENT = {
  issuer: ORIGIN,
  jwks_uri: `${ORIGIN}/.well-known/jwks.json`,
  response_types_supported: [],
  subject_types_supported: ["public"],
  id_token_signing_alg_values_supported: [],
};

const DOCUMENTS: [path: string, document: unknown][] = [
  ["/.well-known/oauth-protected-resource", RESOURCE_DOCUMENT],
  ["/.well-known/oauth-protected-resource/mcp", RESOURCE_DOCUMENT],
  ["/.well-known/oauth-authorization-server", SERVER_DOCUMENT],
  ["/.well-known/oauth-authorization-server/mcp", SERVER_DOCUMENT],
  ["/.well-known/openid-configuration", OPENID_DOCUMENT],
  ["/.well-known/openid-configuration/mcp", OPENID_DOCUMENT],
  ["/mcp/.well-known/openid-configuration", OPENID_DOCUMENT],
  ["/.well-known/jwks.json", { keys: [] }],
];

for (const [path, document] of DOCUMENTS) {
  Deno.test(`discovery() serves ${path} to anybody, from any page (SPEC A2.1, A2.2, A2.4, A2.10)`, async () => {
    const { send } = await subject();
    const response = await send(path, { headers: { origin: "https://evil.example" } });
    equal(response.status, 200);
    equal(response.headers.get("content-type"), "application/json");
    equal(response.headers.get("access-control-allow-origin"), "*");
    equal(response.headers.get("access-control-allow-credentials"), null);
    equal(response.headers.get("cache-control"), "public, max-age=300");
    deepEqual(await response.json(), document);
  });

  Deno.test(`discovery() serves ${path} the same with a token, a query or another method (SPEC A2.10)`, async () => {
    const { send } = await subject();
    for (const token of [await sign(), "bad"]) {
      const response = await send(`${path}?a=b`, { headers: bearerHeader(token) });
      deepEqual(await response.json(), document);
    }
    const head = await send(path, { method: "HEAD" });
    deepEqual([head.status, head.body], [200, null]);
    const preflight = await send(path, {
      method: "OPTIONS",
      headers: { origin: "https://a.example" },
    });
    equal(preflight.status, 204);
    equal(preflight.headers.get("access-control-allow-origin"), "*");
    equal(preflight.headers.get("access-control-allow-methods"), "GET, HEAD, OPTIONS");
    const posted = await send(path, { method: "POST", body: "{}" });
    deepEqual([posted.status, posted.headers.get("allow")], [405, "GET, HEAD, OPTIONS"]);
  });

  Deno.test(`discovery() has no ${path} without OAuth (SPEC A1.1)`, async () => {
    const { send } = await subject({ OAUTH_ENABLED: "off" });
    equal((await send(path)).status, 404);
  });

  Deno.test(`discovery() builds ${path} from the configured URL, whatever a request says of its host (SPEC A2.10)`, async () => {
    const { send } = await subject(PUBLIC);
    const said = {
      host: "evil.example",
      "x-forwarded-host": "evil.example",
      "x-forwarded-proto": "http",
      "x-forwarded-port": "81",
      "x-forwarded-prefix": "/evil",
      "x-original-url": "/evil",
      forwarded: "host=evil.example;proto=http",
    };
    const plain = await (await send(path, { headers: { host: "mcp.example.com" } })).text();
    equal(await (await send(path, { headers: said })).text(), plain);
    equal(plain, JSON.stringify(document).replaceAll(ORIGIN, "https://mcp.example.com"));
  });
}

Deno.test("discovery() is where the challenge says, with the resource that was called (SPEC A2.3, A2.5)", async () => {
  const { send } = await subject(PUBLIC);
  const refused = await send("/mcp", legacyCall("tools/list"));
  const [, url] = /resource_metadata="([^"]+)"/.exec(refused.headers.get("www-authenticate")!)!;
  equal(url, "https://mcp.example.com/.well-known/oauth-protected-resource/mcp");
  const { resource } = await (await send(new URL(url!).pathname)).json();
  equal(resource, "https://mcp.example.com/mcp");
});

const CANONICAL: [given: string, resource: string][] = [
  ["HTTPS://MCP.Example.COM", "https://mcp.example.com/mcp"],
  ["https://mcp.example.com:443/", "https://mcp.example.com/mcp"],
  ["https://mcp.example.com:8443", "https://mcp.example.com:8443/mcp"],
];
for (const [given, resource] of CANONICAL) {
  Deno.test(`discovery() names ${resource} when the server's URL was given as ${given} (SPEC A2.6)`, async () => {
    const { send } = await subject({ ...PUBLIC, OAUTH_SERVER_URL: given });
    const document = await (await send("/.well-known/oauth-protected-resource/mcp")).json();
    equal(document.resource, resource);
  });
}

const SCOPES: [required: string | undefined, supported: string[] | undefined][] = [
  [undefined, undefined],
  ["mcp:read", ["mcp:read"]],
  ["mcp:read,mcp:list", ["mcp:read", "mcp:list"]],
];
for (const [required, supported] of SCOPES) {
  Deno.test(`discovery() asks for ${supported ?? "no scope"} when requests need ${required} and tools need more (SPEC A2.7, A2.8, A2.10)`, async () => {
    const env = { OAUTH_TOOL_SCOPES: "*=mcp:admin", OAUTH_SCOPE_HIERARCHY: "mcp:root>mcp:read" };
    const { send } = await subject({
      ...env,
      ...(required && { OAUTH_SCOPES_REQUIRED: required }),
    });
    const document = await (await send("/.well-known/oauth-protected-resource/mcp")).json();
    deepEqual(document.scopes_supported, supported);
  });
}

const ISSUERS: [issuer: string, suffix: string][] = [
  ["http://localhost:8080", ""],
  ["http://localhost:8080/", ""],
  ["http://localhost:8080/t1", "/t1"],
  ["http://localhost:8080/t1/", "/t1"],
  ["http://localhost:8080/realms/a", "/realms/a"],
  ["http://localhost:8080/mcp", "/mcp"],
];
for (const [issuer, suffix] of ISSUERS) {
  Deno.test(`discovery() names the issuer ${issuer} byte for byte, wherever clients look (SPEC A2.11, A2.4)`, async () => {
    const { send } = await subject({ OIDC_ISSUER: issuer });
    const own = await (await send("/.well-known/oauth-protected-resource")).json();
    deepEqual(own.authorization_servers, [issuer]);
    const places = [
      `/.well-known/oauth-authorization-server${suffix}`,
      `/.well-known/openid-configuration${suffix}`,
      `${suffix}/.well-known/openid-configuration`,
    ];
    for (const place of places) {
      const response = await send(place);
      equal(response.status, 200, place);
      equal((await response.json()).issuer, issuer, place);
    }
  });
}

/** Every URL in a document, and those that only name somebody. */
function urlsIn(value: unknown, key = ""): { fetched: string[]; named: string[] } {
  if (typeof value === "string") {
    const isName = key === "issuer" || key === "authorization_servers";
    if (!/^https?:/.test(value)) return { fetched: [], named: [] };
    return isName ? { fetched: [], named: [value] } : { fetched: [value], named: [] };
  }
  if (typeof value !== "object" || value === null) return { fetched: [], named: [] };
  const inner = Object.entries(value).map(([name, one]) =>
    urlsIn(one, Array.isArray(value) ? key : name)
  );
  return {
    fetched: inner.flatMap(({ fetched }) => fetched),
    named: inner.flatMap(({ named }) => named),
  };
}

const SERVERS: [where: string, env: Record<string, string>][] = [
  ["on this machine", {}],
  ["in public", PUBLIC],
  ["under an issuer with a path", { OIDC_ISSUER: "http://localhost:8080/t1" }],
];
for (const [where, env] of SERVERS) {
  Deno.test(`discovery() announces nothing ${where} that does not exist (SPEC A2.9, A2.10)`, async () => {
    const { send } = await subject(env);
    const seen = new Set<string>();
    for (const [path] of DOCUMENTS) {
      const { fetched, named } = urlsIn(await (await send(path)).json());
      const metadata = named.map((name) => {
        const { origin, pathname } = new URL(name);
        return `${origin}/.well-known/oauth-authorization-server${pathname}`.replace(/\/$/, "");
      });
      for (const url of [...fetched, ...metadata]) seen.add(url);
    }
    ok(seen.size >= 3);
    const origin = env.OAUTH_SERVER_URL ?? ORIGIN;
    for (const url of seen) {
      equal(new URL(url).origin, origin);
      const { status } = await send(new URL(url).pathname);
      ok(status !== 404 && status < 500, `${url} answers ${status}`);
    }
  });
}

const RESOURCES: [resource: string, url: string][] = [
  ["https://h.example/mcp", "https://h.example/.well-known/oauth-protected-resource/mcp"],
  ["https://h.example/a/b", "https://h.example/.well-known/oauth-protected-resource/a/b"],
  ["http://[::1]:81/mcp", "http://[::1]:81/.well-known/oauth-protected-resource/mcp"],
];
for (const [resource, url] of RESOURCES) {
  Deno.test(`metadataUrlOf() is ${url} when the resource is ${resource} (SPEC A2.4)`, () => {
    equal(metadataUrlOf(new URL(resource)), url);
  });
}

Deno.test("discovery() delivers a document of any size with its length", async () => {
  const keys = Array.from({ length: 100 }, (_, nth) => ({ kid: `${nth}`, n: "x".repeat(342) }));
  const provider: Provider = {
    issuer: "https://idp.example",
    metadata: () => Promise.resolve({ jwks: { keys } } as unknown as Metadata),
    verify: () => Promise.reject(new Error("unused")),
  };
  const serve = routes(discovery(provider, { resource: new URL(RESOURCE), scopesRequired: [] }));
  const request = new Request(`${ORIGIN}/.well-known/jwks.json`);
  const response = await serve(request, tracer(fakePorts())());
  equal(response.headers.get("content-type"), "application/json");
  const text = await response.text();
  equal(response.headers.get("content-length"), `${text.length}`);
  deepEqual(JSON.parse(text), { keys });
});

Deno.test("discovery() answers 503, readable from any page, while the issuer's documents cannot be had (SPEC A2.10)", async () => {
  const provider: Provider = {
    issuer: "https://idp.example/t1",
    metadata: () => Promise.reject(new Error("connect refused by 10.0.0.1")),
    verify: () => Promise.reject(new Error("unused")),
  };
  const ports = fakePorts();
  const serve = routes(discovery(provider, { resource: new URL(RESOURCE), scopesRequired: [] }));
  const get = (path: string) => serve(new Request(`${ORIGIN}${path}`), tracer(ports)());
  const issued = DOCUMENTS.map(([path]) => path).filter((path) => !path.includes("resource"));
  for (const path of [...issued, "/.well-known/oauth-authorization-server/t1"]) {
    const response = await get(path);
    equal(response.status, 503, path);
    equal(response.headers.get("access-control-allow-origin"), "*");
    ok(!(await response.text()).includes("10.0.0.1"));
  }
  ok(ports.lines.every((line) => line.includes("10.0.0.1")));
  const own = await (await get("/.well-known/oauth-protected-resource/mcp")).json();
  deepEqual(own.authorization_servers, ["https://idp.example/t1"]);
});
