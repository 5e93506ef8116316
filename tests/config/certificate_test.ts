import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { judgeKeyPair } from "../../lib/config/certificate.ts";
import { certificates, withoutCertificates } from "../certificates.ts";
import { skipBecause } from "../e2e/skip.ts";

const tls = skipBecause(withoutCertificates);
const FILES = { certFile: "c", keyFile: "k" };
const judge = (cert: string | undefined, key: string | undefined) =>
  judgeKeyPair(FILES, (path) => {
    const text = path === "c" ? cert : key;
    if (text === undefined) throw new Deno.errors.PermissionDenied("no");
    return text;
  });

Deno.test({
  name: "judgeKeyPair() takes a certificate, with those that vouch for it, and its key",
  ...tls,
  async fn() {
    await using made = await certificates("DNS:localhost");
    for (const cert of [made.cert, `${made.cert}\n${made.ca}`]) {
      const verdict = judge(cert, made.key);
      ok(verdict.ok, JSON.stringify(verdict));
      deepEqual([verdict.pair.cert, verdict.pair.key], [cert, made.key]);
      match(verdict.pair.until, /^\d{4}-\d\d-\d\dT/);
    }
  },
});

Deno.test({
  name: "judgeKeyPair() says which half is wrong and how, and nothing of what is in it",
  ...tls,
  async fn() {
    await using made = await certificates("DNS:localhost");
    await using other = await certificates("DNS:localhost");
    const { cert, key } = made;
    const junk = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    const rows: [cert: string | undefined, key: string | undefined, half: string, what: RegExp][] =
      [
        [undefined, key, "cert", /^names "c", which cannot be read \(PermissionDenied\)$/],
        [cert, undefined, "key", /^names "k", which cannot be read \(PermissionDenied\)$/],
        ["", key, "cert", /not a certificate in PEM/],
        [key, key, "cert", /not a certificate in PEM/],
        [junk, key, "cert", /not a certificate in PEM/],
        [`${cert}${junk}`, key, "cert", /not a certificate in PEM/],
        [cert, "", "key", /not a private key in PEM/],
        [cert, cert, "key", /not a private key in PEM/],
        [cert, key.replaceAll("PRIVATE", "ENCRYPTED PRIVATE"), "key", /is encrypted/],
        [cert, other.key, "key", /does not belong to the certificate in "c"/],
        [`${other.cert}${cert}`, key, "key", /does not belong/],
      ];
    for (const [ofCert, ofKey, half, what] of rows) {
      const verdict = judge(ofCert, ofKey);
      ok(!verdict.ok, String(what));
      equal(verdict.half, half);
      match(verdict.what, what);
    }
  },
});
