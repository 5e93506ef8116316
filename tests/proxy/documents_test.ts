import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import fc from "fast-check";
import type { Client } from "../../lib/proxy/client.ts";
import {
  documents,
  isDocumentId,
  KEY_SET_SECONDS,
  MAX_ID_LENGTH,
  MAX_KEY_SET_BYTES,
  MAX_METADATA_BYTES,
} from "../../lib/proxy/documents.ts";
import { COOL_DOWN_SECONDS } from "../../lib/proxy/kept.ts";
import { readClientMetadata } from "../../lib/proxy/metadata.ts";
import { redirectPolicy } from "../../lib/proxy/redirect.ts";
import { fakePorts, ORIGIN } from "../fakes.ts";
import { PUBLIC } from "./visits.ts";

const ID = "https://client.example/oauth/client.json";
const JWKS_URI = "https://client.example/keys";
const REDIRECT = "https://client.example/callback";
const DOCUMENT = { client_id: ID, client_name: "Example", redirect_uris: [REDIRECT] };
const CLIENT: Client = {
  id: ID,
  name: "Example",
  redirectUris: [REDIRECT],
  authMethod: "none",
  origin: "document",
};
const KEY = { kty: "OKP", crv: "Ed25519", x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" };

/** Documents of a web whose pages are `pages`: JSON, or how to answer. */
function web(pages: Record<string, unknown>, addresses: readonly string[] = [PUBLIC]) {
  const asked: string[] = [];
  const ports = fakePorts(undefined, {
    resolve: () => Promise.resolve(addresses),
    fetchAt: ({ url }) => {
      asked.push(url);
      const page = pages[url];
      if (page === undefined) return Promise.resolve(new Response(null, { status: 404 }));
      return Promise.resolve(page instanceof Response ? page.clone() : Response.json(page));
    },
  });
  const redirects = redirectPolicy([], `${ORIGIN}/oauth/callback`);
  const read = (value: unknown, document: string) =>
    readClientMetadata(value, { redirects, document });
  const found = documents({ allowLoopback: false, read }, ports);
  return { ...found, asked, pages, ports };
}

Deno.test("documents().find() is the client that its document describes, kept (SPEC B4.1)", async () => {
  const { find, asked } = web({ [ID]: DOCUMENT });
  deepEqual(await find(ID), { ok: true, client: CLIENT });
  deepEqual(await find(ID, REDIRECT), { ok: true, client: CLIENT });
  deepEqual(asked, [ID]);
});

Deno.test("documents().find() keeps a document as long as its host says (SPEC B4.1)", async () => {
  const headers = { "cache-control": "max-age=300" };
  const { find, asked, ports } = web({ [ID]: Response.json(DOCUMENT, { headers }) });
  await find(ID);
  ports.advance(299);
  await find(ID);
  equal(asked.length, 1);
  ports.advance(1);
  await find(ID);
  equal(asked.length, 2);
});

Deno.test("documents().find() fetches again when the copy lacks a redirect URI (SPEC B4.1)", async () => {
  const { find, asked, pages, ports } = web({ [ID]: DOCUMENT });
  await find(ID);
  const added = "https://client.example/other";
  pages[ID] = { ...DOCUMENT, redirect_uris: [REDIRECT, added] };
  ports.advance(COOL_DOWN_SECONDS - 1);
  deepEqual(await find(ID, added), { ok: true, client: CLIENT });
  ports.advance(1);
  deepEqual(await find(ID, REDIRECT), { ok: true, client: CLIENT });
  equal(asked.length, 1);
  const client = { ...CLIENT, redirectUris: [REDIRECT, added] };
  deepEqual(await find(ID, added), { ok: true, client });
  deepEqual(await find(ID), { ok: true, client });
  // Whoever asks for what is not there does not make this server fetch.
  await find(ID, "https://evil.example/");
  equal(asked.length, 2);
});

Deno.test("documents().find() takes a loopback redirect on any port for known", async () => {
  const { find, asked, ports } = web({
    [ID]: { ...DOCUMENT, redirect_uris: ["http://127.0.0.1/callback"] },
  });
  await find(ID);
  ports.advance(COOL_DOWN_SECONDS);
  ok((await find(ID, "http://127.0.0.1:33418/callback")).ok);
  equal(asked.length, 1);
});

const INVALID: readonly (readonly [name: string, page: unknown, reason: RegExp])[] = [
  ["another client_id", { ...DOCUMENT, client_id: `${ID}x` }, /^invalid_client_metadata: /],
  ["no redirect_uris", { ...DOCUMENT, redirect_uris: [] }, /^invalid_redirect_uri: /],
  ["a secret", { ...DOCUMENT, client_secret: "s" }, /^invalid_client_metadata: /],
  ["no object", [DOCUMENT], /^invalid_client_metadata: /],
  ["no document", undefined, /^the answer has status 404$/],
  ["a page", new Response("<html>", { headers: { "content-type": "text/html" } }), /not JSON/],
  ["a large document", { ...DOCUMENT, pad: "a".repeat(MAX_METADATA_BYTES) }, /more than 5120/],
];
for (const [name, page, reason] of INVALID) {
  Deno.test(`documents().find() does not know a client with ${name}, nor keep it (SPEC B4.1)`, async () => {
    const { find, asked, pages, ports } = web({ [ID]: page });
    for (const _ of [1, 2]) {
      const found = await find(ID);
      ok(!found.ok && !found.retryable);
      match(found.reason, reason);
    }
    equal(asked.length, 1);
    pages[ID] = DOCUMENT;
    ports.advance(10);
    deepEqual(await find(ID), { ok: true, client: CLIENT });
  });
}

Deno.test("documents().find() and keys() stay out of private networks (SPEC B4.1, E3, E4)", async () => {
  const { find, keys, asked } = web({ [ID]: DOCUMENT }, [PUBLIC, "192.168.1.1"]);
  for (const found of [await find(ID), await keys({ ...CLIENT, jwksUri: JWKS_URI })]) {
    deepEqual(found, {
      ok: false,
      reason: "192.168.1.1 is not a public address",
      retryable: true,
    });
  }
  deepEqual(asked, []);
});

Deno.test("documents().find() resolves and fetches nothing for an id that is no URL (SPEC B4.1)", async () => {
  const { find, ports, asked } = web({});
  const before = ports.lines.length;
  for (const id of ["https://client.example/", "abc", "http://client.example/a"]) {
    const found = await find(id);
    ok(!found.ok && !found.retryable);
  }
  deepEqual([asked.length, ports.lines.length], [0, before]);
});

const IDS: readonly (readonly [id: string, good: boolean])[] = [
  [ID, true],
  ["https://client.example:8443/a", true],
  ["https://client.example/a/", true],
  ["https://client.example//", true],
  ["https://client.example/a%20b", true],
  ["https://client.example/.well-known/client", true],
  ["https://client.example/a..b/...", true],
  ["https://127.0.0.1:8443/a", true],
  [`https://c.example/${"a".repeat(MAX_ID_LENGTH - 18)}`, true],
  [`https://c.example/${"a".repeat(MAX_ID_LENGTH - 17)}`, false],
  ["http://client.example/a", false],
  ["HTTPS://client.example/a", false],
  ["https:client.example/a", false],
  ["https:/client.example/a", false],
  ["https:///client.example/a", false],
  ["https://client.example", false],
  ["https://client.example/", false],
  ["https://Client.example/a", false],
  ["https://client.example./a", false],
  ["https://client.example:443/a", false],
  ["https://client.example:08443/a", false],
  ["https://client.example/a?b", false],
  ["https://client.example/a?", false],
  ["https://client.example/a#b", false],
  ["https://client.example/a#", false],
  ["https://user@client.example/a", false],
  ["https://user:pass@client.example/a", false],
  ["https://@client.example/a", false],
  ["https://client.example/a/../b", false],
  ["https://client.example/./a", false],
  ["https://client.example/..", false],
  ["https://client.example/a/%2e%2e/b", false],
  ["https://client.example/%2E/a", false],
  ["https://client.example/.%2e/a", false],
  ["https://client.example/a%2f..%2fb", false],
  ["https://client.example/a%5c..%5Cb", false],
  ["https://client.example\\a", false],
  ["https://client.example/a\\b", false],
  ["https://client.example/a%", false],
  ["https://client.example/a%zz", false],
  ["https://client.example/a b", false],
  ["https://client.example/a\tb", false],
  ["https://client.example/a\n", false],
  [" https://client.example/a", false],
  ["https://client.example/ä", false],
  ["https://clíent.example/a", false],
  ["https://client.example/a|b", false],
  ["https://0x7f.1/a", false],
  ["https://2130706433/a", false],
  ["https://[::ffff:127.0.0.1]/a", false],
  ["https://client.example:99999/a", false],
  ["", false],
];
for (const [id, good] of IDS) {
  Deno.test(`isDocumentId() says ${good} to ${JSON.stringify(id.slice(0, 60))} (SPEC B4.1)`, () => {
    equal(isDocumentId(id), good);
  });
}

Deno.test("isDocumentId() accepts only what parses to itself, in all its parts (SPEC B4.1)", () => {
  const piece = fc.constantFrom(
    ...["a", ".", "..", "/", "%2e", "%2f", "\\", "?", "#", "@", ":", ":443", "A", "\t", "é", "%"],
  );
  const property = (pieces: string[]) => {
    const id = `https://c.example${pieces.join("")}`;
    if (!isDocumentId(id)) return;
    const { href, username, password, search, hash, protocol, pathname } = new URL(id);
    deepEqual([href, username + password, search + hash, protocol], [id, "", "", "https:"]);
    const decoded = pathname.replaceAll(
      /%(..)/g,
      (_, code) => String.fromCharCode(parseInt(code, 16)),
    );
    ok(!decoded.split("/").some((part) => part === "." || part === ".."));
    equal(/[?#]/.test(id), false);
  };
  fc.assert(fc.property(fc.array(piece, { maxLength: 8 }), property), { seed: 1, numRuns: 5000 });
});

const withKeys = (...keys: unknown[]) => ({ [JWKS_URI]: { keys } });
const signing: Client = { ...CLIENT, authMethod: "private_key_jwt", jwksUri: JWKS_URI };

Deno.test("documents().keys() are those in the metadata, or at its URL, kept (SPEC B4.1)", async () => {
  const { keys, asked, ports } = web(withKeys({ ...KEY, kid: "a" }));
  const { jwksUri: _, ...plain } = signing;
  deepEqual(await keys({ ...plain, jwks: { keys: [KEY] } }), { ok: true, keys: [KEY] });
  deepEqual(asked, []);
  const expected = { ok: true, keys: [{ ...KEY, kid: "a" }] } as const;
  deepEqual(await keys(signing), expected);
  ports.advance(KEY_SET_SECONDS - 1);
  for (const kid of ["a", undefined]) deepEqual(await keys(signing, kid), expected);
  equal(asked.length, 1);
  ports.advance(1);
  deepEqual(await keys(signing), expected);
  equal(asked.length, 2);
});

Deno.test("documents().keys() fetches again for an unknown kid, once in a cool-down", async () => {
  const { keys, asked, pages, ports } = web(withKeys({ ...KEY, kid: "a" }));
  await keys(signing, "b");
  equal(asked.length, 1);
  Object.assign(pages, withKeys({ ...KEY, kid: "b" }));
  ports.advance(COOL_DOWN_SECONDS);
  deepEqual(await keys(signing, "b"), { ok: true, keys: [{ ...KEY, kid: "b" }] });
  deepEqual(await keys(signing, "c"), { ok: true, keys: [{ ...KEY, kid: "b" }] });
  equal(asked.length, 2);
});

Deno.test("documents().keys() are public keys only", async () => {
  const secret = { kty: "oct", k: "c2VjcmV0" };
  const { keys } = web(withKeys(secret, { ...KEY, d: "x" }, null, "key", KEY));
  deepEqual(await keys(signing), { ok: true, keys: [KEY] });
});

const NO_KEYS: readonly (readonly [name: string, page: unknown, reason: RegExp])[] = [
  ["an empty set", { keys: [] }, /^the key set has no public key$/],
  ["a set of secrets", { keys: [{ kty: "oct", k: "x" }] }, /^the key set has no public key$/],
  ["no set", [KEY], /^the key set has no public key$/],
  ["null", null, /^the key set has no public key$/],
  ["a list that is none", { keys: KEY }, /^the key set has no public key$/],
  ["nothing", undefined, /^the answer has status 404$/],
  ["too much", { keys: [KEY], pad: "a".repeat(MAX_KEY_SET_BYTES) }, /^the answer has more than/],
];
for (const [name, page, reason] of NO_KEYS) {
  Deno.test(`documents().keys() finds none in ${name}`, async () => {
    const found = await web({ [JWKS_URI]: page }).keys(signing);
    ok(!found.ok && !found.retryable);
    match(found.reason, reason);
  });
}

Deno.test("documents().keys() finds none for a client without any", async () => {
  const found = await web({}).keys(CLIENT);
  ok(!found.ok && !found.retryable);
});
