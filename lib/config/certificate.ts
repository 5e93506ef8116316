/**
 * The certificate that this server shows, judged before it is used.
 *
 * Checked are the form of the certificate and of those that vouch for it, and that the key belongs
 * to it. Who vouches, for which names and until when is for clients to judge.
 *
 * @module
 */

import { createPrivateKey, X509Certificate } from "node:crypto";
import type { KeyPairFiles } from "./tls.ts";

/** A certificate that works, those that vouch for it, and its key, in PEM. */
export interface KeyPair {
  readonly cert: string;
  readonly key: string;
  /** Until when the certificate counts, as ISO 8601. */
  readonly until: string;
}

/** A pair, or what is wrong with it. */
export type KeyPairVerdict =
  | { readonly ok: true; readonly pair: KeyPair }
  | { readonly ok: false; readonly half: "cert" | "key"; readonly what: string };

/** Reads the files and judges what is in them. @param readFile Throws when it cannot. */
export function judgeKeyPair(
  { certFile, keyFile }: KeyPairFiles,
  readFile: (path: string) => string,
): KeyPairVerdict {
  const cert = attempt(() => readFile(certFile));
  if (cert.error) return bad("cert", certFile, `cannot be read (${cert.error.name})`);
  const key = attempt(() => readFile(keyFile));
  if (key.error) return bad("key", keyFile, `cannot be read (${key.error.name})`);
  const chain = attempt(() => certificatesIn(cert.value));
  const first = chain.value?.[0];
  if (!first) return bad("cert", certFile, "is not a certificate in PEM");
  if (key.value.includes("ENCRYPTED")) {
    return bad("key", keyFile, "is encrypted, and there is nobody to ask for its password");
  }
  const parsed = attempt(() => createPrivateKey(key.value));
  if (parsed.error) return bad("key", keyFile, "is not a private key in PEM");
  if (!first.checkPrivateKey(parsed.value)) {
    return bad("key", keyFile, `does not belong to the certificate in "${certFile}"`);
  }
  const until = new Date(first.validTo).toISOString();
  return { ok: true, pair: { cert: cert.value, key: key.value, until } };
}

function certificatesIn(pem: string): X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  return blocks.map((block) => new X509Certificate(block));
}

function bad(half: "cert" | "key", path: string, what: string): KeyPairVerdict {
  return { ok: false, half, what: `names "${path}", which ${what}` };
}

type Attempt<T> =
  | { readonly value: T; readonly error?: undefined }
  | { readonly value?: undefined; readonly error: Error };

function attempt<T>(act: () => T): Attempt<T> {
  try {
    return { value: act() };
  } catch (error) {
    return { error: error instanceof Error ? error : new Error(String(error)) };
  }
}
