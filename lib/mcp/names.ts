/**
 * Names of what packs offer, each once.
 *
 * @module
 */

/**
 * Things by their names.
 *
 * @throws {TypeError} When two share a name, or a name has other characters than clients take.
 */
export function byName<T extends { readonly name: string }>(
  kind: string,
  all: readonly T[],
): ReadonlyMap<string, T> {
  for (const { name } of all) {
    if (!/^[\w.-]{1,128}$/.test(name)) throw new TypeError(`Cannot name a ${kind} "${name}"`);
  }
  return unique(kind, all, ({ name }) => name);
}

/** Things by a key. @throws {TypeError} When two share one. */
export function unique<T>(
  kind: string,
  all: readonly T[],
  keyOf: (one: T) => string,
): ReadonlyMap<string, T> {
  const found = new Map<string, T>();
  for (const one of all) {
    const key = keyOf(one);
    if (found.has(key)) throw new TypeError(`Cannot have two ${kind}s named "${key}"`);
    found.set(key, one);
  }
  return found;
}
