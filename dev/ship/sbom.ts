/**
 * Makes `dist/gatehouse.cdx.json`: what the bundle is made of, as a CycloneDX 1.6 bill of materials.
 *
 * The bundle says which packages; `deno.lock` says from which archives, and which needs which.
 *
 * @module
 */

import manifest from "../../deno.json" with { type: "json" };
import { VERSION } from "../../lib/version.ts";
import { BUNDLE } from "./bundle.ts";
import { type Package, packagesOf } from "./packages.ts";
import { DIST, ROOT } from "./places.ts";

/** Where the bill is. */
export const SBOM = new URL("gatehouse.cdx.json", DIST);

/** The part of `deno.lock` that counts here. */
export interface Lock {
  /** Versions by what was asked for, such as `npm:zod@^4.2.0`. */
  readonly specifiers: Readonly<Record<string, string>>;
  /** By name and version, such as `zod@4.6.7`, with `_` and peers where there are any. */
  readonly npm: Readonly<
    Record<string, { readonly integrity: string; readonly dependencies?: readonly string[] }>
  >;
}

const OWN_REF = `pkg:npm/${encodeURIComponent(manifest.name)}@${VERSION}`;

const withoutPeers = (id: string) => id.replace(/(?<=.)_.*/, "");

const refOf = (id: string) => `pkg:npm/${id.replace(/^@/, "%40")}`;

/**
 * The bill for `packages`.
 *
 * @throws {Error} When one of them is not in the lock file.
 */
export function sbomOf(packages: readonly Omit<Package, "notice">[], lock: Lock) {
  const locked = new Map(Object.entries(lock.npm).map(([id, entry]) => [withoutPeers(id), entry]));
  const ids = new Set(packages.map(({ name, version }) => `${name}@${version}`));
  // A name without a version is that of the only version there is.
  const known = (id: string) =>
    [...ids].find((one) => one === withoutPeers(id) || one.slice(0, one.lastIndexOf("@")) === id);
  const refs = (asked: readonly string[]) =>
    [...new Set(asked.map(known))].filter((id) => id !== undefined).map(refOf).sort();
  const asked = Object.entries(lock.specifiers).map(([specifier, version]) =>
    `${specifier.slice("npm:".length, specifier.lastIndexOf("@"))}@${version}`
  );
  return {
    $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: {
      component: {
        type: "application",
        "bom-ref": OWN_REF,
        name: "gatehouse",
        version: VERSION,
        licenses: [{ license: { id: manifest.license } }],
      },
    },
    components: packages.map(({ name, version, license }) => {
      const ref = refOf(`${name}@${version}`);
      const entry = locked.get(`${name}@${version}`);
      if (!entry) throw new Error(`Cannot find ${name}@${version} in deno.lock`);
      return {
        type: "library",
        "bom-ref": ref,
        purl: ref,
        name,
        version,
        licenses: [license.includes(" ") ? { expression: license } : { license: { id: license } }],
        hashes: [{ alg: "SHA-512", content: hexOf(entry.integrity) }],
      };
    }),
    dependencies: [
      { ref: OWN_REF, dependsOn: refs(asked) },
      ...[...ids].map((id) => ({
        ref: refOf(id),
        dependsOn: refs(locked.get(id)?.dependencies ?? []),
      })),
    ],
  };
}

function hexOf(integrity: string): string {
  return Uint8Array.fromBase64(integrity.replace(/^sha512-/, "")).toHex();
}

if (import.meta.main) {
  const packages = packagesOf(await Deno.readTextFile(BUNDLE));
  const lock: Lock = JSON.parse(await Deno.readTextFile(new URL("deno.lock", ROOT)));
  await Deno.writeTextFile(SBOM, `${JSON.stringify(sbomOf(packages, lock), null, 2)}\n`);
}
