import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import fc from "fast-check";
import { AUTH_METHODS, type ClientMetadata } from "../../lib/proxy/client.ts";
import { MAX_NAME_LENGTH, readClientMetadata } from "../../lib/proxy/metadata.ts";
import { judgeRedirect, redirectPolicy } from "../../lib/proxy/redirect.ts";

const CURSOR = "cursor://anysphere.cursor-mcp/oauth/callback";
const REDIRECTS = redirectPolicy([CURSOR], "https://gate.example/oauth/callback");
const DOCUMENT = "https://client.example/client.json";
const RUNS = { seed: 1, numRuns: 2000 };

/** In every text that must not come back. */
const MARK = "zqxj";

const texts = fc.string({ unit: "binary", maxLength: 20 });
const junk = fc.oneof(fc.jsonValue({ maxDepth: 3 }), fc.constant(null), fc.constant(MARK));
const often = <T>(value: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 12, arbitrary: value }, { weight: 1, arbitrary: junk });

const redirects = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom(CURSOR, "http://localhost:1/cb", "http://[::1]") },
  { weight: 6, arbitrary: fc.webUrl().filter((uri) => !judgeRedirect(uri, REDIRECTS)) },
  { weight: 1, arbitrary: fc.constantFrom(`javascript:${MARK}`, `http://${MARK}/`, `${MARK}#`) },
);
const key = fc.record({
  kty: often(fc.constantFrom("RSA", "EC", "OKP")),
  n: often(fc.constant("eA")),
  e: often(fc.constant("eA")),
  crv: often(fc.constant("eA")),
  x: often(fc.constant("eA")),
  y: often(fc.constant("eA")),
  kid: often(texts),
}, { requiredKeys: ["kty", "n", "e", "crv", "x", "y"] });
const privateKey = fc.tuple(key, fc.constantFrom("d", "p", "k"))
  .map(([fields, name]) => ({ ...fields, [name]: MARK }));
const keySet = fc.array(
  fc.oneof({ weight: 8, arbitrary: key }, { weight: 1, arbitrary: privateKey }),
  { minLength: 1, maxLength: 2 },
).map((list) => ({ keys: list }));
const metadata = fc.record({
  redirect_uris: often(fc.array(redirects, { minLength: 1, maxLength: 3 })),
  client_id: often(fc.constant(DOCUMENT)),
  client_name: often(texts),
  grant_types: often(fc.constantFrom(["authorization_code"], ["authorization_code", MARK], [MARK])),
  response_types: often(fc.constantFrom(["code"], ["code", "token"])),
  token_endpoint_auth_method: often(fc.constantFrom(...AUTH_METHODS)),
  jwks: often(keySet),
  jwks_uri: often(fc.constant("https://client.example/jwks.json")),
  client_secret: fc.constant(MARK),
  ["__proto__"]: junk,
}, { requiredKeys: ["redirect_uris", "client_id", "client_name"] });
const anything = fc.oneof(
  { weight: 9, arbitrary: metadata },
  { weight: 1, arbitrary: fc.jsonValue() },
);
const documents = fc.constantFrom(undefined, DOCUMENT);

function optionsFor(document: string | undefined) {
  return { redirects: REDIRECTS, ...(document !== undefined && { document }) };
}

/** What a client would say to become `client`. */
function told(client: ClientMetadata): Record<string, unknown> {
  return {
    client_id: DOCUMENT,
    client_name: client.name,
    redirect_uris: client.redirectUris,
    token_endpoint_auth_method: client.authMethod,
    jwks: client.jwks ?? null,
    jwks_uri: client.jwksUri ?? null,
  };
}

Deno.test("readClientMetadata() accepts only what it could read again (SPEC B4.1, B4.3)", () => {
  const accepted = new Map<string, number>();
  const property = (value: unknown, document: string | undefined) => {
    const read = readClientMetadata(value, optionsFor(document));
    if (!read.ok) return;
    const client = read.metadata;
    const kind = `${document ? "document" : "dynamic"} ${client.authMethod}`;
    accepted.set(kind, 1 + (accepted.get(kind) ?? 0));
    ok(client.redirectUris.length > 0);
    for (const uri of client.redirectUris) equal(judgeRedirect(uri, REDIRECTS), undefined);
    ok(!document || !client.authMethod.startsWith("client_secret_"));
    const sources = [client.jwks, client.jwksUri].filter((source) => source !== undefined);
    equal(sources.length, client.authMethod === "private_key_jwt" ? 1 : 0);
    for (const { kty, d, p, k } of client.jwks?.keys ?? []) {
      ok(kty !== undefined && d === undefined && p === undefined && k === undefined);
    }
    deepEqual(readClientMetadata(told(client), optionsFor(document)), read);
  };
  fc.assert(fc.property(anything, documents, property), RUNS);
  equal(accepted.size, 6, `Not every kind was accepted: ${[...accepted.keys()]}`);
});

Deno.test("readClientMetadata() shows only names that cannot deceive by form (SPEC B5.3)", () => {
  const invisible = fc.constantFrom(..."\u202e\u200b\u2066\ufeff\u00ad\u3164\u2028\u0000\u001b\t ");
  const pieces = fc.oneof(fc.string({ unit: "binary", maxLength: 5 }), invisible);
  const property = (parts: string[]) => {
    const value = { redirect_uris: [CURSOR], client_name: parts.join("") };
    const read = readClientMetadata(value, optionsFor(undefined));
    if (!read.ok) return equal(read.problem.description, "client_name is blank");
    const { name } = read.metadata;
    ok(name.isWellFormed() && name === name.trim() && !name.includes("  "));
    ok([...name].length <= MAX_NAME_LENGTH && !/[^\P{White_Space} ]/u.test(name));
    ok(!/\p{Control}|\p{Format}|\p{Bidi_Control}|\p{Default_Ignorable_Code_Point}/u.test(name));
  };
  fc.assert(fc.property(fc.array(pieces, { maxLength: 9 }), property), RUNS);
});

Deno.test("readClientMetadata() takes any JSON and repeats none of it (SPEC B4.3, B2.3)", () => {
  const property = (value: unknown, document: string | undefined) => {
    const read = readClientMetadata(JSON.parse(JSON.stringify(value)), optionsFor(document));
    if (read.ok) return;
    // RFC 6749 section 5.2 has neither quotes nor backslashes in a description.
    match(read.problem.description, /^[\x20\x21\x23-\x5b\x5d-\x7e]{1,120}$/);
    ok(!read.problem.description.includes(MARK));
    const isAboutRedirects = read.problem.description.startsWith("redirect_uris");
    equal(read.problem.error === "invalid_redirect_uri", isAboutRedirects);
  };
  fc.assert(fc.property(anything, documents, property), RUNS);
});
