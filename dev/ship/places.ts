/**
 * Where things are, and what they are called.
 *
 * @module
 */

/** The repository. */
export const ROOT = new URL("../../", import.meta.url);

/** Where everything lies that is made. */
export const DIST = new URL("dist/", ROOT);
