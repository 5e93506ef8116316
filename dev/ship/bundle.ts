/**
 * Makes `dist/gatehouse.js`: the whole program in one module, which `deno run` starts from a URL.
 *
 * It bundles twice. What is imported on demand first becomes files of its own, and then all become
 * one: bundled in one go, modules that promise to have no side effects are used before they are
 * ready. In between, what would look for files beside the module is replaced, for there are none.
 *
 * @module
 */

import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { VERSION } from "../../lib/version.ts";
import { headerOf, noticesOf, type Package } from "./packages.ts";
import { DIST, ROOT } from "./places.ts";
import { deno } from "./run.ts";

/** Where the bundle is. */
export const BUNDLE = new URL("gatehouse.js", DIST);

const BUNDLING = ["bundle", "--quiet", "--platform=deno", "--format=esm"];

// The bundler heads each module with its path.
const MODULE = /^\/\/ (\S+\.(?:[cm]?[jt]s|json))$/gm;

const WASM = /readFileSync\(new URL\("([^"]+\.wasm)", import\.meta\.url\)\)/g;

// What packages require is built in, or optional and not here. A module from a URL cannot make a
// `require` that finds files, and should not: it would load what lies at the root of a disk.
const REQUIRE = /\b\w*createRequire\w*\(import\.meta\.url\)/gi;

/**
 * Takes out of bundled modules what binds them to the folders they were made from.
 *
 * @param cache Folder of npm's packages, relative to the repository, as the bundler names it.
 * @throws {Error} When something is left that asks for the module's own address.
 */
export function detached(text: string, cache: string): string {
  const bare = text
    .replace(WASM, (_, path: string, at: number) => {
      const [, origin] = [...text.slice(0, at).matchAll(MODULE)].at(-1) ?? [];
      if (origin === undefined) throw new Error(`Cannot tell where ${path} is`);
      const bytes = Deno.readFileSync(new URL(path, new URL(origin, ROOT)));
      return `Uint8Array.fromBase64("${bytes.toBase64()}")`;
    })
    .replace(REQUIRE, "process.getBuiltinModule")
    .replaceAll(cache, "npm:");
  const left = /import\.meta.{0,40}/.exec(bare);
  if (left) throw new Error(`Cannot detach a module from its place: ${left[0]}`);
  return bare;
}

/** The packages that `text` has modules of. */
function packagesIn(text: string, cache: string): Package[] {
  return [...text.matchAll(MODULE)].flatMap(([, path]) => {
    if (!path?.startsWith(cache)) return [];
    const [, name, version] = /^((?:@[^/]+\/)?[^/]+)\/([^/]+)\//.exec(path.slice(cache.length))!;
    return [{
      name: name!,
      version: version!,
      ...termsOf(new URL(`${cache}${name}/${version}/`, ROOT)),
    }];
  });
}

function termsOf(folder: URL): Pick<Package, "license" | "notice"> {
  const { license } = JSON.parse(Deno.readTextFileSync(new URL("package.json", folder)));
  if (typeof license !== "string") throw new Error(`Cannot tell the license of ${folder.pathname}`);
  const notice = [...Deno.readDirSync(folder)]
    .filter(({ name }) => /^(?:licen[cs]e|notice)/i.test(name))
    .map(({ name }) => Deno.readTextFileSync(new URL(name, folder)).trim())
    .join("\n\n");
  return { license, notice };
}

/** The folder of npm's packages that `text` names. Those of other registries stay as they are. */
async function cacheIn(text: string): Promise<string> {
  const { npmCache } = JSON.parse(await deno(["info", "--json"], ROOT));
  const folder = relative(fileURLToPath(ROOT), npmCache).replaceAll("\\", "/");
  const [, cache] = new RegExp(`^// (${RegExp.escape(folder)}/[^/]+/)`, "m").exec(text) ?? [];
  if (cache === undefined) throw new Error(`Cannot find modules of ${npmCache} in the bundle`);
  return cache;
}

/** Makes the bundle anew. */
export async function bundle(): Promise<void> {
  const work = await Deno.makeTempDir({ prefix: "bundle-" });
  try {
    await deno([...BUNDLING, "--frozen", "--code-splitting", "--outdir", work, "main.ts"], ROOT);
    const cache = await cacheIn(await Deno.readTextFile(`${work}/main.js`));
    const packages: Package[] = [];
    for (const { name } of Deno.readDirSync(work)) {
      const text = await Deno.readTextFile(`${work}/${name}`);
      packages.push(...packagesIn(text, cache));
      await Deno.writeTextFile(`${work}/${name}`, detached(text, cache));
    }
    await deno([...BUNDLING, "--no-config", "--output=whole.js", "main.js"], work);
    const whole = await Deno.readTextFile(`${work}/whole.js`);
    await Deno.mkdir(DIST, { recursive: true });
    await Deno.writeTextFile(BUNDLE, headerOf(VERSION, packages) + whole + noticesOf(packages));
  } finally {
    await Deno.remove(work, { recursive: true });
  }
}

if (import.meta.main) await bundle();
