import {
  deepStrictEqual as deepEqual,
  match,
  notStrictEqual as notEqual,
  ok,
  strictEqual as equal,
} from "node:assert/strict";
import fc from "fast-check";
import { binding } from "../../lib/proxy/browser.ts";
import { hashOf } from "../../lib/proxy/clients.ts";
import { fakePorts } from "../fakes.ts";
import { newGate } from "./flow.ts";

const plain = binding("form", false, fakePorts().random);
const secure = binding("form", true, fakePorts().random);

const from = (cookie?: string) =>
  new Request("http://localhost/", cookie === undefined ? {} : { headers: { cookie } });

/** The pair that a `Set-Cookie` header sets, and its attributes. */
function partsOf(header: string): [pair: string, attributes: string[]] {
  const [pair, ...attributes] = header.split("; ");
  return [pair!, attributes.sort()];
}

Deno.test("binding() sets a cookie that no script reads and no other site sends along (SPEC B5.4)", () => {
  const [pair, attributes] = partsOf(plain.bind(from()).cookie);
  match(pair, /^gatehouse-form-[\w-]{8}=[0-9a-f]{32}$/);
  deepEqual(attributes, ["HttpOnly", "Max-Age=1800", "Path=/", "SameSite=Lax"]);
});

Deno.test("binding() sets a cookie of this host alone where it is reached by https (SPEC B5.4)", () => {
  const [pair, attributes] = partsOf(secure.bind(from()).cookie);
  match(pair, /^__Host-gatehouse-form-[\w-]{8}=[0-9a-f]{32}$/);
  deepEqual(attributes, ["HttpOnly", "Max-Age=1800", "Path=/", "SameSite=Lax", "Secure"]);
});

for (const [what, bound] of [["http", plain], ["https", secure]] as const) {
  Deno.test(`binding().isBound() knows the browser that has the cookie, over ${what} (SPEC B5.6)`, () => {
    const first = bound.bind(from());
    const second = bound.bind(from());
    const cookieOf = ({ cookie }: typeof first) => partsOf(cookie)[0];
    notEqual(first.digest, second.digest);
    equal(bound.isBound(from(cookieOf(first)), first.digest), true);
    equal(bound.isBound(from(cookieOf(second)), first.digest), false);
    equal(bound.isBound(from(), first.digest), false);
    // Two windows that opened at once left two cookies.
    const both = `${cookieOf(first)}; ${cookieOf(second)}`;
    for (const { digest } of [first, second]) equal(bound.isBound(from(both), digest), true);
  });
}

for (const blank of ["\u00a0", "\u0085", "\u000b"]) {
  const code = blank.charCodeAt(0).toString(16);
  Deno.test(`binding().isBound() takes no cookie for its own whose name begins with ${code}, as another host can set it (SPEC B5.4)`, () => {
    const marker = "0123456789abcdef".repeat(2);
    const planted = (blank: string) => from(`a=b; ${blank}__Host-gatehouse-form-0=${marker}`);
    equal(secure.isBound(planted(""), hashOf(marker)), true);
    equal(secure.isBound(planted(blank), hashOf(marker)), false);
  });
}

Deno.test("binding().bind() keeps a browser's marker, so that its windows share it", () => {
  const first = plain.bind(from());
  const [pair] = partsOf(first.cookie);
  const again = plain.bind(from(`a=b; ${pair}; c=d`));
  deepEqual(again, first);
});

Deno.test("binding() sends out a digest that does not give the marker away", () => {
  const { digest, cookie } = plain.bind(from());
  const [, marker] = partsOf(cookie)[0].split("=") as [string, string];
  equal(digest, hashOf(marker));
  ok(!digest.includes(marker));
  // Knowing what is in a sealed value would not be enough.
  const [name] = partsOf(cookie)[0].split("=") as [string];
  equal(plain.isBound(from(`${name}=${digest}`), digest), false);
});

Deno.test("binding() tells its uses apart, and https from http (SPEC B5.6)", () => {
  const { digest, cookie } = plain.bind(from());
  const [pair] = partsOf(cookie);
  for (const other of [binding("login", false, fakePorts().random), secure]) {
    equal(other.isBound(from(pair), digest), false);
  }
  const [secured] = partsOf(secure.bind(from()).cookie);
  equal(plain.isBound(from(secured), digest), false);
});

Deno.test("binding().isBound() finds nothing in any other header (SPEC B5.6)", () => {
  const { digest, cookie } = plain.bind(from());
  const [pair] = partsOf(cookie);
  const marker = pair.split("=")[1]!;
  const text = fc.string({ unit: "grapheme-ascii" });
  const piece = fc.oneof(text, fc.constantFrom("gatehouse-form", "=", "; ", marker.slice(1), "-"));
  const header = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(""));
  fc.assert(
    fc.property(header, (sent) => {
      equal(plain.isBound(from(sent.replace(/[^\x20-\x7e]/g, "")), digest), false);
    }),
    { seed: 1, numRuns: 500 },
  );
});

Deno.test("binding().bind() takes no text over from a cookie that is none of its own", () => {
  for (const value of ["", "x", "0".repeat(31), "0".repeat(33), "G".repeat(32), "A".repeat(32)]) {
    const { cookie } = plain.bind(from(`gatehouse-form-x=${value}`));
    match(cookie, /^gatehouse-form-[\w-]{8}=[0-9a-f]{32}; /);
    notEqual(partsOf(cookie)[0].split("=")[1], value);
  }
});

for (
  const [url, prefix, attributes] of [
    ["http://localhost:8080", "", ["HttpOnly", "Max-Age=1800", "Path=/", "SameSite=Lax"]],
    ["https://localhost:8080", "__Host-", [
      "HttpOnly",
      "Max-Age=1800",
      "Path=/",
      "SameSite=Lax",
      "Secure",
    ]],
  ] as const
) {
  Deno.test(`a server at ${url} sets cookies that fit it, at each of its two steps (SPEC B5.4, B5.6, B1.9)`, async () => {
    const gate = await newGate({ OAUTH_SERVER_URL: url });
    const client = await gate.register();
    const browser = gate.browser();
    const page = await gate.ask(client, {}, { browser });
    const [form, ...more] = page.headers.getSetCookie();
    deepEqual(more, []);
    ok(form!.startsWith(`${prefix}gatehouse-form-`));
    deepEqual(partsOf(form!)[1], [...attributes]);
    const login = await browser.press(page, "decision", "approve");
    const names = [...browser.cookies.get("localhost")!.keys()];
    equal(names.length, 2);
    ok(names[1]!.startsWith(`${prefix}gatehouse-login-`));
    equal(login.headers.get("set-cookie"), null);
    ok((await browser.press(login, "user", "alice")).url.includes("code="));
    equal(browser.cookies.get("localhost")!.size, 2);
  });
}

Deno.test("a browser's cookies do not pile up, however often it begins", async () => {
  const gate = await newGate();
  const client = await gate.register();
  const browser = gate.browser();
  for (let time = 0; time < 20; time++) await gate.authorize(client, {}, { browser });
  equal(browser.cookies.get("localhost")!.size, 2);
});
