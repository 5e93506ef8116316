/**
 * Files of certificates: for connections to one service, and for those to this server.
 *
 * @module
 */

import type { Certificates, Ports } from "../ports.ts";
import type { Read } from "./oauth.ts";
import { type SettingName, SETTINGS } from "./settings.ts";
import type { Problem } from "./sources.ts";
import * as values from "./values.ts";

/** Certificates for connections to one service, as files in PEM. */
export interface TlsFiles {
  /** Certificates that vouch for the service, besides the system's. */
  readonly caFile?: string;
  /** What this program shows of itself. */
  readonly certFile?: string;
  readonly keyFile?: string;
}

/** Reads the settings of the files. @param problems Gets half a client certificate. */
export function readTlsFiles(
  read: Read,
  [ca, cert, key]: readonly [ca: SettingName, cert: SettingName, key: SettingName],
  problems: Problem[],
): TlsFiles {
  const caFile = read(ca, values.words, undefined);
  const own = readKeyPair(read, [cert, key], "client certificate", problems);
  return { ...(caFile && { caFile }), ...own };
}

/** A certificate and its key, as files in PEM. */
export interface KeyPairFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

/** Reads the settings of the files. @param problems Gets half of `what`. */
export function readKeyPair(
  read: Read,
  [cert, key]: readonly [cert: SettingName, key: SettingName],
  what: string,
  problems: Problem[],
): KeyPairFiles | undefined {
  const certFile = read(cert, values.words, undefined);
  const keyFile = read(key, values.words, undefined);
  if (certFile && keyFile) return { certFile, keyFile };
  if (certFile || keyFile) {
    problems.push({
      where: SETTINGS[certFile ? key : cert].env[0],
      what: `is not set, although the other half of the ${what} is`,
      fix: "set both or neither",
    });
  }
  return undefined;
}

/** Reads the files. @throws {Error} When one cannot be read; the message names it. */
export function certificatesOf(
  { caFile, certFile, keyFile }: TlsFiles,
  readFile: Ports["readFile"],
): Certificates {
  const text = (path: string) => {
    try {
      return readFile(path);
    } catch (cause) {
      throw new Error(`Cannot read the certificates in ${path}`, { cause });
    }
  };
  return {
    ...(caFile && { ca: text(caFile) }),
    ...(certFile && keyFile && { cert: text(certFile), key: text(keyFile) }),
  };
}
