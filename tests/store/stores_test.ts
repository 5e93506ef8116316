import { rejects, strictEqual as equal } from "node:assert/strict";
import { storeOf } from "../../lib/stores.ts";
import { fakePorts } from "../fakes.ts";

Deno.test("storeOf() opens a store in memory", async () => {
  const ports = fakePorts();
  const [store, another] = [await storeOf("memory:", ports), await storeOf("memory:", ports)];
  await store.put("a", "1", 1);
  equal(await another.get("a"), undefined);
  ports.advance(1);
  equal(await store.get("a"), undefined);
});

for (const slashes of ["", "//"]) {
  Deno.test(`storeOf() opens the file of sqlite:${slashes}/PATH`, async () => {
    const folder = await Deno.makeTempDir({ prefix: "gatehouse-store-" });
    const ports = fakePorts();
    const store = await storeOf(`sqlite:${slashes}${folder}/a b%20.db`, ports);
    await store.put("a", "1", 1);
    ports.advance(1);
    equal(await store.get("a"), undefined);
    await store.close();
    equal(Deno.statSync(`${folder}/a b%20.db`).isFile, true);
    await Deno.remove(folder, { recursive: true });
  });
}

for (const scheme of ["redis", "rediss"]) {
  Deno.test(`storeOf() leaves ${scheme}: to Redis`, async () => {
    await rejects(storeOf(`${scheme}://localhost/name`, fakePorts()), /no database number/);
  });
}

const UNKNOWN = [
  "",
  "memory",
  "memory:x",
  "sqlite:",
  "sqlite",
  "/var/lib/store.db",
  "postgres://:secret@localhost",
  "Redis//:secret@localhost",
];

for (const url of UNKNOWN) {
  Deno.test(`storeOf() refuses "${url}", and does not tell the password`, async () => {
    await rejects(
      storeOf(url, fakePorts()),
      /^Error: Cannot use a store: its URL is not memory:, sqlite:PATH or redis:\/\/HOST:PORT$/,
    );
  });
}
