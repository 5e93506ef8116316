/**
 * Reading markup as a browser does, as far as the pages need it.
 *
 * @module
 */

const CHARACTERS: Readonly<Record<string, string>> = {
  "&amp;": "&",
  "&lt;": "<",
  "&gt;": ">",
  "&quot;": '"',
  "&#39;": "'",
};

/** Text or the value of an attribute, with its character references resolved. */
export function read(markup: string): string {
  return markup.replace(/&[^;]*;/g, (reference) => CHARACTERS[reference] ?? "[unknown reference]");
}

/** The tags of a document in order, with the names of their attributes but no values. */
export function tagsOf(markup: string): string[] {
  const tags = markup.replace(/<style>.*?<\/style>/s, "<style></style>").match(/<[^>]*>?/g) ?? [];
  return tags.map((tag) => tag.replace(/"[^"]*"/g, '""'));
}

/** The values of an attribute, wherever it stands. */
export function valuesOf(markup: string, attribute: string): string[] {
  return [...markup.matchAll(new RegExp(` ${attribute}="([^"]*)"`, "g"))].map(([, v]) => read(v!));
}
