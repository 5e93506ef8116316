import { deepStrictEqual as deepEqual, strictEqual as equal, throws } from "node:assert/strict";
import { z } from "zod";
import { ERAS } from "./helpers.ts";
import { ask, document, letter, pack, PLAIN, serve, shelf } from "./shelf.ts";

const HANDSHAKE = {
  protocolVersion: "2025-11-25",
  capabilities: {},
  clientInfo: { name: "test", version: "0" },
};

/** What a server says that it can do, in each era. */
async function capabilitiesOf(newServer: Parameters<typeof ask>[0]) {
  const modern = await ask(newServer, "2026-07-28", "server/discover");
  const legacy = await ask(newServer, "2025-11-25", "initialize", HANDSHAKE);
  const said = [modern, legacy].map(({ answer }) => answer.result.capabilities);
  deepEqual(said[0], said[1]);
  return said[0];
}

Deno.test("serverFactory() says that there are resources and prompts only when there are (SPEC C2.18)", async () => {
  const resources = [document(PLAIN)];
  const prompts = [letter("write")];
  deepEqual(await capabilitiesOf(serve(pack())), { tools: {} });
  deepEqual(await capabilitiesOf(serve(pack({ resources: [], prompts: [] }))), { tools: {} });
  deepEqual(await capabilitiesOf(serve(pack({ resources }))), { tools: {}, resources: {} });
  deepEqual(await capabilitiesOf(serve(pack({ prompts }))), { tools: {}, prompts: {} });
  const both = serve(pack({ resources }), pack({ prompts }));
  deepEqual(await capabilitiesOf(both), { tools: {}, resources: {}, prompts: {} });
});

const METHODS: [method: string, params: Record<string, unknown>][] = [
  ["resources/list", {}],
  ["resources/templates/list", {}],
  ["resources/read", { uri: PLAIN }],
  ["resources/subscribe", { uri: PLAIN }],
  ["resources/unsubscribe", { uri: PLAIN }],
  ["completion/complete", { ref: { type: "ref/resource", uri: PLAIN }, argument: {} }],
];
for (const era of ERAS) {
  for (const [method, params] of METHODS) {
    Deno.test(`serverFactory() does not know ${method} of ${era} without resources (SPEC C2.9)`, async () => {
      const newServer = serve(pack({ prompts: [letter("write")] }));
      const { status, answer } = await ask(newServer, era, method, params);
      deepEqual([status, answer.error.code], [era === "2026-07-28" ? 404 : 200, -32601]);
    });
  }

  for (const method of ["resources/subscribe", "completion/complete"]) {
    Deno.test(`serverFactory() does not know ${method} of ${era} with resources either (SPEC C2.9)`, async () => {
      const { answer } = await ask(shelf().newServer, era, method, { uri: PLAIN });
      equal(answer.error.code, -32601);
    });
  }

  Deno.test(`serverFactory() lists resources of all packs in order, in ${era} (SPEC C2.18)`, async () => {
    const described = { name: "b", title: "B", description: "The second." };
    const one = pack({ resources: [document("shelf://c"), document("shelf://b", described)] });
    const newServer = serve(one, pack(), pack({ resources: [document("shelf://a")] }));
    const { result } = (await ask(newServer, era, "resources/list")).answer;
    const mimeType = "application/json";
    const plain = { name: "a-document", title: "A document", description: "One.", mimeType };
    deepEqual(result.resources, [
      { uri: "shelf://c", ...plain },
      { uri: "shelf://b", ...described, mimeType },
      { uri: "shelf://a", ...plain },
    ]);
    equal(result.nextCursor, undefined);
  });

  Deno.test(`serverFactory() lists templates only of resources that have parameters, in ${era} (SPEC C2.18)`, async () => {
    const query = z.strictObject({ a: z.string().optional(), b_2: z.string().default("x") });
    const resources = [
      document("shelf://none"),
      document("shelf://empty", { query: z.strictObject({}) }),
      document("shelf://two", { query }),
    ];
    const newServer = serve(pack({ resources }));
    const { result } = (await ask(newServer, era, "resources/templates/list")).answer;
    deepEqual(result.resourceTemplates, [{
      uriTemplate: "shelf://two{?a,b_2}",
      name: "a-document",
      title: "A document",
      description: "One.",
      mimeType: "application/json",
    }]);
  });

  for (const method of ["resources/list", "resources/templates/list", "prompts/list"]) {
    for (const cursor of ["", "2", "null", 1, null]) {
      Deno.test(`serverFactory() refuses ${method} of ${era} with the cursor ${JSON.stringify(cursor)} (SPEC C2.18)`, async () => {
        const { answer } = await ask(shelf().newServer, era, method, { cursor });
        equal(answer.error.code, -32602);
      });
    }
  }

  const hints: [method: string, ttlMs: number, params?: Record<string, unknown>][] = [
    ["resources/list", 60_000],
    ["resources/templates/list", 60_000],
    ["prompts/list", 60_000],
    ["resources/read", 0, { uri: PLAIN }],
  ];
  for (const [method, ttlMs, params] of hints) {
    Deno.test(`serverFactory() says how long what ${method} of ${era} answers may be kept, where clients know of it (SPEC C3.1, C3.2, C5.2)`, async () => {
      const { result } = (await ask(shelf().newServer, era, method, params)).answer;
      const expected = era === "2026-07-28" ? [ttlMs, "private"] : [undefined, undefined];
      deepEqual([result.ttlMs, result.cacheScope], expected);
    });
  }
}

Deno.test("serverFactory() refuses two resources of one URI, in one pack or in two (SPEC C1.7)", () => {
  const [one, other] = [document(PLAIN), document(PLAIN, { name: "another" })];
  const expected = { name: "TypeError", message: `Cannot have two resources named "${PLAIN}"` };
  throws(() => serve(pack({ resources: [one, other] })), expected);
  throws(() => serve(pack({ resources: [one] }), pack({ resources: [other] })), expected);
  serve(pack({ resources: [one, document(`${PLAIN}/`)] }));
});

const URIS: [uri: string, fine: boolean][] = [
  ["kafka-mcp://overview", true],
  ["a+b.c-1://x/y_z/1.2", true],
  [`a://${"x".repeat(124)}`, true],
  [`a://${"x".repeat(125)}`, false],
  ["", false],
  ["overview", false],
  ["a://", false],
  ["A://x", false],
  ["1a://x", false],
  ["mailto:me", false],
  ["a://x?b=c", false],
  ["a://x#b", false],
  ["a://x{?b}", false],
  ["a://x%20y", false],
  ["a://x y", false],
  ["a://x\n", false],
  ["a://é", false],
  ["a://*", false],
];
for (const [uri, fine] of URIS) {
  const shown = JSON.stringify(uri.slice(0, 20));
  Deno.test(`serverFactory() ${fine ? "takes" : "refuses"} ${uri.length} characters ${shown} as a URI of a resource (SPEC C1.7)`, () => {
    const start = () => serve(pack({ resources: [document(uri)] }));
    if (fine) start();
    else throws(start, { name: "TypeError", message: `Cannot serve a resource at "${uri}"` });
  });
}

const QUERIES: [what: string, query: z.ZodObject][] = [
  ["a name that no template can have", z.strictObject({ "a-b": z.string().optional() })],
  ["a name that ends a template", z.strictObject({ "a}": z.string().optional() })],
  ["an empty name", z.strictObject({ "": z.string().optional() })],
  ["a parameter that has to be given", z.strictObject({ a: z.string() })],
];
for (const [what, query] of QUERIES) {
  Deno.test(`serverFactory() refuses a resource whose query has ${what} (SPEC C1.7)`, () => {
    const message = `Cannot serve the parameters of "${PLAIN}"`;
    const start = () => serve(pack({ resources: [document(PLAIN, { query })] }));
    throws(start, { name: "TypeError", message });
  });
}
