/**
 * Asking for parts of a JSON document by JSONPath (RFC 9535), at a cost that is bounded: whoever
 * may call a tool may send any path, and all callers share one thread.
 *
 * @module
 */

import { JSONPathEnvironment, JSONPathError, type JSONPathQuery, type JSONValue } from "json-p3";
import { ToolError } from "../../pack.ts";
import { MAX_RESULT_LENGTH } from "../cut.ts";

// Each visits the whole document for every node before it.
const MOST_DESCENTS = 1;

// Each doubles the nodes that come after it.
const MOST_COMMAS = 4;

/** Largest document for paths that visit nodes more than once, in characters of JSON. */
export const LARGEST_SEARCHED = 500_000;

/** What a path leads to. */
export interface Found {
  readonly values: unknown[];
  readonly truncated?: string;
}

/**
 * Reads a path.
 *
 * @returns Looks in a document. Throws a {@linkcode ToolError} when that would cost too much.
 * @throws {ToolError} When the path cannot be read, or would cost too much anywhere.
 */
export function jsonPath(text: string): (document: unknown) => Found {
  const isWide = judgeCost(text);
  const query = compiled(text);
  return (document) => {
    if (isWide && JSON.stringify(document).length > LARGEST_SEARCHED) {
      throw new ToolError(
        `The dashboard is too large for a path with ".." or ",". Name the place, as $.panels[0]`,
        "path too costly",
      );
    }
    return read(() => collect(query, document as JSONValue));
  };
}

function compiled(text: string): JSONPathQuery {
  const paths = new JSONPathEnvironment();
  // Patterns of a caller's could be made to take for ever.
  for (const name of ["match", "search"]) paths.functionRegister.delete(name);
  return read(() => paths.compile(text));
}

/** Refuses what is costly in any document. @returns Whether nodes are visited more than once. */
function judgeCost(path: string): boolean {
  const bare = path.replace(/'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"/g, "");
  const descents = bare.split("..").length - 1;
  const commas = bare.split(",").length - 1;
  const refuse = (what: string) => {
    throw new ToolError(what, "path too costly");
  };
  if (descents > MOST_DESCENTS) refuse('Use ".." at most once in a path');
  if (commas > MOST_COMMAS) refuse(`Use "," at most ${MOST_COMMAS} times in a path`);
  // It would be looked up again for every node.
  if (bare.lastIndexOf("$") > 0) refuse('Use "$" only at the beginning of a path, "@" in filters');
  return descents + commas > 0;
}

function collect(query: JSONPathQuery, document: JSONValue): Found {
  const values: unknown[] = [];
  let length = 0;
  for (const { value } of query.lazyQuery(document)) {
    length += JSON.stringify(value).length + 1;
    if (length > MAX_RESULT_LENGTH) {
      return { values, truncated: "More is left out: ask for a narrower path" };
    }
    values.push(value);
  }
  return { values };
}

function read<T>(attempt: () => T): T {
  try {
    return attempt();
  } catch (error) {
    if (!(error instanceof JSONPathError)) throw error;
    throw new ToolError(`The path cannot be read: ${error.message}`, "bad path");
  }
}
