import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import fc from "fast-check";
import {
  isLoopbackRedirect,
  judgeRedirect,
  matchesRedirect,
  MAX_REDIRECT_LENGTH,
  redirectHost,
  redirectPolicy,
} from "../../lib/proxy/redirect.ts";
import vectors from "../vectors/redirects.json" with { type: "json" };

const OWN = "https://gate.example/oauth/callback";
const CURSOR = "cursor://anysphere.cursor-mcp/oauth/callback";
const APP = "com.example.app:/oauth";
const LOCAL = "http://127.0.0.1:33418/";
const CHATGPT = "https://chatgpt.com/connector_platform_oauth_redirect";
const VSCODE = "https://vscode.dev/redirect";
const BASE = redirectPolicy([CURSOR, APP], OWN);
const NOT_ALLOWED = "is not one that the operator allows";
const RUNS = { seed: 1, numRuns: 1000 };

for (const { name, uri } of vectors.accepted) {
  Deno.test(`judgeRedirect() accepts ${name} (SPEC B2.2)`, () => {
    equal(judgeRedirect(uri, BASE), undefined);
  });
}

for (const [why, uris] of Object.entries(vectors.refused)) {
  Deno.test(`judgeRedirect() refuses what ${why} (SPEC B2.2, B2.3)`, () => {
    for (const uri of uris) equal(judgeRedirect(uri, BASE), why, JSON.stringify(uri.slice(0, 60)));
  });
}

Deno.test("the shortest and the longest rows of the vectors stand at the limit (SPEC B2.2)", () => {
  equal(Math.max(...vectors.accepted.map(({ uri }) => uri.length)), MAX_REDIRECT_LENGTH);
  const tooLong = vectors.refused[`is longer than ${MAX_REDIRECT_LENGTH} characters`];
  deepEqual(tooLong.map((uri) => uri.length), [MAX_REDIRECT_LENGTH + 1]);
});

type Row = [name: string, listed: string[], accepted: string[], refused: string[]];
const POLICIES: Row[] = [
  ["nothing opens https and loopback", [], [CHATGPT, VSCODE, LOCAL], [CURSOR, APP]],
  ["the own callback opens what nothing does", [OWN], [CHATGPT, LOCAL], [CURSOR]],
  ["loopback opens what nothing does", [LOCAL], [CHATGPT, "http://localhost/x"], [CURSOR]],
  ["loopback leaves https open, however spelled", ["http://localhost:80/x"], [CHATGPT], [APP]],
  ["a scheme leaves https open", [CURSOR], [CURSOR, CHATGPT, LOCAL], [APP]],
  ["https closes the rest of https", [CHATGPT], [CHATGPT, LOCAL], [VSCODE, CURSOR]],
  ["https is exact", [CHATGPT], [], [`${CHATGPT}/`, `${CHATGPT}?x`, "https://chatgpt.com"]],
  ["the own callback adds nothing", [OWN, CHATGPT, CURSOR], [CHATGPT, CURSOR, LOCAL], [VSCODE]],
  ["a pattern closes https", ["https://*.example/*"], [LOCAL], [CHATGPT]],
  ["https in capitals closes https", ["HTTPS://chatgpt.com/x"], [LOCAL], [VSCODE]],
  ["a bare host closes https", ["chatgpt.com"], [LOCAL], [CHATGPT]],
  ["http elsewhere closes https", ["http://chatgpt.com/"], [LOCAL], [CHATGPT]],
];
for (const [name, listed, accepted, refused] of POLICIES) {
  Deno.test(`redirectPolicy() where listing ${name} (SPEC B2.2)`, () => {
    const policy = redirectPolicy(listed, OWN);
    for (const uri of accepted) equal(judgeRedirect(uri, policy), undefined, uri);
    for (const uri of refused) equal(judgeRedirect(uri, policy), NOT_ALLOWED, uri);
  });
}

Deno.test("judgeRedirect() refuses at any list what has a fault (SPEC B2.2, B2.3)", () => {
  const uris = Object.entries(vectors.refused)
    .filter(([why]) => why !== NOT_ALLOWED && why !== "is this server's own callback");
  for (const [why, group] of uris) {
    for (const uri of group) equal(judgeRedirect(uri, redirectPolicy([uri], OWN)), why);
  }
});

Deno.test("judgeRedirect() refuses the own callback, listed or not, on loopback too (SPEC B2.3)", () => {
  for (const own of [OWN, "http://localhost:8080/oauth/callback"]) {
    for (const listed of [[], [own], [own, CHATGPT]]) {
      equal(judgeRedirect(own, redirectPolicy(listed, own)), "is this server's own callback");
    }
  }
  const other = "http://localhost:6274/oauth/callback";
  const policy = redirectPolicy([], "http://localhost:8080/oauth/callback");
  equal(judgeRedirect(other, policy), undefined);
});

const REGISTERED = ["http://127.0.0.1/cb?a=1", "http://localhost:7000", VSCODE, CURSOR];
const MATCHES: [presented: string, matches: boolean][] = [
  ["http://127.0.0.1/cb?a=1", true],
  ["http://127.0.0.1:1/cb?a=1", true],
  ["http://127.0.0.1:65535/cb?a=1", true],
  ["http://localhost:7000", true],
  ["http://localhost", true],
  ["http://localhost:7001", true],
  [VSCODE, true],
  [CURSOR, true],
  ["http://127.0.0.1:65536/cb?a=1", false],
  ["http://127.0.0.1:/cb?a=1", false],
  ["http://127.0.0.1:1:2/cb?a=1", false],
  ["http://127.0.0.1:-1/cb?a=1", false],
  ["http://127.0.0.1:1@evil.example/cb?a=1", false],
  ["http://127.0.0.1:1/cb", false],
  ["http://127.0.0.1:1/cb?a=1&b", false],
  ["http://127.0.0.1:1/cb?a=%31", false],
  ["http://127.0.0.1:1/cb?a=1#", false],
  ["http://127.0.0.1:1/cb?a=1\n", false],
  ["http://127.0.0.1:1/CB?a=1", false],
  ["http://127.0.0.1:1/x/../cb?a=1", false],
  ["http://localhost:1/cb?a=1", false],
  ["http://[::1]:1/cb?a=1", false],
  ["https://127.0.0.1:1/cb?a=1", false],
  ["HTTP://127.0.0.1:1/cb?a=1", false],
  ["http://localhost:7001/", false],
  ["http://LOCALHOST:7001", false],
  ["https://vscode.dev:444/redirect", false],
  ["https://vscode.dev:443/redirect", false],
  ["https://vscode.dev/redirect/", false],
  ["cursor://anysphere.cursor-mcp:1/oauth/callback", false],
  ["", false],
];
for (const [presented, matches] of MATCHES) {
  const verb = matches ? "takes" : "does not take";
  Deno.test(`matchesRedirect() ${verb} ${JSON.stringify(presented)} (SPEC B2.2, B5.5)`, () => {
    equal(matchesRedirect(REGISTERED, presented), matches);
  });
}

const HOSTS: [uri: string, host: string, loopback: boolean][] = [
  ["http://localhost:6274/oauth/callback", "localhost", true],
  ["http://127.0.0.1", "127.0.0.1", true],
  ["http://[::1]:1/cb", "[::1]", true],
  ["https://localhost:8443/cb", "localhost:8443", false],
  ["https://client.example/http://localhost/", "client.example", false],
  [CHATGPT, "chatgpt.com", false],
  [CURSOR, "cursor:", false],
  [APP, "com.example.app:", false],
];
for (const [uri, host, loopback] of HOSTS) {
  Deno.test(`redirectHost() says ${host} for ${uri} (SPEC B4.1, E11)`, () => {
    equal(redirectHost(uri), host);
    equal(isLoopbackRedirect(uri), loopback);
  });
}

const GOOD = vectors.accepted.map(({ uri }) => uri).filter((uri) => uri.length < 100);

Deno.test("judgeRedirect() refuses a character that no URI has, wherever it stands (SPEC B2.3)", () => {
  const strange = fc.oneof(
    fc.integer({ min: 0, max: 0x20 }).map((code) => String.fromCharCode(code)),
    fc.integer({ min: 0x7f, max: 0xffff }).map((code) => String.fromCharCode(code)),
    fc.constantFrom("\\", '"', "<", ">", "^", "`", "{", "|", "}"),
  );
  const property = (uri: string, at: number, char: string) => {
    const cut = at % (uri.length + 1);
    const changed = uri.slice(0, cut) + char + uri.slice(cut);
    equal(judgeRedirect(changed, BASE), "has a character that no URI has");
  };
  fc.assert(fc.property(fc.constantFrom(...GOOD), fc.nat(), strange, property), RUNS);
});

// Good URIs with pieces put in or over: near enough to be accepted at times.
const pieces = fc.constantFrom(
  ...[
    "/",
    "//",
    ":",
    "@",
    "#",
    "?",
    ".",
    "..",
    "%2e",
    "%2f",
    ";",
    "[",
    "]",
    "::1",
    "a",
    "A",
    ":80",
  ],
  ...[
    "localhost",
    "127.0.0.1",
    "http",
    "https",
    "javascript:",
    "\\",
    "\t",
    " ",
    "%00",
    "'",
    "evil.",
  ],
);
const edit = fc.tuple(fc.nat(), fc.integer({ min: 0, max: 9 }), fc.oneof(fc.constant(""), pieces));
const nearUri = fc.tuple(fc.constantFrom(...GOOD), fc.array(edit, { maxLength: 3 }))
  .map(([uri, edits]) =>
    edits.reduce((text, [at, over, piece]) => {
      const cut = at % (text.length + 1);
      return text.slice(0, cut) + piece + text.slice(cut + over);
    }, uri)
  );

Deno.test("judgeRedirect() accepts only what a browser opens as it is written (SPEC B2.2, B2.3)", () => {
  let accepted = 0;
  const property = (uri: string) => {
    if (judgeRedirect(uri, BASE) !== undefined) return;
    accepted++;
    const url = new URL(uri);
    ok(url.href === uri || url.href === `${uri}/`);
    equal(url.username + url.password + url.hash, "");
    ok(!uri.includes("#"));
    if (url.protocol === "http:") {
      ok(["localhost", "127.0.0.1", "[::1]"].includes(url.hostname));
      ok(isLoopbackRedirect(uri));
    } else if (url.protocol !== "https:") ok([CURSOR, APP].includes(uri));
    ok(matchesRedirect([uri], uri));
    ok(redirectHost(uri).length > 0);
  };
  fc.assert(fc.property(nearUri, property), RUNS);
  ok(accepted > RUNS.numRuns / 10 && accepted < RUNS.numRuns * 0.9, `${accepted} accepted`);
});

Deno.test("matchesRedirect() lets nothing differ but a port on loopback (SPEC B2.2, B5.5)", () => {
  let matched = 0;
  const property = (registered: string, presented: string) => {
    if (judgeRedirect(registered, BASE) !== undefined) return;
    if (!matchesRedirect([registered], presented) || presented === registered) return;
    matched++;
    const [one, other] = [new URL(registered), new URL(presented)];
    ok(["localhost", "127.0.0.1", "[::1]"].includes(one.hostname));
    one.port = other.port = "";
    equal(one.href, other.href);
    const authority = /(?<=^http:\/\/)[^/?]*?(?=(?::\d+)?(?:[/?]|$))/.exec(presented)?.[0];
    equal(authority, one.hostname);
  };
  const pair = fc.oneof(
    fc.tuple(nearUri, nearUri),
    fc.oneof(nearUri, fc.constantFrom(...GOOD.filter(isLoopbackRedirect))).chain((uri) =>
      fc.tuple(
        fc.constant(uri),
        fc.oneof(fc.nat({ max: 70_000 }), pieces)
          .map((port) => uri.replace(/^(http:\/\/[^/:]+)(:\d+)?/, `$1:${port}`)),
      )
    ),
  );
  fc.assert(fc.property(pair, ([registered, presented]) => property(registered, presented)), RUNS);
  ok(matched > RUNS.numRuns / 20, `${matched} matched`);
});

Deno.test("judgeRedirect() takes any text and repeats none of it (SPEC B2.3)", () => {
  const known = new Set([undefined, ...Object.keys(vectors.refused)]);
  const text = fc.oneof(fc.string({ unit: "binary" }), nearUri, fc.webUrl());
  const property = (uri: string) => ok(known.has(judgeRedirect(uri, BASE)));
  fc.assert(fc.property(text, property), RUNS);
});
