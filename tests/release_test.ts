/**
 * What goes into a release, as far as it can be judged without making one: versions, permissions,
 * pins and targets agree wherever they are written.
 *
 * @module
 */

import {
  deepStrictEqual as deepEqual,
  match,
  ok,
  strictEqual as equal,
  throws,
} from "node:assert/strict";
import { parse } from "yaml";
import { detached } from "../dev/ship/bundle.ts";
import { executableFor, TARGETS } from "../dev/ship/compile.ts";
import { FEATURES, PERMISSIONS } from "../dev/ship/flags.ts";
import { headerOf, noticesOf, packagesOf } from "../dev/ship/packages.ts";
import { type Lock, sbomOf } from "../dev/ship/sbom.ts";
import { readEnv } from "../dev/grafana/settings.ts";
import { VERSION } from "../lib/version.ts";

const ROOT = new URL("../", import.meta.url);
const read = (path: string) => Deno.readTextFileSync(new URL(path, ROOT));

const MANIFEST = JSON.parse(read("deno.json"));
const LOCK: Lock = JSON.parse(read("deno.lock"));
const DOCKERFILE = read("Dockerfile").replaceAll("\\\n", "");

interface Job {
  readonly permissions?: Readonly<Record<string, string>>;
  readonly uses?: string;
  readonly steps?: readonly { readonly uses?: string; readonly run?: string }[];
  readonly strategy?: { readonly matrix: { readonly include: readonly { target: string }[] } };
}

interface Workflow {
  readonly permissions?: Readonly<Record<string, string>>;
  readonly jobs: Readonly<Record<string, Job>>;
}

const WORKFLOWS = ["ci.yml", "release.yml"].map((name) => {
  const text = read(`.github/workflows/${name}`);
  return { name, text, workflow: parse(text) as Workflow };
});
const RELEASE = WORKFLOWS[1]!.workflow;

Deno.test("version is that of deno.json, and the newest of the changelog", () => {
  equal(VERSION, MANIFEST.version);
  const [, newest] = /^## (\S+)/m.exec(read("CHANGELOG.md")) ?? [];
  equal(newest, VERSION);
  const { metadata } = sbomOf([], LOCK);
  equal(metadata.component.version, VERSION);
  match(
    executableFor("x86_64-apple-darwin").pathname,
    new RegExp(`-${VERSION}-x86_64-apple-darwin$`),
  );
});

Deno.test("Deno has one version in CI, release, image and compose.yml", () => {
  const [, version] = /^ARG DENO_VERSION=(.+)$/m.exec(DOCKERFILE)!;
  equal(readEnv(read("dev/grafana/.env.example")).DENO_VERSION, version);
  equal(WORKFLOWS[1]!.text.match(/deno@([\d.]+)/)?.[1], version);
  equal(read(".ci/run").match(/^deno="npx -y deno@([\d.]+)"$/m)?.[1], version);
});

Deno.test("README and image start the bundle with the permissions of deno.json, and no others", () => {
  const [, entry] = /^ENTRYPOINT (\[.*\])$/m.exec(DOCKERFILE)!;
  const [deno, run, noPrompt, ...rest] = JSON.parse(entry!) as string[];
  deepEqual([deno, run, noPrompt], ["deno", "run", "--no-prompt"]);
  deepEqual(rest, [...FEATURES, ...PERMISSIONS, "/usr/local/lib/gatehouse.js"]);
  const shell = [...FEATURES, ...PERMISSIONS].map((flag) =>
    flag.includes("*") ? flag.replace(/=(.*)/, "='$1'") : flag
  );
  const readme = read("README.md").replaceAll(/\s*\\\n\s*/g, " ");
  ok(readme.includes(`deno run ${shell.join(" ")} `), shell.join(" "));
});

Deno.test("image runs as a user with no rights, from files that its context lets through", () => {
  const last = DOCKERFILE.slice(DOCKERFILE.lastIndexOf("\nFROM "));
  match(last, /^USER 65532:65532$/m);
  const through = read(".dockerignore").trim().split("\n");
  equal(through.shift(), "*");
  const copied = [...DOCKERFILE.matchAll(/^COPY (?!--)(.+) \S+$/gm)].flatMap(([, from]) =>
    from!.split(" ")
  );
  deepEqual(through.toSorted(), copied.map((path) => `!${path}`).sort());
  for (const path of copied) ok(Deno.statSync(new URL(path, ROOT)));
});

Deno.test("workflows name actions by commit, each by one only, with its version beside it", () => {
  const pins = new Map<string, string>();
  for (const { name, text } of WORKFLOWS) {
    for (const [line, action, rest] of text.matchAll(/uses: ([^@\s]+)(.*)$/gm)) {
      if (action!.startsWith("./")) continue;
      match(rest!, /^@[0-9a-f]{40} # v\d+\.\d+\.\d+$/, `${name}: ${line}`);
      equal(pins.get(action!) ?? rest, rest, action);
      pins.set(action!, rest!);
    }
  }
  ok(pins.size > 0);
});

Deno.test("workflows give a job what it needs: nothing is writable by default", () => {
  for (const { name, workflow: { permissions, jobs } } of WORKFLOWS) {
    ok(permissions, name);
    ok(!Object.values(permissions).includes("write"), name);
    for (const job of Object.values(jobs)) {
      const holds = Object.entries(job.permissions ?? permissions);
      for (const [, access] of holds) ok(["read", "write"].includes(access), name);
    }
  }
  const writers = Object.entries(RELEASE.jobs)
    .filter(([, { permissions = {} }]) => Object.values(permissions).includes("write"))
    .map(([job]) => job);
  deepEqual(writers, ["publish", "image"]);
});

Deno.test("workflows run tasks that there are", () => {
  for (const { name, workflow } of WORKFLOWS) {
    for (const { run = "" } of Object.values(workflow.jobs).flatMap(({ steps = [] }) => steps)) {
      for (const [, task] of run.matchAll(/\btask (\S+)/g)) {
        ok(MANIFEST.tasks[task!], `${name}: ${task}`);
      }
    }
  }
});

Deno.test("release tries every executable that it builds", () => {
  const tried = RELEASE.jobs.try!.strategy!.matrix.include.map(({ target }) => target);
  deepEqual(tried.toSorted(), TARGETS.toSorted());
});

Deno.test("executable has the suffix that Windows asks for, and none elsewhere", () => {
  const suffixes = TARGETS.map((target) => executableFor(target).pathname.endsWith(".exe"));
  deepEqual(suffixes, TARGETS.map((target) => target.includes("windows")));
});

Deno.test("detached() lets a module require what is built in, and nothing from the disk", () => {
  const text = `import { createRequire as make } from "node:module";
import { createRequire as internal_createRequire2 } from "node:module";
var a = internal_createRequire2(import.meta.url);
const b = createRequire(import.meta.url);
`;
  const lines = detached(text, "npm/").split("\n");
  deepEqual(lines.slice(2, 4), [
    "var a = process.getBuiltinModule;",
    "const b = process.getBuiltinModule;",
  ]);
});

Deno.test("detached() refuses what asks for its own address, or for a file that nobody knows", () => {
  throws(
    () => detached(`open(new URL("page.html", import.meta.url));`, "npm/"),
    /^Error: Cannot detach a module from its place: import\.meta\.url/,
  );
  throws(
    () => detached(`var w = readFileSync(new URL("./a.wasm", import.meta.url));`, "npm/"),
    /^Error: Cannot tell where \.\/a\.wasm is/,
  );
});

Deno.test("detached() names packages, not the folders of whoever bundled them", () => {
  const text = `// ../home/somebody/npm/registry/ms/2.1.3/index.js\nvar a = 1;\n`;
  equal(detached(text, "../home/somebody/npm/registry/"), "// npm:ms/2.1.3/index.js\nvar a = 1;\n");
});

const MS = { name: "ms", version: "2.1.3", license: "MIT" };
const AJV = { name: "@scope/ajv", version: "1.0.0-rc.1", license: "(MIT OR Apache-2.0)" };

Deno.test("packagesOf() reads what headerOf() wrote: each package once, in order", () => {
  const packages = [MS, AJV, MS].map((one) => ({ ...one, notice: "" }));
  const bundle = `${headerOf("1.2.3", packages)}/* @other@1.0.0 (MIT) */\n`;
  deepEqual(packagesOf(bundle), [AJV, MS]);
});

Deno.test("noticesOf() quotes each text once, for all who ask for it, and stays one comment", () => {
  const quoted = noticesOf([
    { ...MS, notice: "Free /* as is */" },
    { ...AJV, notice: "Free /* as is */" },
    { ...MS, name: "silent", notice: "" },
  ]);
  equal(quoted, "/*!\n@scope/ajv, ms:\n\nFree /* as is * /\n*/\n");
});

Deno.test("sbomOf() tells archive and license of each package, and which needs which", () => {
  const lock: Lock = {
    specifiers: { "npm:@scope/ajv@^1.0.0": "1.0.0-rc.1_ms@2.1.3", "npm:unused@1": "1.0.0" },
    npm: {
      "@scope/ajv@1.0.0-rc.1_ms@2.1.3": { integrity: "sha512-AAEC", dependencies: ["ms", "left"] },
      "ms@2.1.3": { integrity: "sha512-/w==" },
    },
  };
  const { components, dependencies } = sbomOf([AJV, MS], lock);
  deepEqual(
    components.map(({ purl, licenses, hashes }) => [purl, licenses[0], hashes[0]!.content]),
    [
      ["pkg:npm/%40scope/ajv@1.0.0-rc.1", { expression: "(MIT OR Apache-2.0)" }, "000102"],
      ["pkg:npm/ms@2.1.3", { license: { id: "MIT" } }, "ff"],
    ],
  );
  deepEqual(dependencies.map(({ dependsOn }) => dependsOn), [
    ["pkg:npm/%40scope/ajv@1.0.0-rc.1"],
    ["pkg:npm/ms@2.1.3"],
    [],
  ]);
});

Deno.test("sbomOf() refuses a package that is not locked", () => {
  throws(() => sbomOf([{ ...MS, version: "0.0.1" }], LOCK), /^Error: Cannot find ms@0\.0\.1 in/);
});
