import { createHash } from "node:crypto";
import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { records } from "../../lib/proxy/records.ts";
import { MOST_GRANTS, roster } from "../../lib/proxy/roster.ts";
import { digests, seals } from "../../lib/seal.ts";
import { memory } from "../../lib/store/memory.ts";
import { fakePorts, ORIGIN, SECRET } from "../fakes.ts";

function newRoster() {
  const ports = fakePorts();
  const seal = seals([new TextEncoder().encode(SECRET)], ORIGIN)("row person");
  const rows = records<readonly string[]>(memory(ports), seal, "person", ports.now);
  const ended: string[] = [];
  const end = (id: string) => Promise.resolve(ended.push(id) > 0);
  const digestOf = digests(new TextEncoder().encode(SECRET), ORIGIN, "person");
  return { enter: roster(rows, { end }, digestOf).enter, rows, ended, digestOf };
}

Deno.test("roster() ends a person's oldest grant beyond the bound, and nobody else's", async () => {
  const { enter, ended } = newRoster();
  for (let nth = 0; nth < MOST_GRANTS; nth++) await enter("alice", `a${nth}`);
  await enter("bob", "b0");
  deepEqual(ended, []);
  await enter("alice", "more");
  await enter("alice", "and more");
  deepEqual(ended, ["a0", "a1"]);
});

Deno.test("roster() enters every grant of logins at once", async () => {
  const { enter, rows, digestOf } = newRoster();
  const ids = Array.from({ length: 32 }, (_, nth) => `g${nth}`);
  await Promise.all(ids.map((id) => enter("alice", id)));
  const kept = await rows.get(await digestOf("alice"));
  equal(new Set(kept!.value).size, 32);
});

Deno.test("roster() keeps no digest of a person that could be guessed without the secret", async () => {
  const digest = await digests(new Uint8Array(32), ORIGIN, "person")("alice");
  const { enter, rows } = newRoster();
  await enter("alice", "g1");
  equal(await rows.get(digest), undefined);
  equal(await rows.get(createHash("sha256").update("alice").digest("base64url")), undefined);
});
