import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { z } from "zod";
import { ToolError } from "../../lib/pack.ts";
import { ERAS } from "./helpers.ts";
import { ask, closing, document, inBase64, pack, PLAIN, RICH, serve, shelf } from "./shelf.ts";

for (const era of ERAS) {
  const readings: [query: string, args: Record<string, string>][] = [
    ["", { limit: "few" }],
    ["?", { limit: "few" }],
    ["?limit=many", { limit: "many" }],
    ["?topic=a%20b%26c&limit=many", { topic: "a b&c", limit: "many" }],
    ["?limit=few&topic=", { topic: "", limit: "few" }],
    ["?topic=%C3%A9%23", { topic: "é#", limit: "few" }],
    ["?topic=é", { topic: "é", limit: "few" }],
    ["?topic=a?b=c", { topic: "a?b=c", limit: "few" }],
    ["?%74opic=1", { topic: "1", limit: "few" }],
    ["?topic=%zz", { topic: "%zz", limit: "few" }],
  ];
  for (const [query, args] of readings) {
    Deno.test(`serverFactory() reads a resource of ${era} with the query "${query}" (SPEC C1.7)`, async () => {
      const { newServer, ran } = shelf();
      const uri = `${RICH}${query}`;
      const { status, answer } = await ask(newServer, era, "resources/read", { uri });
      const text = JSON.stringify({ args });
      equal(status, 200);
      deepEqual(answer.result.contents, [{ uri, mimeType: "application/json", text }]);
      deepEqual(ran, [[RICH, args]]);
    });
  }

  const unknown: [what: string, uri: string][] = [
    ["of nothing", "shelf://nothing"],
    ["that is empty", ""],
    ["of a file", "file:///etc/passwd"],
    ["of a prototype", "__proto__"],
    ["of another scheme", RICH.replace("shelf:", "file:")],
    ["with a trailing slash", `${RICH}/`],
    ["with a trailing slash before its query", `${RICH}/?limit=many`],
    ["in upper case", RICH.toUpperCase()],
    ["whose scheme is in upper case", RICH.replace("shelf", "SHELF")],
    ["with a fragment", `${RICH}#top`],
    ["with an empty fragment", `${RICH}#`],
    ["with a fragment after its query", `${RICH}?limit=many#top`],
    ["with a query in its fragment", `${RICH}#?limit=many`],
    ["with a letter in percent-encoding", RICH.replace("one", "on%65")],
    ["with its question mark in percent-encoding", `${RICH}%3Flimit=many`],
    ["with its slash in percent-encoding", RICH.replace("/one", "%2Fone")],
    ["with a slash too many", RICH.replace("/one", "//one")],
    ["with dots that lead back", RICH.replace("rich", "rich/../rich")],
    ["with a port", RICH.replace("rich", "rich:80")],
    ["with a user", RICH.replace("rich", "me@rich")],
    ["with white space before it", ` ${RICH}`],
    ["with white space after it", `${RICH} `],
    ["with a line break after it", `${RICH}\n`],
    ["with a null character after it", `${RICH}\0`],
    ["with a letter that looks alike", RICH.replace("o", "о")],
    ["with half a character", `${RICH}\ud800`],
    ["that is its template", `${RICH}{?topic,limit}`],
  ];
  for (const [what, uri] of unknown) {
    Deno.test(`serverFactory() knows no resource of ${era} by a URI ${what} (SPEC C1.7, C2.18, C4.9)`, async () => {
      const { newServer, ran } = shelf();
      // Half a character cannot be told in Base64, so that the header would contradict the body.
      if (!uri.isWellFormed() && era === "2026-07-28") return;
      const { status, answer } = await ask(newServer, era, "resources/read", { uri });
      equal(answer.error.code, -32602);
      deepEqual(answer.error.data, { uri });
      equal(answer.error.message, "Unknown resource");
      equal(answer.id, 1);
      ok(!("result" in answer));
      equal(status, 200);
      deepEqual(ran, []);
    });
  }

  const secret = "a-secret-value";
  const refused: [what: string, uri: string, told: RegExp][] = [
    ["an unknown parameter", `${RICH}?${secret}=1`, /: arguments have unknown names$/],
    ["a parameter in upper case", `${RICH}?LIMIT=many`, /: arguments have unknown names$/],
    ["a parameter with white space", `${RICH}?limit%20=many`, /: arguments have unknown names$/],
    ["two question marks", `${RICH}??limit=many`, /: arguments have unknown names$/],
    ["no name", `${RICH}?=many`, /: arguments have unknown names$/],
    ["a name alone", `${RICH}?many`, /: arguments have unknown names$/],
    ["parameters where there are none", `${PLAIN}?limit=many`, /: arguments have unknown names$/],
    ["the name of a method", `${RICH}?toString=1`, /: arguments have unknown names$/],
    ["the name of a constructor", `${RICH}?constructor=1`, /: arguments have unknown names$/],
    ["the name of a prototype", `${RICH}?__proto__=1`, /: arguments have unknown names$/],
    ["a prototype where there are none", `${PLAIN}?__proto__=1`, /: arguments have unknown names$/],
    ["a member of a prototype", `${RICH}?__proto__[limit]=many`, /: arguments have unknown names$/],
    ["a value of a list", `${RICH}?limit[]=many`, /: arguments have unknown names$/],
    ["a wrong value", `${RICH}?limit=${secret}`, /: argument "limit": /],
    ["an empty value", `${RICH}?limit=`, /: argument "limit": /],
    ["a value in other case", `${RICH}?limit=MANY`, /: argument "limit": /],
    ["a value that is too long", `${RICH}?topic=${secret.repeat(2)}`, /: argument "topic": /],
    ["a parameter twice", `${RICH}?limit=few&limit=many`, / each parameter once$/],
    ["a parameter twice alike", `${RICH}?limit=few&limit=few`, / each parameter once$/],
    ["a parameter twice in two spellings", `${RICH}?limit=few&%6cimit=many`, / parameter once$/],
    ["a prototype twice", `${RICH}?__proto__=1&__proto__=2`, / each parameter once$/],
    ["1,025 characters", `${RICH}?topic=`.padEnd(RICH.length + 1025, "x"), /at most 1024 char/],
  ];
  for (const [what, uri, told] of refused) {
    Deno.test(`serverFactory() tells the caller of ${era}, and reads nothing, when a query has ${what} (SPEC C1.7, C2.18)`, async () => {
      const { newServer, ran } = shelf();
      const { status, answer, lines } = await ask(newServer, era, "resources/read", { uri });
      deepEqual([status, answer.id, answer.error.code], [200, 1, -32602]);
      match(answer.error.message, /^Cannot call shelf:\/\/(?:plain|rich\/one): /);
      match(answer.error.message, told);
      // Only a resource that is not there is told by its URI alone.
      equal(answer.error.data, undefined);
      ok(!JSON.stringify(answer).includes(secret));
      ok(!lines.join("").includes(secret));
      deepEqual(ran, []);
    });
  }

  Deno.test(`serverFactory() takes a query of ${era} of 1,024 characters (SPEC C1.7)`, async () => {
    const ran: unknown[] = [];
    const query = z.strictObject({ topic: z.string().optional() });
    const read = (args: unknown) => ({ ran: ran.push(args) });
    const newServer = serve(pack({ resources: [document(RICH, { query, read })] }));
    const uri = `${RICH}?topic=`.padEnd(RICH.length + 1024, "x");
    const { answer } = await ask(newServer, era, "resources/read", { uri });
    equal(answer.result.contents[0].uri, uri);
    deepEqual(ran, [{ topic: "x".repeat(1017) }]);
  });

  for (const what of [PLAIN, RICH, `${RICH}?topic=`, "shelf://nothing"]) {
    Deno.test(`serverFactory() answers a URI of ${era} of a megabyte after ${what} (SPEC C1.7)`, async () => {
      const { newServer, ran } = shelf();
      const uri = `${what}${"x&".repeat(512 * 1024)}`;
      // No header is that long, so in 2026-07-28 there can only be none.
      const { status, answer, lines } = await ask(newServer, era, "resources/read", { uri }, {
        ...era === "2026-07-28" && { "mcp-name": what },
      });
      const modern = era === "2026-07-28";
      deepEqual([status, answer.error.code], modern ? [400, -32020] : [200, -32602]);
      ok(lines.join("").length < 2000, "the log stays short");
      deepEqual(ran, []);
    });
  }

  const malformed: [what: string, params: Record<string, unknown>][] = [
    ["no URI", {}],
    ["a number for a URI", { uri: 7 }],
    ["nothing for a URI", { uri: null }],
    ["a list for a URI", { uri: [PLAIN] }],
    ["an object for a URI", { uri: { href: PLAIN } }],
    ["a name for a URI", { name: PLAIN }],
  ];
  for (const [what, params] of malformed) {
    Deno.test(`serverFactory() refuses to read with ${what} in ${era} (SPEC C1.8)`, async () => {
      const { newServer, ran } = shelf();
      const { answer } = await ask(newServer, era, "resources/read", params);
      equal(answer.error.code, -32602);
      deepEqual(ran, []);
    });
  }

  Deno.test(`serverFactory() tells the caller of ${era} what a resource says to them (SPEC C1.8)`, async () => {
    const read = () => Promise.reject(new ToolError("Name a topic that exists", "no such topic"));
    const newServer = serve(pack({ resources: [document(PLAIN, { read })] }));
    const { status, answer, lines } = await ask(newServer, era, "resources/read", { uri: PLAIN });
    deepEqual([status, answer.id], [200, 1]);
    deepEqual(answer.error, { code: -32603, message: "Name a topic that exists" });
    const { resource, outcome, reason } = closing(lines);
    deepEqual([resource, outcome, reason], [PLAIN, "refused", "no such topic"]);
  });

  const circular: Record<string, unknown> = {};
  circular.self = circular;
  const failures: [what: string, rest: Parameters<typeof document>[1]][] = [
    ["rejects", { read: () => Promise.reject(new Error("hunter2")) }],
    ["throws an error", {
      read: () => {
        throw new Error("hunter2");
      },
    }],
    ["throws nothing", {
      read: () => {
        throw undefined;
      },
    }],
    ["throws an error with a code and data", {
      read: () => {
        throw Object.assign(new Error("hunter2"), { code: -32602, data: "hunter2" });
      },
    }],
    ["yields what is no JSON", { read: () => ({ hunter2: 1n }) }],
    ["yields a circle", { read: () => circular }],
    ["yields what throws when it is shown", {
      read: () => ({
        toJSON() {
          throw new Error("hunter2");
        },
      }),
    }],
    ["has a schema that throws", {
      query: z.strictObject({
        topic: z.string().optional().transform((topic) => {
          if (topic) throw new Error(`hunter2 ${topic}`);
          return topic;
        }),
      }),
    }],
  ];
  for (const [what, rest] of failures) {
    Deno.test(`serverFactory() tells no more of ${era} than that a resource failed when it ${what} (SPEC C1.8, C2.17)`, async () => {
      const newServer = serve(pack({ resources: [document(RICH, rest)] }));
      const uri = rest?.query ? `${RICH}?topic=1` : RICH;
      const { status, answer, lines } = await ask(newServer, era, "resources/read", { uri });
      const told = /^shelf:\/\/rich\/one failed; the server's log tells why under request (\S+)$/;
      equal(status, 200);
      deepEqual(Object.keys(answer.error), ["code", "message"]);
      equal(answer.error.code, -32603);
      const [, id] = told.exec(answer.error.message)!;
      ok(!JSON.stringify(answer).includes("hunter2"));
      const logged = lines.map((line) => JSON.parse(line)).find(({ level }) => level === "error");
      deepEqual([logged.event, logged.id, logged.resource], ["resource failed", id, RICH]);
      const { resource, outcome } = closing(lines);
      deepEqual([resource, outcome], [RICH, "failed"]);
    });
  }

  const outcomes: [outcome: string, query: string][] = [
    ["ok", "?topic=a-secret-value"],
    ["bad arguments", "?limit=a-secret-value"],
  ];
  for (const [outcome, query] of outcomes) {
    Deno.test(`serverFactory() logs which resource of ${era} was read with the outcome "${outcome}", and never the query (SPEC A4.9)`, async () => {
      const uri = `${RICH}${query}`;
      const { lines } = await ask(shelf().newServer, era, "resources/read", { uri });
      const line = closing(lines);
      deepEqual([line.rpc, line.resource, line.outcome], ["resources/read", RICH, outcome]);
      deepEqual([line.tool, line.prompt], [undefined, undefined]);
      ok(!lines.join("").includes("a-secret-value"));
    });
  }
}

const HEADERS: [what: string, name: string | undefined][] = [
  ["names another resource", PLAIN],
  ["lacks the query", RICH],
  ["has the parameters in another order", `${RICH}?limit=many&topic=a-secret-value`],
  ["is in upper case", `${RICH}?topic=a-secret-value&limit=many`.toUpperCase()],
  ["is empty", ""],
  ["names another resource in Base64", inBase64(PLAIN)],
  ["is no Base64", "=?base64?!!!!?="],
];
for (const [what, name] of HEADERS) {
  Deno.test(`mcp() answers 400 HeaderMismatch when Mcp-Name of a reading ${what} (SPEC C2.3, C2.4)`, async () => {
    const { newServer, ran } = shelf();
    const uri = `${RICH}?topic=a-secret-value&limit=many`;
    const headers = { "mcp-name": name! };
    const { status, answer, lines } = await ask(
      newServer,
      "2026-07-28",
      "resources/read",
      { uri },
      headers,
    );
    deepEqual([status, answer.id, answer.error.code], [400, 1, -32020]);
    deepEqual(ran, []);
    ok(!lines.join("").includes("a-secret-value"));
  });
}

Deno.test("mcp() answers 400 HeaderMismatch when Mcp-Name of a reading is a name beside the URI (SPEC C2.3, C2.4)", async () => {
  const { newServer, ran } = shelf();
  const params = { uri: RICH, name: "other" };
  const headers = { "mcp-name": "other" };
  const { status, answer } = await ask(newServer, "2026-07-28", "resources/read", params, headers);
  deepEqual([status, answer.error.code], [400, -32020]);
  deepEqual(ran, []);
});

Deno.test("mcp() reads a resource whose Mcp-Name is in Base64 (SPEC C2.4)", async () => {
  const { newServer, ran } = shelf();
  const uri = `${RICH}?limit=many`;
  const headers = { "mcp-name": inBase64(uri) };
  const { answer } = await ask(newServer, "2026-07-28", "resources/read", { uri }, headers);
  equal(answer.result.contents[0].uri, uri);
  deepEqual(ran, [[RICH, { limit: "many" }]]);
});
