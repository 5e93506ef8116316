import {
  Client,
  StreamableHTTPClientTransport,
  UnauthorizedError,
} from "@modelcontextprotocol/client";
import {
  deepStrictEqual as deepEqual,
  notStrictEqual as notEqual,
  rejects,
  strictEqual as equal,
} from "node:assert/strict";
import { CLIENTS, expectUnauthorized } from "./clients.ts";
import { HTTP_ENV, start, tokenFor } from "./program.ts";

for (const sessions of ["off", "on"] as const) {
  const launch = { env: { ...HTTP_ENV, MCP_SESSIONS: sessions } };

  for (const { name, modern, http } of CLIENTS) {
    Deno.test(`${name} lists and calls tools as two people at once when sessions are ${sessions} (SPEC C5.1)`, async () => {
      await using program = await start(launch);
      const subjects = ["alice", "bob"];
      const peers = await Promise.all(
        subjects.map(async (sub) => http(program.endpoint, await tokenFor(program.origin, sub))),
      );
      deepEqual(await Promise.all(peers.map((peer) => peer.list())), [["whoami"], ["whoami"]]);
      const answers = await Promise.all(peers.map((peer) => peer.whoami()));
      deepEqual(answers.map(({ subject }) => subject), subjects);
      const expected = sessions === "on" && !modern ? "string" : "undefined";
      for (const { session } of peers) equal(typeof session, expected);
      if (expected === "string") notEqual(peers[0]!.session, peers[1]!.session);
      await Promise.all(peers.map((peer) => peer.close()));
    });

    Deno.test(`${name} is refused without a token and with a bad one when sessions are ${sessions} (SPEC A1.1, C4.4)`, async () => {
      await using program = await start(launch);
      const expired = await tokenFor("http://localhost:1", "alice");
      for (const token of [undefined, "nonsense", expired]) {
        await expectUnauthorized(http(program.endpoint, token));
      }
    });
  }
}

Deno.test("SDK v2 reports UnauthorizedError when its own token source is refused", async () => {
  await using program = await start();
  for (const mode of ["legacy", { pin: "2026-07-28" }] as const) {
    const client = new Client({ name: "e2e", version: "1" }, { versionNegotiation: { mode } });
    const transport = new StreamableHTTPClientTransport(new URL(program.endpoint), {
      authProvider: { token: () => Promise.resolve("nonsense") },
    });
    await rejects(
      client.connect(transport),
      (error: unknown) => UnauthorizedError.isInstance(error),
    );
    await client.close();
  }
});
