/**
 * The development environment of dev/grafana, as far as it can be judged without Docker: that its
 * files agree with each other, with the realm and with what Gatehouse takes.
 *
 * @module
 */

import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { parse } from "yaml";
import { KEYCLOAK_VERSION } from "../../dev/keycloak/distribution.ts";
import { readEnv } from "../../dev/grafana/settings.ts";
import { counters } from "../../dev/grafana/shop.ts";
import { PEOPLE } from "../../dev/grafana/smoke.ts";
import { configure } from "../../lib/config.ts";

const FOLDER = new URL("../../dev/grafana/", import.meta.url);
const read = (path: string) => Deno.readTextFileSync(new URL(path, FOLDER));

const EXAMPLE = readEnv(read(".env.example"));
const TEXT = read("compose.yml");
const KEYCLOAK = `http://localhost:${EXAMPLE.KEYCLOAK_PORT}`;
const GATEHOUSE = `http://localhost:${EXAMPLE.GATEHOUSE_PORT}`;
const GRAFANA = `http://localhost:${EXAMPLE.GRAFANA_PORT}`;
const ISSUER = `${KEYCLOAK}/realms/grafana`;

interface Service {
  readonly image?: string;
  readonly build?: { readonly dockerfile: string; readonly context: string };
  readonly network_mode?: string;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: { readonly test: readonly string[] };
}

const replaced = (text: string, values: Readonly<Record<string, string>>) =>
  text.replace(/\$\{(\w+)(?::([^}]*))?\}/g, (_, name, fallback) => values[name] ?? fallback);

const services = parse(replaced(TEXT, EXAMPLE), { merge: true }).services as Readonly<
  Record<string, Service>
>;
const { pod, ...inside } = services;
const { keycloak, grafana, gatehouse } = services as Readonly<Record<string, Service>> & {
  readonly keycloak: Service;
  readonly grafana: Service;
  readonly gatehouse: Service;
};

interface Client {
  readonly clientId: string;
  readonly secret?: string;
  readonly redirectUris: readonly string[];
  readonly protocolMappers: readonly { readonly config: Readonly<Record<string, string>> }[];
}

const realm = JSON.parse(replaced(read("../keycloak/realm.json"), keycloak.environment)) as {
  readonly clients: readonly Client[];
  readonly users: readonly { readonly username: string; readonly realmRoles: readonly string[] }[];
};
const client = (id: string) => realm.clients.find(({ clientId }) => clientId === id)!;

Deno.test("compose.yml and .env.example have the same variables", () => {
  const used = new Set([...TEXT.matchAll(/\$\{(\w+)\}/g)].map(([, name]) => name));
  deepEqual([...used].sort(), Object.keys(EXAMPLE).sort());
});

Deno.test("compose.yml publishes on this machine only, at the port of the inside", () => {
  const published = Object.values(services).flatMap(({ ports = [] }) => ports);
  equal(published.length, 3);
  for (const port of published) ok(/^127\.0\.0\.1:(\d+):\1$/.test(port), port);
});

Deno.test("compose.yml names an exact version of every image", () => {
  for (const { image } of Object.values(services)) {
    if (image !== undefined) ok(/:v?\d+\.\d+(?:\.\d+)?$/.test(image), image);
  }
  equal(EXAMPLE.KEYCLOAK_VERSION, KEYCLOAK_VERSION);
});

Deno.test("compose.yml has every service in one namespace, checked, and waits for the healthy", () => {
  ok(pod);
  for (const [name, { network_mode, healthcheck, depends_on = {} }] of Object.entries(inside)) {
    equal(network_mode, "service:pod", name);
    equal(healthcheck?.test[0], "CMD", name);
    ok(healthcheck?.test.every((word) => typeof word === "string"), name);
    for (const [other, { condition }] of Object.entries(depends_on)) {
      ok(services[other], other);
      equal(condition, "service_healthy", name);
    }
  }
});

Deno.test("compose.yml mounts and builds from files that are there", () => {
  const mounted = Object.values(services).flatMap(({ volumes = [] }) => volumes);
  for (const volume of mounted) {
    const [from, , mode] = volume.split(":");
    ok(Deno.statSync(new URL(from!, FOLDER)));
    equal(mode, "ro", volume);
  }
  const { context, dockerfile } = gatehouse.build!;
  ok(Deno.statSync(new URL(dockerfile, new URL(`${context}/`, FOLDER))).isFile);
});

Deno.test("compose.yml configures Gatehouse without a problem", () => {
  const env = gatehouse.environment;
  const configured = configure({ flags: {}, env, readFile: () => "" });
  ok(configured.ok, JSON.stringify(configured));
  const { http, oauth, grafana } = configured.config;
  deepEqual(
    [http?.publicUrl.origin, oauth?.issuer, oauth?.audiences, grafana?.url.origin],
    [GATEHOUSE, ISSUER, [`${GATEHOUSE}/mcp`], GRAFANA],
  );
  deepEqual([grafana?.auth, grafana?.audience], ["forward", "grafana"]);
});

Deno.test("Grafana, Gatehouse and the realm agree on issuer, audiences and redirect", () => {
  const { environment } = grafana;
  const at = `${ISSUER}/protocol/openid-connect`;
  deepEqual(JSON.parse(environment.GF_AUTH_JWT_EXPECT_CLAIMS!), {
    iss: ISSUER,
    aud: [gatehouse.environment.GRAFANA_AUDIENCE],
  });
  equal(keycloak.environment.KC_HOSTNAME, KEYCLOAK);
  equal(environment.JWKS_URL, `${at}/certs`);
  equal(environment.GF_AUTH_JWT_JWK_SET_FILE, environment.JWKS_FILE);
  const audiences = client("mcp-claude").protocolMappers.flatMap(({ config }) =>
    config["included.custom.audience"] ?? config["included.client.audience"] ?? []
  );
  deepEqual(audiences, [gatehouse.environment.OIDC_AUDIENCE, "grafana"]);
  const { clientId, secret, redirectUris } = client("grafana");
  deepEqual(
    [environment.GF_AUTH_GENERIC_OAUTH_CLIENT_ID, environment.GF_AUTH_GENERIC_OAUTH_CLIENT_SECRET],
    [clientId, secret],
  );
  deepEqual(redirectUris, [`${environment.GF_SERVER_ROOT_URL}login/generic_oauth`]);
});

Deno.test("Grafana's role path knows the role of everybody in the realm, for both ways in", () => {
  const path = grafana.environment.GF_AUTH_JWT_ROLE_ATTRIBUTE_PATH!;
  equal(grafana.environment.GF_AUTH_GENERIC_OAUTH_ROLE_ATTRIBUTE_PATH, path);
  const known = Object.fromEntries(
    [...path.matchAll(/contains\(roles\[\*\], '(\w+)'\) && '(\w+)'/g)].map(([, a, b]) => [a, b]),
  );
  deepEqual(
    realm.users.map(({ username, realmRoles }) => [username, known[realmRoles[0]!]]),
    PEOPLE.map(({ username, role }) => [username, role]),
  );
});

Deno.test("the dashboard asks provisioned data sources for what the shop tells", () => {
  const { datasources } = parse(read("provisioning/datasources/datasources.yml"));
  const uids = datasources.map(({ uid }: { uid: string }) => uid);
  const dashboard = read("dashboards/shop.json");
  for (const [, uid] of dashboard.matchAll(/"datasource": \{[^}]*"uid": "(\w+)"/g)) {
    ok(uids.includes(uid), uid);
  }
  const shop = counters();
  shop.add({ route: "/cart", status: 200, seconds: 0.2 });
  for (const [name] of dashboard.matchAll(/\bshop_\w+/g)) {
    ok(shop.text().includes(`\n${name}{`), name);
  }
});
