/**
 * A strict OpenID provider as a process of its own, which can go away and come back.
 *
 * Whoever comes is logged in as the person that the header `x-person` names. It punishes who uses a
 * refresh token twice; so on SIGTERM it answers what it has begun, and keeps what it knows in a file
 * for the next start.
 *
 * Usage: issuer.ts SETTINGS, a JSON file of {@linkcode IssuerSettings}.
 *
 * @module
 */

import { once } from "node:events";
import { createServer } from "node:http";
import { logIn, strictProvider, type StrictSettings } from "../strict_provider.ts";
import { Shelf } from "./shelf.ts";

/** What the provider is told. */
export interface IssuerSettings extends Pick<StrictSettings, "key" | "callback" | "client"> {
  readonly port: number;
  /** File for what it knows while it is away. */
  readonly memory: string;
}

const { port, key, callback, client, memory } = JSON.parse(
  await Deno.readTextFile(Deno.args[0]!),
) as IssuerSettings;

const shelf = await Shelf.open(memory);
const provider = await strictProvider(`http://127.0.0.1:${port}`, {
  key,
  callback,
  client,
  adapter: (model) => shelf.part(model),
  ttl: {
    AccessToken: 120,
    AuthorizationCode: 60,
    Grant: 600,
    IdToken: 120,
    Interaction: 60,
    RefreshToken: 600,
    Session: 60,
  },
  claimsOf: (name) => ({ email: `${name}@example.com`, name }),
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
  if (!request.url!.startsWith("/login/")) return rest(request, response);
  await logIn(provider, String(request.headers["x-person"]), request, response);
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
