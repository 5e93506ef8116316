import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import type { Fields } from "../lib/ports.ts";
import { OVERALL, PER_ADDRESS, sparing } from "../lib/sparing.ts";
import { app } from "../lib/app.ts";
import { fakePorts, keysMade, NOW, ORIGIN, testConfig } from "./fakes.ts";
import { stage } from "./mcp/helpers.ts";

/** What is written of events of addresses, by a clock that the test sets. */
function spared() {
  const clock = { now: NOW };
  const written: Fields[] = [];
  const audit = sparing({
    write: (event, fields) => void written.push({ event, ...fields }),
    ready: () => false,
  }, () => clock.now);
  const cause = (address: string, event = "refused") => audit.write(event, { address });
  return { clock, written, cause, audit };
}

const addressOf = (index: number) => `198.18.${index >> 8}.${index & 255}`;

Deno.test("sparing() leaves out what one address causes beyond its share, and tells how much", () => {
  const { clock, written, cause } = spared();
  for (let nth = 0; nth < PER_ADDRESS + 5; nth++) cause("203.0.113.7");
  equal(written.length, PER_ADDRESS);
  cause("203.0.113.8");
  deepEqual(written.at(-1), { event: "refused", address: "203.0.113.8", leftOut: 5 });
  cause("203.0.113.8");
  deepEqual(written.at(-1), { event: "refused", address: "203.0.113.8" });
  clock.now += 1;
  cause("203.0.113.7");
  deepEqual(written.at(-1), { event: "refused", address: "203.0.113.7" });
});

Deno.test("sparing() leaves out what many addresses cause together", () => {
  const { clock, written, cause } = spared();
  for (let nth = 0; nth < OVERALL + 50; nth++) cause(addressOf(nth));
  equal(written.length, OVERALL);
  clock.now += 60;
  cause(addressOf(0));
  equal(written.length, OVERALL + 1);
  equal(written.at(-1)!["leftOut"], 50);
});

Deno.test("sparing() lets nobody who has used up a share use up that of all", () => {
  const { written, cause } = spared();
  for (let nth = 0; nth < 2 * OVERALL; nth++) cause("203.0.113.7");
  cause("203.0.113.8");
  equal(written.length, PER_ADDRESS + 1);
});

Deno.test("sparing() keeps all that callers do, and tells whether events can be kept", () => {
  const { written, cause, audit } = spared();
  for (let nth = 0; nth < 2 * OVERALL; nth++) cause("203.0.113.7", "call");
  equal(written.length, 2 * OVERALL);
  equal(audit.ready(), false);
});

Deno.test("a stranger without a token cannot fill the disk through the audit log", async () => {
  const { send, ports } = await stage();
  const ask = (authorization: string) =>
    send("/mcp", { method: "POST", headers: { authorization } }).then(({ status }) => status);
  const wrong = ["Bearer x", "Bearer x, Bearer y"];
  for (let nth = 0; nth < PER_ADDRESS + 10; nth++) {
    equal(await ask(wrong[nth % 2]!), nth % 2 === 0 ? 401 : 400);
  }
  equal(ports.audited.length, PER_ADDRESS);
  ports.advance(60);
  await ask(wrong[0]!);
  const { event, reason, leftOut } = ports.audited.at(-1)!;
  deepEqual({ event, reason, leftOut }, {
    event: "token refused",
    reason: "malformed",
    leftOut: 10,
  });
});

Deno.test("strangers with many addresses cannot fill the disk through the pages of logins", async () => {
  const ports = fakePorts();
  const program = await app(testConfig({ OAUTH_MODE: "proxy" }), ports);
  const ask = new Request(`${ORIGIN}/oauth/authorize?client_id=nobody`, {
    headers: { host: "localhost:8080" },
  });
  for (let nth = 0; nth < OVERALL + 10; nth++) await program.fetch(ask, addressOf(nth));
  equal(ports.audited.length, OVERALL);
  equal(ports.lines.filter((line) => line.includes('"event":"refused"')).length, OVERALL + 10);
  await keysMade(program);
  await program.close();
});
