import {
  deepStrictEqual as deepEqual,
  match,
  rejects,
  strictEqual as equal,
  throws,
} from "node:assert/strict";
import { listening } from "../../lib/cli/listening.ts";
import { secure } from "../../lib/cli/secure.ts";
import { type Certificates, certificates, withoutCertificates } from "../certificates.ts";
import { skipBecause } from "../e2e/skip.ts";

const tls = skipBecause(withoutCertificates);
const NAMES = ["DNS:localhost", "IP:127.0.0.1"];
const RENEWAL_MS = 10;

/** A listener over files that the test changes, and its log. */
function stage(made: Certificates, now = 0) {
  const files: Record<string, string> = { cert: made.cert, key: made.key };
  const news: ((line: string) => void)[] = [];
  const lines: string[] = [];
  const host = {
    now: () => now,
    listen: () => {
      throw new Error("Nothing is served in clear in this test");
    },
    listenTls: secure(Deno),
    readFile: (name: string) => {
      if (files[name] === undefined) throw new Deno.errors.NotFound(name);
      return files[name];
    },
  };
  const where = {
    host: "127.0.0.1",
    port: 0,
    trustedProxies: [],
    tls: { certFile: "cert", keyFile: "key" },
  };
  const log = (level: string, event: string, fields: Record<string, unknown> = {}) => {
    lines.push(`${level} ${event} ${fields.reason ?? ""}`.trim());
    for (const tell of news.splice(0)) tell(lines.at(-1)!);
  };
  const answer = () => Promise.resolve(new Response("ok"));
  return {
    files,
    lines,
    start: () => listening(where, host, answer, log, RENEWAL_MS),
    /** The next line that is logged. */
    next: () => new Promise<string>((resolve) => news.push(resolve)),
  };
}

async function ask(port: number, { ca }: Certificates): Promise<string> {
  using client = Deno.createHttpClient({ caCerts: [ca] });
  return await (await fetch(`https://localhost:${port}/`, { client })).text();
}

Deno.test({
  name: "listening() takes up a pair whose files have changed, and says so once",
  ...tls,
  async fn() {
    await using before = await certificates(...NAMES);
    await using after = await certificates(...NAMES);
    const { files, lines, start, next } = stage(before);
    const listener = start();
    equal(await ask(listener.port, before), "ok");
    const renewed = next();
    Object.assign(files, { cert: after.cert, key: after.key });
    equal(await renewed, "info certificate renewed");
    equal(await ask(listener.port, after), "ok");
    await rejects(ask(listener.port, before));
    await listener.shutdown();
    deepEqual(lines, ["info certificate in use", "info certificate renewed"]);
  },
});

Deno.test({
  name: "listening() refuses a changed pair that does not work, says so once, and goes on",
  ...tls,
  async fn() {
    await using before = await certificates(...NAMES);
    await using after = await certificates(...NAMES);
    const { files, lines, start, next } = stage(before);
    const listener = start();
    const changes: [change: () => void, reason: RegExp][] = [
      [() => void (files.cert = after.cert), /^error certificate not renewed.*does not belong to/],
      [() => void delete files.cert, /^error certificate not renewed.*cannot be read \(NotFound\)/],
      [() => void (files.cert = ""), /^error certificate not renewed.*is not a certificate/],
    ];
    for (const [change, reason] of changes) {
      const refused = next();
      change();
      match(await refused, reason);
      equal(await ask(listener.port, before), "ok");
    }
    // What was refused is not told again and again.
    await new Promise((resolve) => setTimeout(resolve, 10 * RENEWAL_MS));
    equal(lines.length, 1 + changes.length);
    const renewed = next();
    Object.assign(files, { cert: after.cert, key: after.key });
    match(await renewed, /^info certificate renewed/);
    equal(await ask(listener.port, after), "ok");
    await listener.shutdown();
  },
});

Deno.test({
  name: "listening() warns of a certificate that has expired, and serves with it",
  ...tls,
  async fn() {
    await using made = await certificates(...NAMES);
    const { lines, start } = stage(made, Date.UTC(2100) / 1000);
    const listener = start();
    equal(await ask(listener.port, made), "ok");
    await listener.shutdown();
    deepEqual(lines, ["warn certificate in use"]);
  },
});

Deno.test({
  name: "listening() throws when the pair does not work at the start",
  ...tls,
  async fn() {
    await using made = await certificates(...NAMES);
    const { files, start } = stage(made);
    files.key = "";
    throws(start, /^Error: Cannot serve HTTPS: .*is not a private key/);
  },
});
