/**
 * A certified OpenID provider as strict ones are: it rotates refresh tokens, and punishes who uses
 * one twice.
 *
 * @module
 */

import type { IncomingMessage, ServerResponse } from "node:http";
import type { JWK } from "@panva/jose";
import { quietly } from "../tests/e2e/quietly.ts";

const { default: Provider } = await quietly(() => import("oidc-provider"));

/** The provider of the package. */
export type StrictProvider = InstanceType<typeof Provider>;

/** What differs from one provider to the other. */
export interface StrictSettings {
  /** Private key that it signs with. */
  readonly key: JWK;
  /** Where it sends people back to. */
  readonly callback: string;
  readonly client: { readonly id: string; readonly secret: string };
  /** How long things live, in seconds, by the package's names for them. */
  readonly ttl: Readonly<Record<string, number>>;
  /** What it says of people, besides who they are. */
  readonly claimsOf: (subject: string) => Readonly<Record<string, unknown>>;
  /** Where it keeps what it knows. @default In memory. */
  readonly adapter?: (model: string) => unknown;
}

/** Makes a provider, which is to be asked through its `callback()`. */
export function strictProvider(
  url: string,
  { key, callback, client, ttl, claimsOf, adapter }: StrictSettings,
): Promise<StrictProvider> {
  return quietly(() =>
    new Provider(url, {
      ...(adapter && { adapter }),
      jwks: { keys: [key] },
      clients: [{
        client_id: client.id,
        client_secret: client.secret,
        redirect_uris: [callback],
        grant_types: ["authorization_code", "refresh_token"],
      }],
      clientDefaults: { id_token_signed_response_alg: "ES256" },
      cookies: { keys: ["a key for cookies"] },
      scopes: ["openid", "offline_access"],
      claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"] },
      enabledJWA: { idTokenSigningAlgValues: ["ES256"] },
      features: {
        devInteractions: { enabled: false },
        revocation: { enabled: true, allowedPolicy: () => true },
      },
      rotateRefreshToken: true,
      ttl,
      findAccount: (_: unknown, id: string) => ({
        accountId: id,
        claims: () => ({ sub: id, email_verified: true, ...claimsOf(id) }),
      }),
      interactions: { url: (_: unknown, { uid }: { uid: string }) => `/login/${uid}` },
    })
  );
}

/** Answers a request below `/login/`: logs somebody in, who agrees to everything. */
export async function logIn(
  provider: StrictProvider,
  accountId: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { params } = await provider.interactionDetails(request, response);
  const grant = new provider.Grant({ accountId, clientId: String(params.client_id) });
  grant.addOIDCScope(String(params.scope));
  const result = { login: { accountId }, consent: { grantId: await grant.save() } };
  await provider.interactionFinished(request, response, result);
}
