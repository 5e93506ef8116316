import {
  deepStrictEqual as deepEqual,
  ok,
  rejects,
  strictEqual as equal,
} from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { PURGE_ENTRIES, PURGE_WRITES, sqlite } from "../../lib/store/sqlite.ts";
import { fakePorts, NOW } from "../fakes.ts";
import { sharedStoreSuite, storeSuite } from "../suites/store.ts";

const suite = {
  name: "sqlite()",
  make: async () => {
    const folder = await newFolder();
    const ports = fakePorts();
    const store = await sqlite(folder.file, ports);
    const another = await sqlite(folder.file, ports);
    return {
      store,
      another,
      expire: ports.advance,
      async [Symbol.asyncDispose]() {
        await Promise.all([store.close(), another.close()]);
        await folder[Symbol.asyncDispose]();
      },
    };
  },
};

storeSuite(suite);
sharedStoreSuite(suite);

interface Folder extends AsyncDisposable {
  readonly path: string;
  /** Where a store may be in it. */
  readonly file: string;
}

async function newFolder(): Promise<Folder> {
  const path = await Deno.makeTempDir({ prefix: "gatehouse-store-" });
  return {
    path,
    file: `${path}/store.db`,
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  };
}

/** How many rows a file has, whether expired or not. */
function rowsOf(file: string): number {
  const database = new DatabaseSync(file);
  try {
    return Number(database.prepare("SELECT count(*) AS rows FROM entries").get()!.rows);
  } finally {
    database.close();
  }
}

Deno.test("sqlite() finds what it kept when it is opened again", async () => {
  await using folder = await newFolder();
  const first = await sqlite(folder.file, fakePorts());
  await first.put("a", "1", 10);
  await first.close();
  const second = await sqlite(folder.file, fakePorts());
  equal(await second.get("a"), "1");
  await second.close();
});

Deno.test({
  name: "sqlite() makes the folder of its file, for its owner only",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    await using folder = await newFolder();
    const store = await sqlite(`${folder.path}/a/b/store.db`, fakePorts());
    await store.close();
    for (const made of ["a", "a/b"]) {
      equal(Deno.statSync(`${folder.path}/${made}`).mode! & 0o777, 0o700);
    }
  },
});

Deno.test({
  name: "sqlite() makes files that only their owner reads, and leaves others' modes alone",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    await using folder = await newFolder();
    const store = await sqlite(folder.file, fakePorts());
    await store.put("a", "1", 10);
    const modes: Record<string, number> = {};
    for (const { name } of Deno.readDirSync(folder.path)) {
      modes[name] = Deno.statSync(`${folder.path}/${name}`).mode! & 0o777;
    }
    deepEqual(modes, { "store.db": 0o600, "store.db-shm": 0o600, "store.db-wal": 0o600 });
    await store.close();
    Deno.chmodSync(folder.file, 0o640);
    await (await sqlite(folder.file, fakePorts())).close();
    equal(Deno.statSync(folder.file).mode! & 0o777, 0o640);
  },
});

Deno.test("sqlite() keeps a file even where SQLite would keep none", async () => {
  await using folder = await newFolder();
  for (const name of [":memory:", "file:a?mode=memory"]) {
    await inProcess('await store.put("a", "1", 10);', folder.path, name);
    equal(rowsOf(`${folder.path}/${name}`), 1);
  }
});

Deno.test("sqlite() purges expired rows, a bounded number at a time", async () => {
  await using folder = await newFolder();
  const ports = fakePorts();
  const store = await sqlite(folder.file, ports);
  const old = 3 * PURGE_WRITES;
  for (let nth = 0; nth < old; nth++) await store.put(`old ${nth}`, "1", 10);
  await store.put("live", "1", 11);
  ports.advance(10);
  for (let nth = 2; nth < PURGE_WRITES; nth++) await store.put("new", "1", 100);
  equal(rowsOf(folder.file), old + 2);
  await store.put("new", "1", 100);
  equal(rowsOf(folder.file), old + 2 - PURGE_ENTRIES);
  for (let nth = 0; nth < PURGE_WRITES; nth++) await store.put("new", "1", 100);
  equal(rowsOf(folder.file), 2);
  equal(await store.get("live"), "1");
  await store.close();
});

Deno.test("sqlite() refuses what is new when its file is full, and loses nothing", async () => {
  await using folder = await newFolder();
  const store = await sqlite(folder.file, fakePorts(), 256 * 1024);
  const value = "v".repeat(16 * 1024);
  let kept = 0;
  const fill = async () => {
    for (; kept < 20; kept++) await store.put(`key ${kept}`, value, 10);
  };
  await rejects(fill, /full/);
  ok(kept > 10, `${kept} values fit in`);
  for (let nth = 0; nth < kept; nth++) equal(await store.take(`key ${nth}`), value);
  await store.put("new", value, 10);
  await store.close();
});

const UNUSABLE: readonly (readonly [name: string, make: (file: string) => string, why: RegExp])[] =
  [
    [
      "in a folder that is a file",
      (file) => (Deno.writeTextFileSync(file, ""), `${file}/store.db`),
      /exists|not a directory/i,
    ],
    ["that is a folder", (file) => (Deno.mkdirSync(file), file), /unable to open|directory/i],
    [
      "that is something else",
      (file) => (Deno.writeTextFileSync(file, "# Notes\n".repeat(500)), file),
      /not a database/,
    ],
    [
      "of a later version",
      (file) => (setVersion(file, 2), file),
      /Cannot read format 2: .* up to 1$/,
    ],
  ];

function setVersion(file: string, version: number): void {
  const database = new DatabaseSync(file);
  database.exec(`PRAGMA user_version = ${version}`);
  database.close();
}

for (const [name, make, why] of UNUSABLE) {
  Deno.test(`sqlite() says why it cannot open a file ${name}`, async () => {
    await using folder = await newFolder();
    const file = make(folder.file);
    await rejects(sqlite(file, fakePorts()), (error: Error) => {
      ok(error.message.startsWith(`Cannot open the store ${file}: `), error.message);
      ok(why.test(error.message), error.message);
      return true;
    });
  });
}

Deno.test("sqlite() is not ready when its table is gone", async () => {
  await using folder = await newFolder();
  const store = await sqlite(folder.file, fakePorts());
  const database = new DatabaseSync(folder.file);
  database.exec("DROP TABLE entries");
  database.close();
  equal(await store.ready(), false);
  await store.close();
});

// What each of several processes does to one file, from before it exists. A ticket is put once and
// looked for by all, at the end by whoever put it at the latest.
const RACE = `
const won = { set: [], replaced: [], taken: [] };
const all = Array.from({ length: 200 }, (_, nth) => nth);
for (const nth of all) {
  if (await store.putIfAbsent("a " + nth, "old", 10)) won.set.push(nth);
  if (await store.replace("a " + nth, "old", "new", 10)) won.replaced.push(nth);
  if (await store.putIfAbsent("b " + nth, "1", 10)) await store.put("ticket " + nth, "1", 10);
  if (await store.take("ticket " + nth)) won.taken.push(nth);
}
for (const nth of all) if (await store.take("ticket " + nth)) won.taken.push(nth);
console.log(JSON.stringify(won));`;

Deno.test("sqlite() lets one of several processes win each time (SPEC B3.2, B3.3)", async () => {
  await using folder = await newFolder();
  const racers = Array.from({ length: 4 }, () => inProcess(RACE, folder.path, "store.db"));
  const won = (await Promise.all(racers)).map((text) => JSON.parse(text));
  const all = Array.from({ length: 200 }, (_, nth) => nth);
  for (const what of ["set", "replaced", "taken"]) {
    const winners = won.flatMap((racer) => racer[what]).sort((a, b) => a - b);
    deepEqual(winners, all, what);
  }
});

/** Runs `code` on a store in a process of its own. Yields what it prints. */
async function inProcess(code: string, cwd: string, path: string): Promise<string> {
  const module = JSON.stringify(import.meta.resolve("../../lib/store/sqlite.ts"));
  const script = `
    const { sqlite } = await import(${module});
    const store = await sqlite(Deno.args[0], { now: () => ${NOW} });
    ${code}
    await store.close();`;
  const args = ["eval", "--no-config", "--no-lock", script, path];
  const { stdout, stderr, success } = await new Deno.Command(Deno.execPath(), { args, cwd })
    .output();
  ok(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}
