import {
  deepStrictEqual as deepEqual,
  match,
  ok,
  rejects,
  strictEqual as equal,
} from "node:assert/strict";
import { exchange, type ExchangeOptions } from "../../lib/acting/exchange.ts";
import { outbound } from "../../lib/outbound.ts";
import { ToolError } from "../../lib/pack.ts";
import { fakePorts } from "../fakes.ts";
import { person } from "./people.ts";

const ISSUER = "https://idp.example/realms/acme";
const ENDPOINT = `${ISSUER}/protocol/openid-connect/token`;
const SERVER = { issuer: ISSUER, token_endpoint: ENDPOINT };

const ALICE = person("alice");
const GOOD = {
  access_token: "for-grafana",
  issued_token_type: "urn:ietf:params:oauth:token-type:access_token",
  token_type: "Bearer",
  expires_in: 300,
};

/** A token endpoint in memory. */
function stage(
  answer: (form: URLSearchParams) => Response,
  options: Partial<ExchangeOptions> = {},
) {
  const asked: { request: Request; form: URLSearchParams }[] = [];
  const ports = fakePorts(async (request) => {
    const form = new URLSearchParams(await request.text());
    asked.push({ request, form });
    return answer(form);
  });
  const acting = exchange({
    server: () => Promise.resolve(SERVER),
    client: { id: "gatehouse", secret: SECRET },
    audience: "grafana",
    fetch: outbound(ports.fetch),
    ...options,
  }, ports.now);
  return { acting, asked, ports };
}

const good = (more: Record<string, unknown> = {}) => () => Response.json({ ...GOOD, ...more });

Deno.test("exchange() asks for a token for the service, by the caller's own, as the client that it is (SPEC A5.1, A5.3)", async () => {
  const { acting, asked } = stage(good());
  deepEqual(await acting.credentialFor(ALICE), { token: "for-grafana", of: "caller" });
  const [{ request, form }] = asked as [typeof asked[0]];
  deepEqual([request.method, request.url, request.redirect], ["POST", ENDPOINT, "manual"]);
  match(request.headers.get("content-type")!, /^application\/x-www-form-urlencoded/);
  // RFC 6749 section 2.3.1: both halves are form-encoded first.
  const [scheme, basic] = request.headers.get("authorization")!.split(" ");
  deepEqual([scheme, atob(basic!)], ["Basic", "gatehouse:s3cret%3A%2F%2B"]);
  // RFC 8693 section 2.1.
  deepEqual(Object.fromEntries(form), {
    grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
    subject_token: "token-of-alice",
    subject_token_type: "urn:ietf:params:oauth:token-type:access_token",
    requested_token_type: "urn:ietf:params:oauth:token-type:access_token",
    audience: "grafana",
  });
  equal([...form].length, 5, "each once");
});

const SECRET = "s3cret:/+";
const BY_HEADER = `Basic ${btoa("gatehouse:s3cret%3A%2F%2B")}`;

type Method = "client_secret_basic" | "client_secret_post";

/** Exchanges at a token endpoint that takes `method` and nothing else besides. */
function strict(method: Method, offered: readonly Method[] | undefined) {
  const offers = offered && { token_endpoint_auth_methods_supported: [...offered] };
  const { acting, asked } = stage((form) => {
    const header = asked.at(-1)!.request.headers.get("authorization");
    const inBody = [...form.getAll("client_id"), ...form.getAll("client_secret")];
    const isRight = method === "client_secret_basic"
      ? header === BY_HEADER && inBody.length === 0
      : header === null && inBody.join() === `gatehouse,${SECRET}`;
    return isRight ? good()() : Response.json({ error: "invalid_client" }, { status: 401 });
  }, { server: () => Promise.resolve({ ...SERVER, ...offers }) });
  return acting;
}

const METHODS: [offered: readonly Method[] | undefined, method: Method][] = [
  [undefined, "client_secret_basic"],
  [["client_secret_basic"], "client_secret_basic"],
  [["client_secret_post", "client_secret_basic"], "client_secret_basic"],
  [["client_secret_post"], "client_secret_post"],
];
for (const [offered, method] of METHODS) {
  Deno.test(
    `exchange() proves who it is by ${method} alone where the provider offers ${
      offered ?? "nothing"
    } (RFC 8414 section 2)`,
    async () => {
      equal((await strict(method, offered).credentialFor(ALICE)).token, "for-grafana");
    },
  );
}

const WRONG: [offered: Method, method: Method][] = [
  ["client_secret_basic", "client_secret_post"],
  ["client_secret_post", "client_secret_basic"],
];
for (const [offered, method] of WRONG) {
  Deno.test(`exchange() fails as machinery does where the provider offers ${offered} and takes ${method}`, async () => {
    await rejects(strict(method, [offered]).credentialFor(ALICE), (thrown) => {
      ok(thrown instanceof Error && !(thrown instanceof ToolError));
      ok(!`${thrown}`.includes("s3cret"));
      return true;
    });
  });
}

Deno.test("exchange() exchanges the token that is held where there is one", async () => {
  const subjectToken = () => Promise.resolve("held-for-alice");
  const { acting, asked } = stage(good(), { subjectToken });
  await acting.credentialFor(ALICE);
  equal(asked[0]!.form.get("subject_token"), "held-for-alice");
  ok(!asked[0]!.form.toString().includes(ALICE.token));
});

Deno.test("exchange() hands on why no token is held, and asks nothing then", async () => {
  const refused = new ToolError("Log in again", "no upstream token");
  const { acting, asked } = stage(good(), { subjectToken: () => Promise.reject(refused) });
  await rejects(acting.credentialFor(ALICE), refused);
  equal(asked.length, 0);
});

const LIVES: [expiresIn: unknown, seconds: number][] = [[300, 290], ["300", 290], [undefined, 50]];
for (const [expires_in, seconds] of LIVES) {
  Deno.test(`exchange() uses a token for ${seconds} seconds when expires_in is ${JSON.stringify(expires_in)}`, async () => {
    const { acting, asked, ports } = stage(good({ expires_in }));
    await acting.credentialFor(ALICE);
    ports.advance(seconds - 1);
    await acting.credentialFor(ALICE);
    equal(asked.length, 1);
    ports.advance(1);
    await acting.credentialFor(ALICE);
    equal(asked.length, 2);
  });
}

const REFUSALS: [status: number, error: string][] = [
  [400, "invalid_target"],
  [400, "invalid_grant"],
  [400, "invalid_request"],
  [403, "access_denied"],
];
for (const [status, error] of REFUSALS) {
  Deno.test(`exchange() tells a caller that the provider refuses with ${status} ${error}, in no words of its own`, async () => {
    const said = { error, error_description: "token-of-alice is not allowed" };
    const { acting } = stage(() => Response.json(said, { status }));
    await rejects(acting.credentialFor(ALICE), (thrown) => {
      ok(thrown instanceof ToolError);
      match(thrown.message, /identity provider does not let you use this service/);
      equal(thrown.reason, `token exchange refused: ${error}`);
      ok(!`${thrown.message}${thrown.reason}`.includes(ALICE.token));
      return true;
    });
  });
}

const BROKEN: [what: string, answer: () => Response][] = [
  ["that it does not know this server", () => {
    return Response.json({ error: "invalid_client" }, { status: 401 });
  }],
  ["a failure", () => Response.json({ error: "server_error" }, { status: 500 })],
  ["a failure of a proxy", () => new Response("<html>", { status: 502 })],
  ["a page", () => new Response("<html>", { headers: { "content-type": "text/html" } })],
  [
    "a redirect",
    () => new Response(null, { status: 302, headers: { location: "https://evil.example" } }),
  ],
  ["no token", good({ access_token: undefined })],
  ["an empty token", good({ access_token: "" })],
  ["a token of no known kind", good({ token_type: "N_A" })],
  ["a lifetime that is none", good({ expires_in: "soon" })],
  ["a lifetime in the past", good({ expires_in: -1 })],
  ["a list", () => Response.json([])],
];
for (const [what, answer] of BROKEN) {
  Deno.test(`exchange() fails as machinery does when the provider answers ${what}, and keeps nothing of it`, async () => {
    const state = { answer };
    const { acting } = stage(() => state.answer());
    await rejects(acting.credentialFor(ALICE), (thrown) => {
      ok(thrown instanceof Error);
      ok(!(thrown instanceof ToolError));
      ok(!`${thrown}`.includes(ALICE.token) && !`${thrown}`.includes("s3cret"), `${thrown}`);
      return true;
    });
    state.answer = good();
    equal((await acting.credentialFor(ALICE)).token, "for-grafana");
  });
}

Deno.test("exchange() fails as machinery does when the provider is away", async () => {
  const down = new Error("Cannot fetch the metadata");
  await rejects(
    stage(good(), { server: () => Promise.reject(down) }).acting.credentialFor(ALICE),
    down,
  );
  const { acting } = stage(() => {
    throw new TypeError("connection refused");
  });
  await rejects(
    acting.credentialFor(ALICE),
    /^Error: Cannot fetch https:\/\/idp\.example.*refused$/,
  );
});

Deno.test("exchange() sends a caller's token to a safe address only", async () => {
  const server = () =>
    Promise.resolve({ issuer: ISSUER, token_endpoint: "http://idp.example/token" });
  const { acting, asked } = stage(good(), { server });
  await rejects(acting.credentialFor(ALICE), /only https is allowed/);
  equal(asked.length, 0);
});

Deno.test("exchange() gets each caller a token of their own, once, and nobody one without a caller", async () => {
  const { acting, asked } = stage((form) =>
    good({ access_token: `for-${form.get("subject_token")}` })()
  );
  const people = Array.from({ length: 20 }, (_, at) => person(`user-${at}`));
  const got = await Promise.all([...people, ...people].map((one) => acting.credentialFor(one)));
  deepEqual(
    got.map(({ token }) => token),
    [...people, ...people].map(({ token }) => `for-${token}`),
  );
  equal(asked.length, people.length);
  await rejects(acting.credentialFor(undefined), ToolError);
  equal(asked.length, people.length);
});

Deno.test("exchange() exchanges anew after the service refused what it got", async () => {
  let count = 0;
  const { acting } = stage(() => good({ access_token: `t${++count}` })());
  const refused = await acting.credentialFor(ALICE);
  equal(acting.forget(ALICE, refused), true);
  equal((await acting.credentialFor(ALICE)).token, "t2");
});
