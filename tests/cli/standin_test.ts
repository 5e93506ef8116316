import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { type CryptoKey, exportJWK, generateKeyPair, SignJWT, UnsecuredJWT } from "@panva/jose";
import { standIn } from "../../lib/cli/standin.ts";
import { fakePorts, NOW } from "../fakes.ts";

const ISSUER = "http://localhost:8080";
const AUDIENCE = "grafana-stand-in";
const GRAFANA = "http://127.0.0.1:3000";

const { privateKey, publicKey } = await generateKeyPair("ES256", { extractable: true });
const JWK = { ...await exportJWK(publicKey), kid: "k1", alg: "ES256", use: "sig" };
const other = await generateKeyPair("ES256");

const CLAIMS = {
  iss: ISSUER,
  aud: AUDIENCE,
  sub: "alice",
  preferred_username: "alice@example.com",
  name: "Alice",
  email: "alice@example.com",
  roles: ["admin"],
  iat: NOW,
  exp: NOW + 120,
};

function signed(
  claims: Record<string, unknown> = {},
  key: CryptoKey | Uint8Array = privateKey,
  alg = "ES256",
) {
  return new SignJWT({ ...CLAIMS, ...claims }).setProtectedHeader({ alg, kid: "k1" }).sign(key);
}

function stage() {
  const fetched: string[] = [];
  const ports = fakePorts(({ url }) => {
    fetched.push(url);
    return Promise.resolve(Response.json({ keys: [JWK] }));
  });
  const jwksUri = `${ISSUER}/.well-known/jwks.json`;
  const handle = standIn({ issuer: ISSUER, audience: AUDIENCE, jwksUri }, ports);
  const ask = async (method: string, path: string, token?: string, body?: unknown) => {
    const response = await handle(
      new Request(GRAFANA + path, {
        method,
        ...(token !== undefined && { headers: { authorization: `Bearer ${token}` } }),
        ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
      }),
    );
    return { status: response.status, body: await response.json() };
  };
  return { ask, ports, fetched, handle };
}

const BAD: [what: string, token: () => Promise<string> | string | undefined][] = [
  ["no token", () => undefined],
  ["an empty token", () => ""],
  ["a word", () => "alice"],
  ["a service account's token", () => "glsa_0123456789"],
  ["another issuer", () => signed({ iss: "http://localhost:8081" })],
  ["no issuer", () => signed({ iss: undefined })],
  ["another audience", () => signed({ aud: `${ISSUER}/mcp` })],
  ["no audience", () => signed({ aud: undefined })],
  ["a lifetime that is over", () => signed({ exp: NOW })],
  ["no end", () => signed({ exp: undefined })],
  ["a time to come", () => signed({ nbf: NOW + 60 })],
  ["another key", () => signed({}, other.privateKey)],
  ["a shared secret", () => signed({}, new TextEncoder().encode(JSON.stringify(JWK)), "HS256")],
  ["no signature", () => new UnsecuredJWT(CLAIMS).encode()],
  ["a changed claim", async () => {
    const [header, , signature] = (await signed({ roles: ["viewer"] })).split(".");
    return [header, btoa(JSON.stringify(CLAIMS)).replaceAll("=", ""), signature].join(".");
  }],
];
for (const [what, token] of BAD) {
  Deno.test(`standIn() knows nobody by ${what}`, async () => {
    const { ask } = stage();
    for (const path of ["/api/user", "/api/search", "/api/nothing"]) {
      deepEqual(await ask("GET", path, await token()), {
        status: 401,
        body: { message: "Unauthorized" },
      });
    }
  });
}

Deno.test("standIn() knows nobody by another scheme or by two tokens", async () => {
  const { handle } = stage();
  const token = await signed();
  for (
    const authorization of [`Basic ${token}`, token, `Bearer ${token} ${token}`, `Bearer  ${token}`]
  ) {
    equal(
      (await handle(new Request(`${GRAFANA}/api/user`, { headers: { authorization } }))).status,
      401,
    );
  }
});

const ROLES: [roles: unknown, role: string][] = [
  [["admin"], "Admin"],
  [["editor"], "Editor"],
  [["viewer"], "Viewer"],
  [["viewer", "admin", "editor"], "Admin"],
  [["viewer", "editor"], "Editor"],
  [[], "Viewer"],
  [["owner"], "Viewer"],
  [["Admin"], "Viewer"],
  [["constructor", "__proto__"], "Viewer"],
  ["admin", "Viewer"],
  [{ admin: true }, "Viewer"],
  [undefined, "Viewer"],
];
for (const [roles, role] of ROLES) {
  Deno.test(`standIn() makes the roles ${JSON.stringify(roles)} a ${role}`, async () => {
    const { ask } = stage();
    const { body } = await ask("GET", "/api/user/orgs", await signed({ roles }));
    deepEqual(body, [{ orgId: 1, name: "Stand-in", role }]);
  });
}

Deno.test("standIn() tells each caller who they are", async () => {
  const { ask } = stage();
  const { body } = await ask("GET", "/api/user", await signed());
  deepEqual(body, {
    id: 1,
    login: "alice@example.com",
    name: "Alice",
    email: "alice@example.com",
    orgId: 1,
  });
});

const WRITES: [path: string, body: unknown, permission: string][] = [
  ["/api/dashboards/db", { dashboard: { title: "New" } }, "dashboards:write"],
  ["/api/folders", { title: "New" }, "folders:create"],
  ["/api/annotations", { text: "New" }, "annotations:create"],
];
for (const [path, body, permission] of WRITES) {
  Deno.test(`standIn() lets editors and admins write to ${path}, and tells viewers the permission that lacks`, async () => {
    const { ask } = stage();
    const before = await ask("GET", "/api/search?query=new", await signed());
    const refused = await ask("POST", path, await signed({ roles: ["viewer"] }), body);
    equal(refused.status, 403);
    equal(
      refused.body.message,
      `You'll need additional permissions to perform this action. Permissions needed: ${permission}`,
    );
    deepEqual(await ask("GET", "/api/search?query=new", await signed()), before);
    deepEqual((await ask("GET", "/api/annotations", await signed())).body, []);
    for (const role of ["editor", "admin"]) {
      equal((await ask("POST", path, await signed({ roles: [role] }), body)).status, 200);
    }
  });
}

Deno.test("standIn() has a dashboard to begin with, and keeps what is saved, under its uid", async () => {
  const { ask } = stage();
  const token = await signed();
  const { body: [first] } = await ask("GET", "/api/search?type=dash-db&query=WELC", token);
  equal(first.uid, "welcome");
  const { body: { dashboard, meta } } = await ask("GET", "/api/dashboards/uid/welcome", token);
  deepEqual([dashboard.version, meta.folderUid], [1, "standin"]);
  const { body: saved } = await ask("POST", "/api/dashboards/db", token, {
    dashboard: { ...dashboard, title: "Changed" },
  });
  deepEqual([saved.uid, saved.version, saved.status], ["welcome", 2, "success"]);
  equal((await ask("GET", "/api/dashboards/uid/welcome", token)).body.dashboard.title, "Changed");
  const { body: made } = await ask("POST", "/api/dashboards/db", token, {
    dashboard: { title: "Another" },
  });
  equal(
    (await ask("GET", `/api/dashboards/uid/${made.uid}`, token)).body.dashboard.title,
    "Another",
  );
});

Deno.test("standIn() keeps its data to itself", async () => {
  const [one, two] = [stage(), stage()];
  await one.ask("POST", "/api/folders", await signed(), { title: "Mine" });
  equal((await one.ask("GET", "/api/search?query=mine", await signed())).body.length, 1);
  equal((await two.ask("GET", "/api/search?query=mine", await signed())).body.length, 0);
});

const ODD: [method: string, path: string, body: unknown, status: number][] = [
  ["GET", "/api/nothing", undefined, 404],
  ["PUT", "/api/user", {}, 404],
  ["GET", "/api/dashboards/uid/nobody", undefined, 404],
  ["GET", "/api/dashboards/uid/%zz", undefined, 404],
  ["GET", "/api/dashboards/uid/__proto__", undefined, 404],
  ["POST", "/api/dashboards/db", "not JSON", 400],
  ["POST", "/api/dashboards/db", "null", 400],
  ["POST", "/api/dashboards/db", [], 400],
  ["POST", "/api/dashboards/db", { dashboard: {} }, 400],
  ["POST", "/api/dashboards/db", { dashboard: { title: "" } }, 400],
  ["POST", "/api/dashboards/db", { dashboard: "x" }, 400],
  ["POST", "/api/folders", { title: 7 }, 400],
  ["POST", "/api/folders", "null", 400],
];
for (const [method, path, body, status] of ODD) {
  Deno.test(`standIn() answers ${method} ${path} ${JSON.stringify(body) ?? ""} with ${status}`, async () => {
    const { ask } = stage();
    const answer = await ask(method, path, await signed(), body);
    equal(answer.status, status);
    match(answer.body.message, /./);
  });
}

Deno.test("standIn() keeps 200 dashboards, folders and annotations, and no more", async () => {
  const { ask } = stage();
  const token = await signed();
  for (let at = 0; at < 210; at++) {
    await ask("POST", "/api/dashboards/db", token, { dashboard: { uid: `u${at}`, title: "New" } });
    await ask("POST", "/api/folders", token, { title: "New" });
    await ask("POST", "/api/annotations", token, { text: "New" });
  }
  equal((await ask("GET", "/api/search?type=dash-db", token)).body.length, 200);
  equal((await ask("GET", "/api/search?type=dash-folder", token)).body.length, 200);
  equal((await ask("GET", "/api/annotations", token)).body.length, 200);
});

Deno.test("standIn() asks for the keys once a minute, and not for those who have no token", async () => {
  const { ask, ports, fetched } = stage();
  await ask("GET", "/api/user");
  deepEqual(fetched, []);
  for (let at = 0; at < 3; at++) await ask("GET", "/api/user", await signed());
  deepEqual(fetched, [`${ISSUER}/.well-known/jwks.json`]);
  ports.advance(60);
  equal((await ask("GET", "/api/user", await signed())).status, 200);
  equal(fetched.length, 2);
});

Deno.test("standIn() says that it is none", async () => {
  const { ask } = stage();
  const answers = await Promise.all(
    ["/api/org", "/api/search", "/api/datasources", "/api/nothing"].map(async (path) =>
      JSON.stringify((await ask("GET", path, await signed())).body)
    ),
  );
  for (const answer of answers) ok(/stand-in/i.test(answer), answer);
});
