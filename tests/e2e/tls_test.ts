import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { certificateFiles, certificates, withoutCertificates } from "../certificates.ts";
import { HTTP_ENV, run } from "./program.ts";
import { skipBecause } from "./skip.ts";

const tls = skipBecause(withoutCertificates);
const NAMES = ["DNS:localhost", "IP:127.0.0.1"];

Deno.test({
  name: "the program does not start with a certificate that does not work, and says why",
  ...tls,
  async fn() {
    await using made = await certificates(...NAMES);
    await using other = await certificates(...NAMES);
    await using pair = await certificateFiles();
    const env = { ...HTTP_ENV, ...pair.env };
    const starts = async () => {
      const { code, stderr } = await run([], env);
      equal(code, 2);
      ok(!stderr.includes("PRIVATE KEY"), stderr);
      return stderr;
    };
    match(
      await starts(),
      /MCP_TLS_CERT_FILE names ".*cert.pem", which cannot be read \(NotFound\)/,
    );
    await pair.write({ ...made, key: other.key });
    match(await starts(), /MCP_TLS_KEY_FILE names ".*key.pem", which does not belong to the certi/);
    const { MCP_TLS_CERT_FILE } = pair.env;
    const half = await run([], { ...HTTP_ENV, MCP_TLS_CERT_FILE });
    deepEqual([half.code, /MCP_TLS_KEY_FILE is not set/.test(half.stderr)], [2, true]);
  },
});
