/**
 * Finding a client by its id: configured, by its metadata document, or registered here.
 *
 * A registration is not stored: the id that a client gets is its metadata, sealed, so strangers
 * cannot fill the store and any replica knows every client. The ids of the three origins cannot
 * coincide: documents have https URLs, sealed ids have five parts, configured ones fewer dots.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { base64url } from "../base64url.ts";
import type { Ports } from "../ports.ts";
import type { Seal } from "../seal.ts";
import type { Client, ClientMetadata } from "./client.ts";

/** How long a registration lives, in seconds. */
export const REGISTRATION_SECONDS = 90 * 86_400;

/** A client, or why there is none. */
export type ClientFound =
  | { readonly ok: true; readonly client: Client }
  | {
    readonly ok: false;
    /** For the log. */
    readonly reason: string;
    /** Whether it may be found later. */
    readonly retryable: boolean;
  };

/** A fresh registration. */
export interface Registered {
  readonly client: Client;
  /** For the two `client_secret` methods; known to nobody else from here on. */
  readonly secret?: string;
  /** Unix seconds. */
  readonly expiresAt: number;
}

/** The clients of a server. */
export interface Clients {
  /** @param redirectUri A redirect URI that the client should know. */
  find(id: string, redirectUri?: string): Promise<ClientFound>;
  /** Registers a client (RFC 7591). */
  register(metadata: ClientMetadata): Promise<Registered>;
}

/** Finds clients by their metadata documents. */
export interface FindDocument {
  (id: string, redirectUri?: string): Promise<ClientFound>;
}

/** Settings of {@linkcode clients}. */
export interface ClientsOptions {
  readonly configured: readonly Client[];
  readonly seal: Seal;
  /** Absent when registration is off. */
  readonly dynamic?: true;
  /** Absent when documents are off. */
  readonly findDocument?: FindDocument;
}

const UNKNOWN: ClientFound = { ok: false, reason: "unknown client", retryable: false };

/** Prepares the finding. */
export function clients(
  { configured, seal, dynamic, findDocument }: ClientsOptions,
  ports: Pick<Ports, "now" | "random">,
): Clients {
  const known = new Map(configured.map((client) => [client.id, client]));
  return {
    async find(id, redirectUri) {
      const client = known.get(id);
      if (client) return { ok: true, client };
      if (id.startsWith("https:")) return await findDocument?.(id, redirectUri) ?? UNKNOWN;
      const opened = dynamic && await seal.open(id, ports.now());
      if (!opened) return UNKNOWN;
      return { ok: true, client: { ...opened as Omit<Client, "id">, id } };
    },
    async register(metadata) {
      const expiresAt = ports.now() + REGISTRATION_SECONDS;
      const secret = metadata.authMethod.startsWith("client_secret")
        ? base64url(ports.random(32))
        : undefined;
      const row: Omit<Client, "id"> = {
        ...metadata,
        origin: "dynamic",
        ...(secret && { secretHash: hashOf(secret) }),
      };
      const client = { ...row, id: await seal.seal(row, expiresAt) };
      return { client, expiresAt, ...(secret && { secret }) };
    },
  };
}

/** SHA-256 in base64url. */
export function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("base64url");
}
