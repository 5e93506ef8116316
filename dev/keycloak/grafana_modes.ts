/**
 * The ways to act at Grafana, each with what it promises: which credential arrives there.
 *
 * @module
 */

import {
  deepStrictEqual as deepEqual,
  notStrictEqual,
  strictEqual as equal,
} from "node:assert/strict";
import {
  createLocalJWKSet,
  decodeJwt,
  decodeProtectedHeader,
  type JSONWebKeySet,
  jwtVerify,
} from "@panva/jose";
import { standIn } from "../../lib/cli/standin.ts";
import { grafanaSettings, grafanaStand, judge } from "../grafana/stand.ts";
import { type Gatehouse, keycloakSettings, proxySettings } from "./gatehouse.ts";
import type { Stand } from "./grafana_stand.ts";
import { AUDIENCE, GATEHOUSE } from "./keycloak.ts";
import { curlTokens } from "./login.ts";
import { personAt } from "./person.ts";
import { proxied } from "./proxied.ts";

/** What arrived at Grafana, and for whom. */
export interface Arrived {
  readonly credential: string;
  /** The access token that the caller showed to Gatehouse. */
  readonly token: string;
  /** The caller at Keycloak. */
  readonly subject: string;
  readonly username: string;
  readonly gate: Gatehouse;
  readonly stand: Stand;
  readonly issuer: string;
}

/** A way to act at Grafana. */
export interface Mode {
  readonly name: string;
  readonly settings: Readonly<Record<string, string>>;
  /** Prepares getting access tokens for Gatehouse, another one each time. */
  readonly tokens: (gate: Gatehouse) => Promise<(username: string) => Promise<string>>;
  /** Prepares what judges as Grafana would. */
  readonly grafana: (gate: Gatehouse, stand: Stand) => Parameters<Stand["answerBy"]>[0];
  /** What Grafana knows a person as. */
  readonly loginOf: (username: string) => string;
  /** Checks that a credential is what this way promises. */
  readonly promised: (arrived: Arrived) => Promise<void> | void;
  /** Whether Grafana gets the very token of the caller. */
  readonly forwards: boolean;
  /** Tokens of others, which Grafana may accept and Gatehouse must not. */
  readonly foreign: () => Promise<string[]>;
  /** A client of Keycloak whose tokens Gatehouse accepts, but cannot act with at Grafana. */
  readonly unfit?: { readonly clientId: string; readonly says: RegExp };
}

/** The ways, for tokens of `issuer`. */
export function modesOf(issuer: string): Mode[] {
  const native = {
    settings: keycloakSettings(issuer, AUDIENCE),
    tokens: direct(issuer, "mcp-alone"),
    forwards: false,
    foreign: () => Promise.resolve([]),
  };
  const behindLogin = {
    settings: proxySettings(issuer),
    tokens: throughLogin,
    forwards: false,
    foreign: async () => [(await curlTokens(issuer, "alice")).access_token],
  };
  const audience = { GRAFANA_AUDIENCE: "grafana" };
  const byKeycloak = { grafana: trustingKeycloak(issuer), loginOf: (username: string) => username };
  const byGatehouse = {
    grafana: trustingGatehouse,
    loginOf: (username: string) => `${username}@example.com`,
  };
  return [
    {
      name: "upstream",
      ...behindLogin,
      ...byKeycloak,
      settings: { ...behindLogin.settings, GRAFANA_AUTH: "upstream" },
      promised: isOfGatehouseAtKeycloak,
    },
    {
      name: "exchange, behind a login",
      ...behindLogin,
      ...byKeycloak,
      settings: { ...behindLogin.settings, ...audience, GRAFANA_AUTH: "exchange" },
      promised: isExchanged,
    },
    {
      name: "assertion, behind a login",
      ...behindLogin,
      ...byGatehouse,
      settings: { ...behindLogin.settings, GRAFANA_AUTH: "assertion" },
      promised: isStated,
    },
    {
      name: "forward",
      ...native,
      ...byKeycloak,
      settings: { ...native.settings, ...audience, GRAFANA_AUTH: "forward" },
      tokens: direct(issuer, "mcp-claude"),
      forwards: true,
      promised: ({ credential, token }) => equal(credential, token),
      unfit: { clientId: "mcp-alone", says: /not meant for grafana/ },
    },
    {
      name: "exchange",
      ...native,
      ...byKeycloak,
      settings: {
        ...native.settings,
        ...audience,
        GRAFANA_AUTH: "exchange",
        OIDC_CLIENT_ID: GATEHOUSE.id,
        OIDC_CLIENT_SECRET: GATEHOUSE.secret,
      },
      promised: isExchanged,
      unfit: { clientId: "mcp-claude", says: /identity provider does not let you/ },
    },
    {
      name: "assertion",
      ...native,
      ...byGatehouse,
      settings: {
        ...native.settings,
        GRAFANA_AUTH: "assertion",
        JWT_SECRET: crypto.getRandomValues(new Uint8Array(32)).toBase64(),
      },
      promised: isStated,
    },
  ];
}

function direct(issuer: string, clientId: string): Mode["tokens"] {
  return () =>
    Promise.resolve(async (username) =>
      (await curlTokens(issuer, username, clientId)).access_token
    );
}

/** Each logs in once, and then refreshes. */
async function throughLogin({ origin }: Gatehouse): Promise<(username: string) => Promise<string>> {
  const client = await proxied(origin);
  const kept = new Map<string, string>();
  return async (username) => {
    const before = kept.get(username);
    const { access_token: access, refresh_token: refresh } = before === undefined
      ? named(await client.connect(personAt(username)))
      : await client.refresh(before);
    if (!access || !refresh) throw new Error(`Cannot get tokens of ${username}`);
    kept.set(username, refresh);
    return access;
  };
}

function named({ access, refresh }: { readonly access: string; readonly refresh: string }) {
  return { access_token: access, refresh_token: refresh };
}

function trustingKeycloak(issuer: string): Mode["grafana"] {
  const judging = grafanaSettings(issuer);
  return () => {
    const keys = documentAt(`${issuer}/protocol/openid-connect/certs`);
    return grafanaStand(async (token) => await judge(token, await keys, judging));
  };
}

function trustingGatehouse({ origin }: Gatehouse, stand: Stand) {
  return standIn(
    { issuer: origin, audience: stand.origin, jwksUri: `${origin}/.well-known/jwks.json` },
    { fetch, now: () => Math.floor(Date.now() / 1000) },
  );
}

/** The token that Keycloak gave to Gatehouse when the person logged in. */
function isOfGatehouseAtKeycloak({ credential, token, issuer, subject, gate }: Arrived): void {
  notStrictEqual(credential, token);
  const { iss, sub, azp, typ } = decodeJwt(credential);
  deepEqual({ iss, sub, azp, typ }, {
    iss: issuer,
    sub: subject,
    azp: GATEHOUSE.id,
    typ: "Bearer",
  });
  equal(decodeJwt(token).iss, gate.origin);
}

/** A token that Keycloak gave for another, for Grafana and nobody else. */
function isExchanged({ credential, token, issuer, subject }: Arrived): void {
  notStrictEqual(credential, token);
  const { iss, sub, aud, azp } = decodeJwt(credential);
  deepEqual({ iss, sub, aud, azp }, {
    iss: issuer,
    sub: subject,
    aud: "grafana",
    azp: GATEHOUSE.id,
  });
  equal([decodeJwt(token).aud].flat().includes("grafana"), false);
}

/** A statement of Gatehouse, which whoever reads its keys can verify. */
async function isStated({ credential, token, username, gate, stand }: Arrived): Promise<void> {
  notStrictEqual(credential, token);
  const keys = await documentAt(`${gate.origin}/.well-known/jwks.json`);
  const { payload } = await jwtVerify(credential, createLocalJWKSet(keys), {
    issuer: gate.origin,
    audience: stand.origin,
    subject: decodeJwt(token).sub!,
    algorithms: ["ES256"],
    requiredClaims: ["exp"],
  });
  equal(decodeProtectedHeader(credential).typ, "JWT");
  equal(payload.email, `${username}@example.com`);
}

async function documentAt(url: string): Promise<JSONWebKeySet> {
  return await (await fetch(url)).json();
}
