/**
 * Bytes as text for URLs and headers (RFC 4648 section 5), without padding.
 *
 * @module
 */

/** Writes bytes in base64url. */
export function base64url(bytes: Uint8Array): string {
  return bytes.toBase64({ alphabet: "base64url", omitPadding: true });
}
