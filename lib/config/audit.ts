/**
 * Reading where the audit log goes.
 *
 * @module
 */

import type { Reader } from "./values.ts";

/** Where the audit log goes. */
export type AuditTarget =
  | { readonly kind: "off" }
  | { readonly kind: "stderr" }
  | { readonly kind: "file"; readonly path: string };

/** `off`, `stderr` or `file:PATH`. */
export const auditTarget: Reader<AuditTarget> = (text) => {
  const path = /^file:(.+)$/.exec(text)?.[1];
  if (path !== undefined && !path.endsWith("/") && !path.startsWith("//")) {
    return { value: { kind: "file", path } };
  }
  return text === "off" || text === "stderr" ? { value: { kind: text } } : {
    what: `is "${text}"`,
    fix: "use stderr, off, or file: and a path, such as file:data/audit.jsonl",
  };
};
