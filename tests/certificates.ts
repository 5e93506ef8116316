/**
 * A certificate authority of a test's own, and servers that it vouches for.
 *
 * @module
 */

import { has } from "./e2e/skip.ts";

/** Why there can be no certificates here, if so. */
export const withoutCertificates: string | undefined = has("openssl")
  ? undefined
  : "certificates need openssl";

/** A certificate for names, in PEM. Disposing deletes its files. */
export interface Certificates extends AsyncDisposable {
  /** Where the certificate of the authority is. */
  readonly caFile: string;
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** Makes an authority, and a certificate of it for `names`, as `DNS:client.example`. */
export async function certificates(...names: string[]): Promise<Certificates> {
  const folder = await Deno.makeTempDir();
  const file = (name: string) => `${folder}/${name}`;
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
  const openssl = async (...args: string[]) => {
    const { success, stderr } = await new Deno.Command("openssl", { args }).output();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
  };
  await openssl(
    ...["req", "-x509", ...key, "-keyout", file("ca.key"), "-out", file("ca.pem")],
    ...["-subj", "/CN=authority of a test", "-addext", "basicConstraints=critical,CA:TRUE"],
  );
  // What has signed itself is no server's certificate to TLS under Deno.
  await openssl(
    ...["req", "-x509", ...key, "-keyout", file("key.pem"), "-out", file("cert.pem")],
    ...["-subj", "/CN=server of a test", "-addext", "basicConstraints=critical,CA:FALSE"],
    ...["-addext", `subjectAltName=${names.join(",")}`],
    ...["-CA", file("ca.pem"), "-CAkey", file("ca.key")],
  );
  return {
    caFile: file("ca.pem"),
    ca: await Deno.readTextFile(file("ca.pem")),
    cert: await Deno.readTextFile(file("cert.pem")),
    key: await Deno.readTextFile(file("key.pem")),
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}

/** A server over TLS on loopback. Disposing stops it. */
export interface SecureServer extends AsyncDisposable {
  readonly port: number;
  /** The connections that reached it, be it without TLS. */
  readonly connections: () => number;
}

/** Serves bytes over TLS, one answer per connection, until `answer` returns. */
export function secureServer(
  { cert, key }: Pick<Certificates, "cert" | "key">,
  answer: (conn: Deno.TlsConn) => Promise<void>,
): SecureServer {
  const listener = Deno.listenTls({ hostname: "127.0.0.1", port: 0, cert, key });
  let connections = 0;
  const serve = async (conn: Deno.TlsConn) => {
    try {
      await answer(conn);
      await conn.closeWrite();
      conn.close();
    } catch {
      // The client left, or did not like the certificate.
      try {
        conn.close();
      } catch {
        // It is closed already.
      }
    }
  };
  const running: Promise<void>[] = [];
  const accepting = (async () => {
    for await (const conn of listener) {
      connections++;
      running.push(serve(conn));
    }
  })();
  return {
    port: listener.addr.port,
    connections: () => connections,
    [Symbol.asyncDispose]: async () => {
      listener.close();
      await accepting;
      await Promise.all(running);
    },
  };
}

/** Files of a certificate, which a test writes anew. */
export async function certificateFiles() {
  const folder = await Deno.makeTempDir();
  const [certFile, keyFile] = [`${folder}/cert.pem`, `${folder}/key.pem`];
  return {
    env: { MCP_TLS_CERT_FILE: certFile, MCP_TLS_KEY_FILE: keyFile },
    certFile,
    keyFile,
    async write({ cert, key }: { cert: string; key: string }) {
      await Deno.writeTextFile(certFile, cert);
      await Deno.writeTextFile(keyFile, key);
    },
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}
