/**
 * Clients that the operator knows beforehand, as RFC 7591 metadata in JSON.
 *
 * @module
 */

import { createHash } from "node:crypto";
import type { Client } from "../proxy/client.ts";
import { readClientMetadata } from "../proxy/metadata.ts";
import type { RedirectPolicy } from "../proxy/redirect.ts";
import type { Reader } from "./values.ts";

const EXAMPLE =
  `write [{"client_id": "my-app", "client_name": "My app", "redirect_uris": ["https://app.example.com/callback"], "token_endpoint_auth_method": "none"}]`;

/** Reads the list. Complaints name the client by its place in it, and no value. */
export function configuredClients(redirects: RedirectPolicy): Reader<Client[]> {
  return (text) => {
    const list = parse(text);
    if (!list) return { what: "is not a JSON list of objects", fix: EXAMPLE };
    const clients: Client[] = [];
    for (const [index, entry] of list.entries()) {
      const client = readClient(entry, redirects);
      if (typeof client === "string") {
        return { what: `entry ${index + 1}: ${client}`, fix: EXAMPLE };
      }
      if (clients.some(({ id }) => id === client.id)) {
        return { what: `entry ${index + 1}: its client_id is taken`, fix: "give each its own" };
      }
      clients.push(client);
    }
    return { value: clients };
  };
}

type Entry = Readonly<Record<string, unknown>>;

function parse(text: string): Entry[] | undefined {
  try {
    const list: unknown = JSON.parse(text);
    return Array.isArray(list) && list.every(isObject) ? list : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Entry {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Shortest secret of a client, in characters. */
const SHORTEST_SECRET = 32;

function readClient(entry: Entry, redirects: RedirectPolicy): Client | string {
  const { client_id: id, client_secret: secret, ...said } = entry;
  // No id of another origin has this form, so none can be mistaken for a configured one.
  if (typeof id !== "string" || !/^[\w.~-]{1,100}$/.test(id)) {
    return "client_id is not 1 to 100 letters, digits, dots, dashes, underscores or tildes";
  }
  const read = readClientMetadata(
    { token_endpoint_auth_method: secret === undefined ? "none" : "client_secret_basic", ...said },
    { redirects },
  );
  if (!read.ok) return read.problem.description;
  const { metadata } = read;
  const needsSecret = metadata.authMethod.startsWith("client_secret");
  if (needsSecret !== (secret !== undefined)) {
    return needsSecret ? "client_secret is missing" : "client_secret is of no use to its method";
  }
  if (!needsSecret) return { ...metadata, id, origin: "configured" };
  if (typeof secret !== "string" || secret.length < SHORTEST_SECRET) {
    return `client_secret has fewer than ${SHORTEST_SECRET} characters`;
  }
  const secretHash = createHash("sha256").update(secret).digest("base64url");
  return { ...metadata, id, origin: "configured", secretHash };
}
