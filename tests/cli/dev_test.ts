import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { bearerHeader, modernCall } from "../fakes.ts";
import { type Program, start } from "../e2e/program.ts";

/** `gatehouse dev` as a process of its own, with its stand-in for Grafana. */
async function dev(env: Record<string, string> = {}) {
  const program = await start({ args: ["dev"], env });
  await program.until("stdout", /Press Ctrl\+C to stop\.\n/);
  const printed = program.stdout();
  const tokenOf = (subject: string) => {
    const [, token] = new RegExp(`^ +${subject} \\(\\w+\\) +(\\S+)$`, "m").exec(printed) ?? [];
    ok(token, `${subject} has no token`);
    return token;
  };
  const [, standIn] = /stand-in for Grafana runs at (http:\S+):/.exec(printed) ?? [];
  ok(standIn, "the stand-in is not told");
  return { program, tokenOf, standIn };
}

// deno-lint-ignore no-explicit-any
async function call(program: Program, token: string, name: string, args: object): Promise<any> {
  const request = modernCall("tools/call", { name, arguments: args }, bearerHeader(token));
  const response = await fetch(program.endpoint, request);
  equal(response.status, 200);
  return (await response.json()).result;
}

const RENAME = {
  uid: "welcome",
  operations: [{ op: "replace", path: "$.title", value: "Renamed" }],
};

for (const mode of ["proxy", "native"]) {
  Deno.test(`main.ts dev lets alice and bob write at the stand-in, and carol only read, in ${mode} mode (SPEC A5.3)`, async () => {
    const { program, tokenOf } = await dev({ OAUTH_MODE: mode });
    await using _ = program;
    for (const [at, name] of ["alice", "bob"].entries()) {
      const { structuredContent, isError } = await call(
        program,
        tokenOf(name),
        "update_dashboard",
        RENAME,
      );
      equal(isError, undefined);
      deepEqual([structuredContent.uid, structuredContent.version], ["welcome", 2 + at]);
    }
    const refused = await call(program, tokenOf("carol"), "update_dashboard", RENAME);
    equal(refused.isError, true);
    // In the words of the stand-in: nothing here decided it.
    equal(
      refused.content[0].text,
      "Grafana does not let you do this. Grafana says: You'll need additional permissions to perform this action. Permissions needed: dashboards:write",
    );
    const read = await call(program, tokenOf("carol"), "get_dashboard_summary", { uid: "welcome" });
    deepEqual([read.structuredContent.title, read.structuredContent.version], ["Renamed", 3]);
  });
}

Deno.test("main.ts dev acts as each caller, and as nobody else, at once", async () => {
  const { program, tokenOf } = await dev();
  await using _ = program;
  const people = [["alice", "Admin"], ["bob", "Editor"], ["carol", "Viewer"]] as const;
  const calls = Array.from({ length: 30 }, (_, at) => people[at % people.length]!);
  const results = await Promise.all(
    calls.map(([name]) => call(program, tokenOf(name), "get_current_user", {})),
  );
  deepEqual(
    results.map(({ structuredContent: { login, role } }) => [login, role]),
    calls.map(([name, role]) => [`${name}@example.com`, role]),
  );
});

Deno.test("main.ts dev acts at the stand-in when its public URL is not where it listens", async () => {
  const { program, tokenOf } = await dev({ OAUTH_SERVER_URL: "http://localhost:1" });
  await using _ = program;
  const { structuredContent } = await call(program, tokenOf("alice"), "get_current_user", {});
  equal(structuredContent.role, "Admin");
});

Deno.test("main.ts dev has a stand-in that takes no token that is for the server, since it is not for it (SPEC A5.1)", async () => {
  const { program, tokenOf, standIn } = await dev();
  await using _ = program;
  for (const headers of [bearerHeader(tokenOf("alice")), {}]) {
    const response = await fetch(`${standIn}/api/user`, { headers });
    equal(response.status, 401);
    await response.body?.cancel();
  }
});

Deno.test("main.ts dev prints who may write at the stand-in, and logs no token of anybody", async () => {
  const { program, tokenOf } = await dev({ LOG_LEVEL: "debug" });
  await using _ = program;
  await call(program, tokenOf("alice"), "search_dashboards", { query: "private-words" });
  await call(program, tokenOf("carol"), "update_dashboard", RENAME);
  match(program.stdout(), /alice and bob\nmay write there, carol may not\./);
  const { code, stderr } = await program.stop();
  equal(code, 0);
  match(stderr, /"reason":"grafana 403"/);
  ok(!stderr.includes("private-words"));
  for (const name of ["alice", "carol"]) {
    for (const part of tokenOf(name).split(".")) ok(!stderr.includes(part));
  }
  ok(!/eyJ[\w-]+\.[\w-]+\.[\w-]+/.test(stderr), "nor one made for the stand-in");
});
