/**
 * A certified OpenID provider as a process of its own, which can go away and come back.
 *
 * Whoever comes is logged in as the person that the header `x-person` names. It rotates refresh
 * tokens and punishes who uses one twice, as strict providers do; so on SIGTERM it answers what it
 * has begun, and keeps what it knows in a file for the next start.
 *
 * Usage: issuer.ts SETTINGS, a JSON file of {@linkcode IssuerSettings}.
 *
 * @module
 */

import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { JWK } from "@panva/jose";
import Provider from "oidc-provider";
import { Shelf } from "./shelf.ts";

/** What the provider is told. */
export interface IssuerSettings {
  readonly port: number;
  /** Private key that it signs with. */
  readonly key: JWK;
  /** Where people are sent back to. */
  readonly callback: string;
  readonly client: { readonly id: string; readonly secret: string };
  /** File for what it knows while it is away. */
  readonly memory: string;
}

const { port, key, callback, client, memory } = JSON.parse(
  await Deno.readTextFile(Deno.args[0]!),
) as IssuerSettings;

const shelf = await Shelf.open(memory);
const provider = new Provider(`http://127.0.0.1:${port}`, {
  adapter: (model: string) => shelf.part(model),
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
  ttl: {
    AccessToken: 120,
    AuthorizationCode: 60,
    Grant: 600,
    IdToken: 120,
    Interaction: 60,
    RefreshToken: 600,
    Session: 60,
  },
  findAccount: (_: unknown, id: string) => ({
    accountId: id,
    claims: () => ({ sub: id, email: `${id}@example.com`, email_verified: true, name: id }),
  }),
  interactions: { url: (_: unknown, { uid }: { uid: string }) => `/login/${uid}` },
});

const rest = provider.callback();
let atWork = 0;
let isLeaving = false;
const server = createServer(async (request, response) => {
  if (isLeaving) return void request.socket.destroy();
  atWork++;
  response.once("close", () => {
    atWork--;
    if (isLeaving) void leave();
  });
  if (request.url!.startsWith("/login/")) await logIn(request, response);
  else rest(request, response);
});
Deno.addSignalListener("SIGTERM", () => {
  isLeaving = true;
  server.close();
  void leave();
});
server.listen(port, "127.0.0.1");
await once(server, "listening");

async function leave(): Promise<void> {
  if (atWork > 0) return;
  await shelf.save();
  Deno.exit(0);
}

async function logIn(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const accountId = String(request.headers["x-person"]);
  const { params } = await provider.interactionDetails(request, response);
  const grant = new provider.Grant({ accountId, clientId: String(params.client_id) });
  grant.addOIDCScope(String(params.scope));
  const result = { login: { accountId }, consent: { grantId: await grant.save() } };
  await provider.interactionFinished(request, response, result);
}
