import { deepStrictEqual as deepEqual, ok, strictEqual as equal, throws } from "node:assert/strict";
import { type Grant, MAX_TTL_SECONDS, mint } from "../lib/mint.ts";
import { bearerHeader, legacyCall, NOW, ORIGIN, RESOURCE, SECRET, subject } from "./fakes.ts";
import { hmacOf } from "./tokens.ts";

const KEY = new TextEncoder().encode(SECRET);
const GRANT: Grant = {
  issuer: ORIGIN,
  audiences: [RESOURCE],
  subject: "alice",
  roles: [],
  scopes: [],
  ttl: 600,
};

function read(part: string | undefined): Record<string, unknown> {
  return JSON.parse(
    new TextDecoder().decode(Uint8Array.fromBase64(part!, { alphabet: "base64url" })),
  );
}

Deno.test("mint() signs the header of an access token with HS256 (SPEC A4.6, RFC 9068 2.1)", async () => {
  const [header, claims, signature] = (await mint(GRANT, KEY, "id-1", NOW)).split(".");
  deepEqual(read(header), { alg: "HS256", typ: "at+jwt" });
  equal(signature, hmacOf(`${header}.${claims}`));
});

const REQUIRED = {
  client_id: "gatehouse-token",
  iss: ORIGIN,
  sub: "alice",
  aud: RESOURCE,
  iat: NOW,
  exp: NOW + 600,
  jti: "id-1",
};
const CLAIMS: readonly (readonly [name: string, grant: Partial<Grant>, extra: object])[] = [
  ["no more than RFC 9068 requires", {}, {}],
  ["an e-mail address, as verified", { email: "a@b.example" }, {
    email: "a@b.example",
    email_verified: true,
  }],
  ["no e-mail address when it is empty", { email: "" }, {}],
  ["a name", { name: "Älice \u0022" }, { name: "Älice \u0022" }],
  ["roles", { roles: ["admin", "dev"] }, { roles: ["admin", "dev"] }],
  ["scopes in one text", { scopes: ["mcp:read", "mcp:write"] }, { scope: "mcp:read mcp:write" }],
  ["several audiences as a list", { audiences: ["a", "b"] }, { aud: ["a", "b"] }],
  ["the longest lifetime", { ttl: MAX_TTL_SECONDS }, { exp: NOW + 86_400 }],
  ["the shortest lifetime", { ttl: 1 }, { exp: NOW + 1 }],
];
for (const [name, grant, extra] of CLAIMS) {
  Deno.test(`mint() writes ${name} (RFC 9068 2.2)`, async () => {
    const [, claims] = (await mint({ ...GRANT, ...grant }, KEY, "id-1", NOW)).split(".");
    deepEqual(read(claims), { ...REQUIRED, ...extra });
  });
}

for (const ttl of [MAX_TTL_SECONDS + 1, 0, -1, 1.5, NaN, Infinity]) {
  Deno.test(`mint() throws when the lifetime is ${ttl}`, () => {
    throws(() => mint({ ...GRANT, ttl }, KEY, "id-1", NOW), RangeError);
  });
}

Deno.test("mint() makes tokens that the server accepts, until they expire (SPEC A4.1, A4.6)", async () => {
  const { send, ports } = await subject();
  const grant = { ...GRANT, email: "a@b.example", roles: ["dev"], scopes: ["mcp:read"] };
  const token = await mint(grant, KEY, "id-1", NOW);
  const call = legacyCall("tools/call", { name: "whoami", arguments: {} }, bearerHeader(token));
  const response = await send("/mcp", call);
  equal(response.status, 200);
  const { structuredContent } = (await response.json()).result;
  deepEqual(structuredContent, {
    authenticated: true,
    subject: "alice",
    username: "a@b.example",
    email: "a@b.example",
    roles: ["dev"],
    scopes: ["mcp:read"],
    expires_at: new Date((NOW + 600) * 1000).toISOString(),
    issuer: ORIGIN,
  });
  ports.advance(629);
  equal((await send("/mcp", call)).status, 200);
  ports.advance(1);
  equal((await send("/mcp", call)).status, 401);
});

Deno.test("mint() never puts the secret into a token (SPEC A4.5)", async () => {
  const token = await mint({ ...GRANT, name: "Alice" }, KEY, "id-1", NOW);
  const text = token.split(".").slice(0, 2).map((part) => JSON.stringify(read(part))).join("");
  ok(!text.includes(SECRET) && !token.includes(SECRET));
});
