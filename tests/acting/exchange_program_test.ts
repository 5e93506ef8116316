import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { bearerHeader, CLAIMS, modernCall, subject } from "../fakes.ts";
import { ISSUER, keyOf, newIdp, signWith } from "../idp.ts";

const CLIENT = { OIDC_CLIENT_ID: "gatehouse", OIDC_CLIENT_SECRET: "secretOfThisTest" };
const BY_HEADER = `Basic ${btoa("gatehouse:secretOfThisTest")}`;

const METHODS: [offered: string[] | undefined, shown: unknown[]][] = [
  [undefined, [BY_HEADER, null]],
  [["client_secret_basic", "client_secret_post"], [BY_HEADER, null]],
  [["client_secret_post"], [null, CLIENT.OIDC_CLIENT_SECRET]],
];
for (const [offered, shown] of METHODS) {
  Deno.test(`packsOf() exchanges a caller's token by the way that the provider's metadata offers: ${offered}`, async () => {
    const key = await keyOf("exchange");
    const idp = newIdp([key]);
    const offers = offered && { token_endpoint_auth_methods_supported: offered };
    idp.document = { ...idp.document, ...offers };
    const sent: unknown[] = [];
    idp.answers.set(`${ISSUER}/token`, async (request) => {
      const form = new URLSearchParams(await request.text());
      sent.push(request.headers.get("authorization"), form.get("client_secret"));
      const isTheirs = form.get("subject_token") === token && form.get("audience") === "grafana";
      return isTheirs
        ? Response.json({ access_token: "for-grafana", token_type: "Bearer", expires_in: 60 })
        : Response.json({ error: "invalid_request" }, { status: 400 });
    });
    const { app, send } = await subject(
      {
        ...CLIENT,
        OAUTH_PROVIDER: "oidc",
        OIDC_ISSUER: ISSUER,
        GRAFANA_URL: "https://grafana.example",
        GRAFANA_AUTH: "exchange",
        GRAFANA_AUDIENCE: "grafana",
      },
      undefined,
      (request) => {
        if (!request.url.startsWith("https://grafana.example/")) return idp.fetch(request);
        equal(request.headers.get("authorization"), "Bearer for-grafana");
        return Promise.resolve(Response.json([]));
      },
    );
    const token = await signWith(key, { ...CLAIMS, iss: ISSUER });
    const params = { name: "search_folders", arguments: {} };
    const response = await send("/mcp", modernCall("tools/call", params, bearerHeader(token)));
    const { result } = await response.json();
    await app.close();
    ok(!result.isError, JSON.stringify(result));
    deepEqual(sent, shown);
  });
}
