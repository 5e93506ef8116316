/**
 * A stand-in for every identity provider that the README and the guides name: metadata and keys of
 * any issuer below its own address, over TLS, and tokens in the form that each vendor documents.
 *
 * @module
 */

import { exportJWK, generateKeyPair, SignJWT } from "@panva/jose";
import { certificates, withoutCertificates } from "../../tests/certificates.ts";

/** The stand-in. */
export interface StandIn extends AsyncDisposable {
  readonly origin: string;
  /** The certificate that vouches for it, in PEM, as a file. */
  readonly caFile: string;
  /** An access token of `issuer` for `audience`. */
  token(vendor: string, issuer: string, audience: string): Promise<string>;
}

const METADATA = "/.well-known/openid-configuration";

/** Starts the stand-in on a free port. */
export async function standIn(): Promise<StandIn> {
  if (withoutCertificates) throw new Error(`Cannot stand in: ${withoutCertificates}`);
  const { privateKey, publicKey } = await generateKeyPair("RS256");
  const jwk = { ...await exportJWK(publicKey), kid: "1", alg: "RS256", use: "sig" };
  const files = await certificates("DNS:localhost");
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, cert: files.cert, key: files.key, onListen: () => {} },
    (request) => {
      const { origin, pathname } = new URL(request.url);
      if (pathname === "/keys") return Response.json({ keys: [jwk] });
      if (!pathname.endsWith(METADATA)) return new Response(null, { status: 404 });
      return Response.json(metadata(`${origin}${pathname.slice(0, -METADATA.length)}`, origin));
    },
  );
  return {
    origin: `https://localhost:${server.addr.port}`,
    caFile: files.caFile,
    token: (vendor, issuer, audience) => {
      const { header, ...claims } = FORMS[vendor]!(issuer);
      return new SignJWT({ iss: issuer, aud: audience, sub: "alice", ...claims })
        .setProtectedHeader({ alg: "RS256", kid: "1", typ: header })
        .setIssuedAt().setExpirationTime("1h").sign(privateKey);
    },
    async [Symbol.asyncDispose]() {
      await server.shutdown();
      await files[Symbol.asyncDispose]();
    },
  };
}

function metadata(issuer: string, origin: string): Record<string, unknown> {
  const endpoints = ["authorization", "token", "introspection", "userinfo"];
  return {
    issuer,
    jwks_uri: `${origin}/keys`,
    ...Object.fromEntries(endpoints.map((name) => [`${name}_endpoint`, `${origin}/${name}`])),
    response_types_supported: ["code"],
    scopes_supported: ["openid", "profile", "email", "offline_access"],
    code_challenge_methods_supported: ["S256"],
    token_endpoint_auth_methods_supported: ["client_secret_basic"],
  };
}

type Form = { readonly header: string } & Readonly<Record<string, unknown>>;

/** What each vendor's tokens say besides, in the form that it documents. */
const FORMS: Readonly<Record<string, (issuer: string) => Form>> = {
  okta: () => ({
    header: "JWT",
    cid: "0oa1b2c3",
    uid: "00u1",
    scp: ["openid", "mcp.use"],
    groups: ["engineering"],
  }),
  keycloak: () => ({
    header: "JWT",
    typ: "Bearer",
    azp: "mcp",
    scope: "openid profile email mcp.use",
    realm_access: { roles: ["engineering"] },
    preferred_username: "alice",
    email: "alice@example.com",
    email_verified: true,
  }),
  azure: (issuer) => ({
    header: "JWT",
    ver: "2.0",
    azp: "11111111-2222-3333-4444-555555555555",
    tid: new URL(issuer).pathname.split("/")[1],
    scp: "mcp.use",
    roles: ["engineering"],
    preferred_username: "alice@example.com",
  }),
  google: () => ({
    header: "JWT",
    iss: "https://accounts.google.com",
    azp: "1234-abcd.apps.googleusercontent.com",
    hd: "example.com",
    email: "alice@example.com",
    email_verified: true,
  }),
  oidc: () => ({
    header: "at+jwt",
    client_id: "mcp",
    scope: "mcp.use",
    groups: ["engineering"],
  }),
};
