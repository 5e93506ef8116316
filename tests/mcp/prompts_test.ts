import {
  deepStrictEqual as deepEqual,
  match,
  ok,
  strictEqual as equal,
  throws,
} from "node:assert/strict";
import { z } from "zod";
import { ToolError } from "../../lib/pack.ts";
import { ERAS, type Message } from "./helpers.ts";
import { ask, closing, document, inBase64, letter, pack, PLAIN, serve, shelf } from "./shelf.ts";

for (const era of ERAS) {
  for (const method of ["prompts/list", "prompts/get"]) {
    Deno.test(`serverFactory() does not know ${method} of ${era} without prompts (SPEC C2.9)`, async () => {
      const newServer = serve(pack({ resources: [document(PLAIN)] }));
      const { status, answer } = await ask(newServer, era, method, { name: "write" });
      deepEqual([status, answer.error.code], [era === "2026-07-28" ? 404 : 200, -32601]);
    });
  }

  Deno.test(`serverFactory() lists prompts of all packs in order, in ${era} (SPEC C2.18)`, async () => {
    const described = { title: "B", description: "The second." };
    const one = pack({ prompts: [letter("c"), letter("b", described)] });
    const newServer = serve(one, pack(), pack({ prompts: [letter("a")] }));
    const { result } = (await ask(newServer, era, "prompts/list")).answer;
    const plain = { title: "A letter", description: "One.", arguments: [] };
    deepEqual(result.prompts, [
      { name: "c", ...plain },
      { name: "b", ...plain, ...described },
      { name: "a", ...plain },
    ]);
    equal(result.nextCursor, undefined);
  });

  Deno.test(`serverFactory() tells which arguments a prompt of ${era} needs, and what each is (SPEC C1.7)`, async () => {
    const input = z.strictObject({
      needed: z.string().describe("Needed."),
      outside: z.string().optional().describe("Described outside."),
      inside: z.string().describe("Described inside.").optional(),
      preset: z.enum(["a", "b"]).describe("Preset.").default("a"),
      plain: z.string(),
    });
    const newServer = serve(pack({ prompts: [letter("write", { input })] }));
    const { result } = (await ask(newServer, era, "prompts/list")).answer;
    deepEqual(result.prompts[0].arguments, [
      { name: "needed", description: "Needed.", required: true },
      { name: "outside", description: "Described outside.", required: false },
      { name: "inside", description: "Described inside.", required: false },
      { name: "preset", description: "Preset.", required: false },
      { name: "plain", required: true },
    ]);
  });

  const gotten: [args: Record<string, string>, written: Record<string, string>][] = [
    [{ topic: "a" }, { topic: "a", tone: "kind" }],
    [{ topic: "", tone: "stern", to: "you" }, { topic: "", tone: "stern", to: "you" }],
  ];
  for (const [args, written] of gotten) {
    Deno.test(`serverFactory() writes a prompt of ${era} in the words of the user when its arguments are ${Object.keys(args)} (SPEC C1.7)`, async () => {
      const { newServer, ran } = shelf();
      const params = { name: "write", arguments: args };
      const { status, answer, lines } = await ask(newServer, era, "prompts/get", params);
      const text = JSON.stringify({ args: written });
      equal(status, 200);
      equal(answer.result.description, "One.");
      deepEqual(answer.result.messages, [{ role: "user", content: { type: "text", text } }]);
      deepEqual(ran, [["write", written]]);
      const { rpc, prompt, outcome } = closing(lines);
      deepEqual([rpc, prompt, outcome], ["prompts/get", "write", "ok"]);
    });
  }

  Deno.test(`serverFactory() writes a prompt of ${era} that takes no arguments when none are sent (SPEC C1.7)`, async () => {
    const newServer = serve(pack({ prompts: [letter("write")] }));
    for (const params of [{ name: "write" }, { name: "write", arguments: {} }]) {
      const { answer } = await ask(newServer, era, "prompts/get", params);
      equal(answer.result.messages[0].content.text, "hello");
    }
  });

  const secret = "a-secret-value";
  const refused: [what: string, args: unknown, told: RegExp][] = [
    ["lacks all arguments", undefined, /: argument "topic": /],
    ["lacks an argument", { tone: "kind" }, /: argument "topic": /],
    ["has an unknown argument", { topic: "a", [secret]: "1" }, /: arguments have unknown names$/],
    ["has an argument in upper case", { topic: "a", TONE: "kind" }, / have unknown names$/],
    ["has a wrong value", { topic: "a", tone: secret }, /: argument "tone": /],
    ["has a value that is too long", { topic: secret.repeat(2) }, /: argument "topic": /],
    ["has a number", { topic: 7 }, /: argument "topic": /],
    ["has a list", { topic: [secret] }, /: argument "topic": /],
    ["has nothing", { topic: null }, /: argument "topic": /],
    ["has a member of a prototype", { topic: "a", constructor: "1" }, / have unknown names$/],
  ];
  for (const [what, args, told] of refused) {
    Deno.test(`serverFactory() tells the caller, and writes nothing, when getting a prompt of ${era} ${what} (SPEC C1.7, C1.8)`, async () => {
      const { newServer, ran } = shelf();
      const params = { name: "write", ...args !== undefined && { arguments: args } };
      const { status, answer, lines } = await ask(newServer, era, "prompts/get", params);
      deepEqual([status, answer.id, answer.error.code], [200, 1, -32602]);
      match(answer.error.message, /^Cannot call write: /);
      match(answer.error.message, told);
      ok(!JSON.stringify(answer).includes(secret));
      ok(!lines.join("").includes(secret));
      deepEqual(ran, []);
      const { prompt, outcome, tool, resource } = closing(lines);
      deepEqual([prompt, outcome, tool, resource], [
        "write",
        "bad arguments",
        undefined,
        undefined,
      ]);
    });
  }

  Deno.test(`serverFactory() gives a prompt of ${era} nothing of a prototype among the arguments (SPEC C1.7)`, async () => {
    const { newServer, ran } = shelf();
    const args = JSON.parse('{"topic":"a","__proto__":{"to":"a-secret-value"}}');
    await ask(newServer, era, "prompts/get", { name: "write", arguments: args });
    const seen = ran.map(([, one]) => (one as Message).to);
    deepEqual(seen.filter((to) => to !== undefined), []);
  });

  for (const args of ["topic", 7, ["topic"], null]) {
    Deno.test(`serverFactory() refuses ${JSON.stringify(args)} as the arguments of a prompt of ${era} (SPEC C1.8)`, async () => {
      const { newServer, ran } = shelf();
      const params = { name: "write", arguments: args };
      const { answer } = await ask(newServer, era, "prompts/get", params);
      equal(answer.error.code, -32602);
      deepEqual(ran, []);
    });
  }

  for (
    const name of ["nobody", "", "WRITE", "write ", "__proto__", "toString", 7, null, undefined]
  ) {
    Deno.test(`serverFactory() knows no prompt of ${era} by the name ${JSON.stringify(name)} (SPEC C1.8)`, async () => {
      const { newServer, ran } = shelf();
      const params = { name, arguments: { topic: "a" } };
      // A header has no white space around its value.
      const headers = { ...name === "write " && { "mcp-name": inBase64(name) } };
      const { status, answer } = await ask(newServer, era, "prompts/get", params, headers);
      deepEqual([status, answer.id, answer.error.code], [200, 1, -32602]);
      deepEqual(ran, []);
    });
  }

  Deno.test(`serverFactory() tells the caller of ${era} what a prompt says to them (SPEC C1.8)`, async () => {
    const write = () => Promise.reject(new ToolError("Name a topic that exists", "no such topic"));
    const newServer = serve(pack({ prompts: [letter("write", { write })] }));
    const { answer, lines } = await ask(newServer, era, "prompts/get", { name: "write" });
    deepEqual(answer.error, { code: -32603, message: "Name a topic that exists" });
    const { prompt, outcome, reason } = closing(lines);
    deepEqual([prompt, outcome, reason], ["write", "refused", "no such topic"]);
  });

  const failures: [what: string, write: () => unknown][] = [
    ["rejects", () => Promise.reject(new Error("hunter2"))],
    ["throws", () => {
      throw new Error("hunter2");
    }],
    ["throws a text", () => {
      throw "hunter2";
    }],
  ];
  for (const [what, write] of failures) {
    Deno.test(`serverFactory() tells no more of ${era} than that a prompt failed when it ${what} (SPEC C1.8, C2.17)`, async () => {
      const newServer = serve(pack({ prompts: [letter("write", { write })] }));
      const { answer, lines } = await ask(newServer, era, "prompts/get", { name: "write" });
      equal(answer.error.code, -32603);
      const told = /^write failed; the server's log tells why under request (\S+)$/;
      const [, id] = told.exec(answer.error.message)!;
      ok(!JSON.stringify(answer).includes("hunter2"));
      const logged = lines.map((line) => JSON.parse(line)).find(({ level }) => level === "error");
      deepEqual([logged.event, logged.id, logged.prompt], ["prompt failed", id, "write"]);
    });
  }
}

for (const name of ["other", "WRITE", "", "write, write", inBase64("other"), "=?base64?!!!!?="]) {
  Deno.test(`mcp() answers 400 HeaderMismatch when Mcp-Name of a prompt is "${name}" (SPEC C2.3, C2.4)`, async () => {
    const { newServer, ran } = shelf();
    const params = { name: "write", arguments: { topic: "a-secret-value" } };
    const headers = { "mcp-name": name };
    const asked = await ask(newServer, "2026-07-28", "prompts/get", params, headers);
    deepEqual([asked.status, asked.answer.id, asked.answer.error.code], [400, 1, -32020]);
    deepEqual(ran, []);
    ok(!asked.lines.join("").includes("a-secret-value"));
  });
}

Deno.test("serverFactory() refuses two prompts of one name, in one pack or in two (SPEC C1.7)", () => {
  const expected = { name: "TypeError", message: 'Cannot have two prompts named "a"' };
  throws(() => serve(pack({ prompts: [letter("a"), letter("a")] })), expected);
  throws(() => serve(pack({ prompts: [letter("a")] }), pack({ prompts: [letter("a")] })), expected);
  serve(pack({ prompts: [letter("a"), letter("A")] }));
});

for (const name of ["", "a b", "a/b", "ä", "a\n", "*", "x".repeat(129)]) {
  Deno.test(`serverFactory() refuses ${name.length} characters ${JSON.stringify(name.slice(0, 20))} as a prompt's name (SPEC C1.7)`, () => {
    const expected = { name: "TypeError", message: `Cannot name a prompt "${name}"` };
    throws(() => serve(pack({ prompts: [letter(name)] })), expected);
  });
}
