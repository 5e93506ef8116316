/**
 * The packages that the bundle is made of, as its first lines list them, and their terms, as its
 * last lines quote them.
 *
 * @module
 */

/** A package of npm. */
export interface Package {
  readonly name: string;
  readonly version: string;
  /** SPDX expression. */
  readonly license: string;
  /** What has to go with every copy. Empty when the package says nothing. */
  readonly notice: string;
}

const LINE = /^ \* (\S+)@(\S+) \((.+)\)$/gm;

/** The comment that begins a bundle. Packages may come in any order, and more than once. */
export function headerOf(version: string, packages: readonly Package[]): string {
  const lines = packages.map(({ name, version, license }) =>
    ` * ${name}@${version} (${license})\n`
  );
  const sorted = [...new Set(lines)].sort().join("");
  return `/*!\n * Gatehouse ${version} (MIT). With packages of npm, each under its license:\n${sorted} */\n`;
}

/** The packages that the comment at the beginning of `bundle` lists. */
export function packagesOf(bundle: string): Omit<Package, "notice">[] {
  const header = bundle.slice(0, bundle.indexOf("*/"));
  return [...header.matchAll(LINE)].map(([, name, version, license]) => (
    { name: name!, version: version!, license: license! }
  ));
}

/** The comment that ends a bundle: what has to go with copies of `packages`, each text once. */
export function noticesOf(packages: readonly Package[]): string {
  const names = new Map<string, Set<string>>();
  for (const { name, notice } of packages) {
    if (notice) names.set(notice, (names.get(notice) ?? new Set()).add(name));
  }
  const texts = [...names].map(([notice, named]) =>
    `${[...named].sort().join(", ")}:\n\n${notice}`
  );
  const rule = `\n\n${"-".repeat(80)}\n\n`;
  return `/*!\n${texts.sort().join(rule).replaceAll("*/", "* /")}\n*/\n`;
}
