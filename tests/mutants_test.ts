import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { CLAIMS, legacyCall, ORIGIN, SECRET, subject } from "./fakes.ts";
import { challengeOf, expand, forge, leaks, type Plan, wire } from "./tokens.ts";
import vectors from "./vectors/token-mutants.json" with { type: "json" };

/** A request with a token that is not as it should be, or with a good one for the valid side. */
interface Mutant {
  readonly name: string;
  /** What the answer must be; `refused` when absent. */
  readonly outcome?: keyof typeof ANSWERS;
  readonly token: Plan;
  /** Settings of the server. */
  readonly env?: Record<string, string>;
  /** Values of `Authorization`, one per header; `{token}` stands for the token. */
  readonly authorization?: readonly string[];
  readonly headers?: Record<string, string>;
  readonly query?: string;
  readonly body?: string;
  readonly method?: "GET" | "DELETE";
  /** The facts that the log must tell of a refused token. */
  readonly log?: Record<string, unknown>;
  /** The items of the specification and sections of RFCs that the row stands for. */
  readonly cites: string;
}

const METADATA =
  'resource_metadata="http://localhost:8080/.well-known/oauth-protected-resource/mcp"';
const INVALID = "The access token is missing, expired, malformed or not meant for this server";
const SEVERAL = "The request carries more than one credential";

const ANSWERS = {
  refused: {
    status: 401,
    challenge: `Bearer error="invalid_token", error_description="${INVALID}", ${METADATA}`,
    body: { error: "invalid_token", error_description: INVALID },
  },
  several: {
    status: 400,
    challenge: `Bearer error="invalid_request", error_description="${SEVERAL}", ${METADATA}`,
    body: { error: "invalid_request", error_description: SEVERAL },
  },
  bare: {
    status: 401,
    challenge: `Bearer ${METADATA}`,
    body: {
      error_description:
        "This server needs a bearer token; WWW-Authenticate tells where to get one",
    },
  },
  accepted: { status: 200, challenge: null, body: undefined },
} as const;

const MUTANTS = vectors as unknown as readonly Mutant[];

/** The request of a mutant, and everything that must not be seen again. */
function prepare(mutant: Mutant): { init: RequestInit; path: string; token: string; good: string } {
  const token = forge(mutant.token);
  const good = forge({ ...mutant.env?.JWT_SECRET && { secret: mutant.env.JWT_SECRET } });
  const fill = (text: string) => text.replaceAll("{token}", token).replaceAll("{good}", good);
  const call = legacyCall("tools/call", { name: "whoami", arguments: {} });
  const headers = new Headers(call.headers);
  for (const [name, value] of Object.entries(mutant.headers ?? {})) headers.set(name, fill(value));
  for (const value of mutant.authorization ?? ["Bearer {token}"]) {
    headers.append("authorization", fill(value));
  }
  const body = mutant.body === undefined ? call.body! : fill(mutant.body);
  const init = mutant.method
    ? { method: mutant.method, headers }
    : { method: "POST", headers, body };
  return { init, path: `/mcp${fill(mutant.query ?? "")}`, token, good };
}

for (const mutant of MUTANTS) {
  const { name, outcome = "refused", cites } = mutant;
  const verb = outcome === "accepted" ? "accepts" : "refuses";
  Deno.test(`app() ${verb} a request with ${name} (${cites})`, async () => {
    const { send, ports } = await subject(mutant.env);
    const { init, path, token, good } = prepare(mutant);
    const expected = ANSWERS[outcome];

    const response = await send(path, init);
    equal(response.status, expected.status);
    equal(response.headers.get("www-authenticate"), expected.challenge);
    const text = await response.clone().text();
    if (expected.body) deepEqual(JSON.parse(text), expected.body);
    else equal(JSON.parse(text).result?.structuredContent?.authenticated, true);

    const lines = ports.lines.map((line) => JSON.parse(line));
    const { id, time, ...closing } = lines.at(-1);
    const { method, status, event } = closing;
    deepEqual({ event, method, path: closing.path, status }, {
      event: "request",
      method: init.method,
      path: "/mcp",
      status: expected.status,
    });
    const refusals = outcome === "refused"
      ? [{ time, level: "warn", event: "token refused", id, ...expand(mutant.log) as object }]
      : [];
    deepEqual(lines.slice(0, -1), refusals);

    const secrets = [good, ...good.split("."), mutant.env?.JWT_SECRET ?? SECRET];
    deepEqual(leaks(await wire(response) + ports.lines.join(""), token, ...secrets), []);
  });
}

Deno.test("the token mutants cover every refusal, and are told apart by name (SPEC A4.6)", () => {
  const reasons = new Set(MUTANTS.map(({ log }) => log?.reason).filter(Boolean));
  const all = [
    ...["algorithm", "audience", "claim", "expired", "header", "id token", "issuer", "malformed"],
    ...["not yet valid", "oversized", "signature", "type"],
  ];
  deepEqual([...reasons].sort(), all);
  equal(new Set(MUTANTS.map(({ name }) => name)).size, MUTANTS.length);
  equal(
    new Set(MUTANTS.map((mutant) => JSON.stringify({ ...mutant, name: "" }))).size,
    MUTANTS.length,
  );
  ok(MUTANTS.filter(({ outcome }) => outcome !== "accepted").length >= 70);
  for (const { cites } of MUTANTS) {
    match(cites, /^SPEC A\d\.\d+(?:, A\d\.\d+)*(?:, RFC \d+ [\d.]+)?$/);
  }
  for (const { outcome = "refused", log } of MUTANTS) {
    equal(outcome === "refused", log !== undefined);
  }
});

Deno.test("the answers to token mutants are challenges that clients can read (SPEC A3.2, A3.8)", () => {
  for (const { challenge } of Object.values(ANSWERS)) {
    if (challenge !== null) equal(challengeOf(challenge).scheme, "Bearer");
  }
});

Deno.test("forge() makes tokens as good as the minter's when nothing is changed", () => {
  const [header, claims] = forge({}).split(".").slice(0, 2).map((part) => JSON.parse(atob(part)));
  deepEqual(header, { alg: "HS256", typ: "at+jwt" });
  deepEqual(claims, CLAIMS);
  equal(claims.iss, ORIGIN);
});

Deno.test("leaks() finds a token, its parts and a secret, and nothing else", () => {
  const token = forge({});
  const [header, claims, signature] = token.split(".");
  for (const part of [token, header!, claims!, signature!]) {
    ok(leaks(`before ${part} after`, token).includes(part));
  }
  deepEqual(leaks(`before ${SECRET}`, token, SECRET), [SECRET]);
  deepEqual(leaks("nothing of it", token, SECRET), []);
});
