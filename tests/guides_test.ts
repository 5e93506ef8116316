/**
 * What the README and the guides name exists: files, anchors, variables, and lines of the log.
 * That their commands work is tested by `deno task test:readme`.
 *
 * @module
 */

import { deepStrictEqual as deepEqual, ok } from "node:assert/strict";
import { anchors, documents, exists, firstColumn, links, read } from "../dev/readme/markdown.ts";
import { ENVIRONMENT } from "../lib/config/settings.ts";

const TROUBLESHOOTING = read("dev/guides/troubleshooting.md");
const LIBRARY = await sources(new URL("../lib/", import.meta.url));
const EVENT = /"(?:debug|info|(?<serious>warn|error))",\s*(?:"([^"]+)"|`([^`]+)`)/g;

async function sources(folder: URL): Promise<string> {
  let text = "";
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    text += isDirectory
      ? await sources(new URL(`${name}/`, folder))
      : await Deno.readTextFile(new URL(name, folder));
  }
  return text;
}

/** Whether `text` can come of a template. */
function comesOf(template: string, text: string): boolean {
  const parts = template.split(/\$\{[^}]*\}/).map((part) => RegExp.escape(part));
  return new RegExp(`^${parts.join(".+")}$`).test(text);
}

/** Names of events, of those alone that an operator should look at if `serious`. */
function events(serious: boolean): string[] {
  const found = [...LIBRARY.matchAll(EVENT)].filter(({ groups }) => !serious || groups?.serious);
  const names = found.map(([, , plain, template]) => plain ?? template!);
  return [...new Set(names)].filter((name) => !["debug", "info", "warn", "error"].includes(name));
}

/** Whether the library says `text`, be it with the last of several words left open. */
function isSaid(text: string): boolean {
  const open = text.replace(/ \S+$/, " ${");
  return LIBRARY.includes(`"${text}"`) || open !== text && LIBRARY.includes(`\`${open}`);
}

Deno.test("links of the README and the guides lead to files and headings that exist", () => {
  const broken: string[] = [];
  for (const document of documents()) {
    for (const link of links(document).filter((one) => !/^https?:/.test(one))) {
      const [path = "", anchor] = link.split("#");
      const base = `file:///${document.path}`;
      const target = new URL(path || base, base).pathname.slice(1);
      const isThere = exists(target) && (!anchor || anchors(read(target)).includes(anchor));
      if (!isThere) broken.push(`${document.path}: ${link}`);
    }
  }
  deepEqual(broken, []);
});

Deno.test("variables that the README and the guides name are read", () => {
  const unknown = documents().flatMap(({ path, text }) =>
    [...text.matchAll(/\b(?:MCP|OAUTH|OIDC|JWT|STORE|GRAFANA|KAFKA|LOG)_[A-Z_]+\b/g)]
      .filter(([name]) => !ENVIRONMENT.includes(name))
      .map(([name]) => `${path}: ${name}`)
  );
  deepEqual(unknown, []);
});

Deno.test("lines of the log that troubleshooting quotes are written somewhere", () => {
  const quoted = firstColumn(TROUBLESHOOTING, "log line");
  ok(quoted.length > 30);
  const audited = [...read("lib/proxy/audit.ts").text.matchAll(/\| "([^"]+)"/g)];
  const known = [...events(false), ...audited.map(([, name]) => name!)];
  const invented = quoted.filter((line) => !known.some((name) => comesOf(name, line)));
  deepEqual(invented, []);
});

Deno.test("reasons that troubleshooting quotes are given somewhere", () => {
  const quoted = firstColumn(TROUBLESHOOTING, "reason");
  ok(quoted.length > 30);
  // OAuth's codes and Kafka's names are not ours.
  const theirs = ["invalid_client", "TOPIC_AUTHORIZATION_FAILED"];
  deepEqual(quoted.filter((reason) => !theirs.includes(reason) && !isSaid(reason)), []);
});

Deno.test("troubleshooting explains every warning and error that is logged", () => {
  const explained = firstColumn(TROUBLESHOOTING, "log line");
  const missing = events(true).filter((name) =>
    !explained.some((line) => comesOf(name, line)) &&
    !TROUBLESHOOTING.text.includes(`\`${name}\``)
  );
  deepEqual(missing, []);
});

Deno.test("troubleshooting explains every reason to refuse a token", () => {
  const [refusals] = /export type Refusal =[^]*?;\n\n/.exec(read("lib/errors.ts").text) ?? [""];
  const reasons = [...refusals.matchAll(/reason: "([^"]+)"/g)].map(([, reason]) => reason!);
  ok(reasons.length > 10);
  const explained = firstColumn(TROUBLESHOOTING, "reason");
  deepEqual(reasons.filter((reason) => !explained.includes(reason)), []);
});

Deno.test("links of the README and the guides name every guide", () => {
  const linked = documents().flatMap((document) =>
    links(document).map((link) => new URL(link, `file:///${document.path}`).pathname.slice(1))
  );
  const guides = documents().map(({ path }) => path).filter((path) => path !== "README.md");
  deepEqual(guides.filter((path) => !linked.includes(path)), []);
});
