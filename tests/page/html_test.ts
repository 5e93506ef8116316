import {
  deepStrictEqual as deepEqual,
  match,
  ok,
  strictEqual as equal,
  throws,
} from "node:assert/strict";
import { createHash } from "node:crypto";
import fc from "fast-check";
import { html, linkTo, newPage, type Part } from "../../lib/page/html.ts";
import { read, tagsOf } from "./markup.ts";

/** Strings with all that HTML, CSS and URLs find special, and with what no document may hold. */
const anything = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.array(fc.constantFrom(..."<>\"'&;=/!-`\\a\x00\x1b\x7f\x85\ud800\ufffe\t\r\n")).map((c) =>
    c.join("")
  ),
  fc.constantFrom(
    "</title><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "&lt;",
    "<!--",
  ),
);

/** What a document can hold of `text`. */
function holdable(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.toWellFormed().replace(/(?![\t\n])[\x00-\x1f\x7f-\x9f]|\p{NChar}/gu, "\ufffd");
}

Deno.test("html() keeps any string what it is, in text and in attributes (SPEC E8)", () => {
  fc.assert(fc.property(anything, anything, (first, second) => {
    const markup = `${html`<p title="${first}">${second}</p>`}`;
    const [, title, text] = /^<p title="([^"<>']*)">([^"<>']*)<\/p>$/.exec(markup)!;
    deepEqual([title, text].map((part) => read(part!)), [first, second].map(holdable));
  }));
});

Deno.test("html() nests markup and lists of it, and leaves out what is undefined", () => {
  const items = ["a", "<b>"].map((text) => html`<li>${text}</li>`);
  equal(
    `${html`<ul>${items}</ul>${undefined}${7}${["&", [html`<hr>`]]}`}`,
    "<ul><li>a</li><li>&lt;b&gt;</li></ul>7&amp;<hr>",
  );
});

Deno.test("html() trusts nothing that merely looks like its markup (SPEC E8)", () => {
  const forged = { toString: () => "<script>" } as unknown as Part;
  equal(`${html`${forged}`}`, "&lt;script&gt;");
  const heir = Object.create(Object.getPrototypeOf(html`x`), { markup: { value: "<script>" } });
  throws(() => html`${heir}`, TypeError);
});

Deno.test("newPage() delivers a page of any size with its length", async () => {
  const response = newPage("")({ title: "T" }, html`<p>${"“Ü”".repeat(5000)}</p>`);
  const length = response.headers.get("content-length");
  equal(`${(await response.bytes()).length}`, length);
});

Deno.test("newPage() allows its own style by digest, and nothing else (SPEC E8, B2.5)", async () => {
  const response = newPage("p { color: red; }\n")({ title: "T" }, html`<p>“Ü”</p>`);
  const style = /<style>(.*)<\/style>/s.exec(await response.text())![1]!;
  equal(style, "p { color: red; }\n");
  equal(
    response.headers.get("content-security-policy"),
    `default-src 'none'; style-src 'sha256-${
      createHash("sha256").update(style).digest("base64")
    }'; ` +
      "form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
  );
});

Deno.test("newPage() allows the one script of a page that has one, by digest (SPEC E8)", async () => {
  const source = "document.title = 1 < 2;\n";
  const response = newPage("", source)({ title: "T" }, html`<p>x</p>`);
  const digest = createHash("sha256").update(source).digest("base64");
  match(
    response.headers.get("content-security-policy")!,
    new RegExp(`; script-src 'sha256-${RegExp.escape(digest)}'; form-action`),
  );
  match(
    await response.text(),
    /<main><p>x<\/p><\/main>\s*<script>document.title = 1 < 2;\n<\/script>/,
  );
  const without = newPage("")({ title: "T" }, html`<p>x</p>`);
  ok(!without.headers.get("content-security-policy")!.includes("script-src"));
  ok(!(await without.text()).includes("<script"));
});

Deno.test("newPage() forbids framing, keeping and referring (SPEC B5.3, B2.5)", () => {
  const { headers, status } = newPage("")({ title: "T" }, html`x`);
  equal(status, 200);
  equal(headers.get("x-frame-options"), "DENY");
  equal(headers.get("cache-control"), "no-store");
  equal(headers.get("referrer-policy"), "same-origin");
  equal(headers.get("content-type"), "text/html; charset=utf-8");
});

Deno.test("newPage() adds headers and a status, but no header replaces its own (SPEC B5.3)", () => {
  const more = new Headers({ "x-frame-options": "SAMEORIGIN", "cache-control": "public" });
  more.append("set-cookie", "a=1");
  more.append("set-cookie", "b=2");
  const { headers, status } = newPage("")({ title: "T", status: 429, headers: more }, html`x`);
  equal(status, 429);
  deepEqual(headers.getSetCookie(), ["a=1", "b=2"]);
  equal(headers.get("x-frame-options"), "DENY");
  equal(headers.get("cache-control"), "no-store");
});

Deno.test("newPage() closes the title whatever it says (SPEC E8)", async () => {
  const page = newPage("");
  const tags = tagsOf(await page({ title: "T" }, html`x`).text());
  await fc.assert(fc.asyncProperty(anything, async (title) => {
    deepEqual(tagsOf(await page({ title }, html`x`).text()), tags);
  }));
});

Deno.test("linkTo() gives the URL as a browser reads it", () => {
  equal(linkTo("https://a.example/cb?state=a;b'c"), "https://a.example/cb?state=a;b%27c");
  equal(linkTo("cursor://app/cb?code=1"), "cursor://app/cb?code=1");
  equal(linkTo("com.example.app:/cb"), "com.example.app:/cb");
  equal(linkTo("https://bücher.example/"), "https://xn--bcher-kva.example/");
});

const RUNNING = [
  "javascript:alert(1)",
  "JaVaScRiPt:alert(1)",
  " javascript:alert(1)",
  "\x01java\tscript\n:alert(1)",
  "javascript://host/%0aalert(1)",
  "data:text/html,<script>alert(1)</script>",
  "vbscript:x",
  "blob:https://a.example/1",
  "filesystem:https://a.example/1",
  "file:///etc/passwd",
  "about:blank",
];

Deno.test("linkTo() refuses what shows or runs what it carries, however it is spelt (SPEC E8)", () => {
  for (const url of RUNNING) throws(() => linkTo(url), { message: /^Cannot link to a URL with / });
});

Deno.test("linkTo() refuses what leads to no certain place, without repeating it", () => {
  for (const url of ["", "/cb", "//a.example/cb", "a.example", "https://", "https://a b/"]) {
    throws(() => linkTo(url), { message: "Cannot link to what is no absolute URL" });
  }
});

Deno.test("newPage() writes a document that says its language and fits a phone", async () => {
  const document = await newPage("")({ title: "T" }, html`<p>x</p>`).text();
  match(document, /^<!doctype html>\s+<html lang="en">/);
  match(document, /<meta name="viewport" content="width=device-width, initial-scale=1">/);
  match(document, /<meta name="robots" content="noindex">/);
  match(document, /<meta name="color-scheme" content="light dark">/);
  match(document, /<main><p>x<\/p><\/main>/);
});
