/**
 * Loading what warns.
 *
 * @module
 */

/**
 * Does `work` without warnings on the console: the OpenID provider says that Deno is not Node and
 * that memory forgets, which is true.
 */
export async function quietly<T>(work: () => T | Promise<T>): Promise<T> {
  const { warn } = console;
  Object.assign(console, { warn: () => {} });
  try {
    return await work();
  } finally {
    Object.assign(console, { warn });
  }
}
