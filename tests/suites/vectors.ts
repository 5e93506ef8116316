/**
 * Runs a file of token vectors: tokens as one vendor documents them, good and bad, against the
 * provider that the configuration of the file makes.
 *
 * Keys are made here; the files hold claims alone. `{"$now": 30}` is 30 seconds after the clock of a
 * test, `{"$absent": true}` takes a member out, `{"$repeat": ["a", 9]}` is a long text.
 *
 * @module
 */

import { deepStrictEqual as deepEqual, ok } from "node:assert/strict";
import { providerOf } from "../../lib/providers.ts";
import { fakePorts, NOW, testConfig } from "../fakes.ts";
import { keyOf, newIdp, signWith } from "../idp.ts";

type Members = Readonly<Record<string, unknown>>;

/** A kind of token that the vendor issues. */
interface Kind {
  readonly header: Members;
  readonly claims: Members;
}

/** One token and what becomes of it. */
interface Row {
  readonly name: string;
  /** The kind of token to start from. */
  readonly kind?: string;
  /** What the key is for; RS256 when absent. */
  readonly alg?: string;
  /** Members over those of the kind. */
  readonly header?: Members;
  readonly claims?: Members;
  /** The token as it is, instead of a signed one. */
  readonly token?: string;
  /** What the issuer answers when it is asked about the token. */
  readonly answer?: { readonly url: string; readonly status: number; readonly body: unknown };
  /** Settings over those of the file. */
  readonly env?: Record<string, string>;
  /** Members over those of the issuer's metadata. */
  readonly document?: Members;
  /** Members over those of the published key. */
  readonly key?: Members;
  /** Members of the identity; `null` when it must not have one. */
  readonly accept?: Members;
  /** Facts of the refusal. */
  readonly refuse?: Members;
  readonly cites: string;
}

/** A file of vectors. */
export interface Vectors {
  /** Where the vendor says what its tokens look like. */
  readonly documentation: readonly string[];
  readonly env: Record<string, string>;
  readonly document?: Members;
  readonly kinds: Readonly<Record<string, Kind>>;
  readonly rows: readonly Row[];
}

/** Defines one test for each row of a file that was imported as JSON. */
export function vectorSuite(file: unknown): void {
  const vectors = file as Vectors;
  for (const row of vectors.rows) {
    const verb = row.accept ? "accepts" : "refuses";
    const provider = vectors.env.OAUTH_PROVIDER;
    Deno.test(`${provider} ${verb} ${row.name} (${row.cites})`, () => run(vectors, row));
  }
}

async function run(vectors: Vectors, row: Row): Promise<void> {
  const { http, oauth } = testConfig({ ...vectors.env, ...row.env });
  const key = await keyOf("k1", row.alg ?? "RS256");
  const idp = newIdp([await keyOf("another", "EdDSA")], oauth!.issuer);
  idp.keys.push(expand({ ...key.jwk, ...row.key }));
  idp.document = expand({ ...idp.document, ...vectors.document, ...row.document }) as Members;
  const { answer } = row;
  if (answer) {
    const { status } = answer;
    idp.answers.set(answer.url, () => Response.json(expand(answer.body), { status }));
  }
  const provider = await providerOf(oauth!, http.publicUrl, fakePorts(idp.fetch));
  const verdict = await provider.verify(await tokenOf(vectors, row), NOW);

  if (row.accept) {
    ok(verdict.ok, JSON.stringify(verdict));
    deepEqual(pick(verdict.identity, row.accept), row.accept);
  } else {
    ok(!verdict.ok, "It was accepted");
    deepEqual(pick(verdict.refusal, row.refuse!), row.refuse);
  }
  const isAsked = answer !== undefined && idp.requests.includes(`POST ${answer.url}`);
  deepEqual(isAsked, answer !== undefined, idp.requests.join("\n"));
}

async function tokenOf({ kinds }: Vectors, { kind, alg, header, claims, token }: Row) {
  if (token !== undefined) return token;
  const good = kinds[kind!];
  ok(good, `There is no kind of token called ${kind}`);
  return await signWith(
    await keyOf("k1", alg ?? "RS256"),
    expand({ ...good.claims, ...claims }) as Members,
    { alg: alg ?? "RS256", typ: undefined, ...expand({ ...good.header, ...header }) as Members },
  );
}

function pick(from: object, names: Members): Members {
  const members = from as Members;
  return Object.fromEntries(Object.keys(names).map((name) => [name, members[name] ?? null]));
}

function expand(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(expand);
  if (typeof value !== "object" || value === null) return value;
  if ("$now" in value) return NOW + Number(value.$now);
  if ("$repeat" in value) {
    const [text, times] = value.$repeat as [string, number];
    return text.repeat(times);
  }
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => !member?.$absent)
      .map(([name, member]) => [name, expand(member)]),
  );
}
