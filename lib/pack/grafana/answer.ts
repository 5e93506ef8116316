/**
 * Reading Grafana's answers: a refusal is told in words, Grafana's own where it has some, since they
 * name the permission that lacks.
 *
 * @module
 */

import { ToolError } from "../../pack.ts";

/** An answer of Grafana, read to the end. */
export interface ApiAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Longest text of Grafana's that a caller is told, in characters. */
const LONGEST_TOLD = 500;

/** Passes a good answer, and tells a bad one in words. */
export function judge(
  answer: ApiAnswer,
  { method = "GET", path }: { readonly method?: string; readonly path: string },
): ApiAnswer {
  const { status } = answer;
  if (status >= 200 && status < 300) return answer;
  const told = messageOf(answer);
  const what = `${method} ${path}`;
  const refuse = (text: string) => {
    throw new ToolError(told ? `${text} Grafana says: ${told}` : text, `grafana ${status}`);
  };
  switch (true) {
    case status >= 300 && status < 400:
      return refuse(
        "Grafana sends this request elsewhere, as to a login page. Its URL may be wrong.",
      );
    case status === 401:
      return refuse(
        "Grafana does not accept who you are. It may not know you, or not trust your token.",
      );
    case status === 403:
      return refuse("Grafana does not let you do this.");
    case status === 404:
      return refuse(`Grafana has nothing at ${what}.`);
    case status === 409 || status === 412:
      return refuse("It was changed by somebody else, or exists already. Read it again first.");
    case status === 429:
      return refuse("Grafana is asked too often. Wait a little.");
    case status >= 500:
      return refuse(`Grafana failed with status ${status}.`);
    default:
      return refuse(`Grafana refuses ${what} with status ${status}.`);
  }
}

/**
 * Whether a refusal is Grafana's own, and not one that it passes on from what is behind it: since
 * its version 10, Grafana names its own in `messageId`.
 */
export function isOwnRefusal({ bytes, contentType }: ApiAnswer): boolean {
  if (!/\bjson\b/.test(contentType)) return false;
  try {
    return typeof JSON.parse(new TextDecoder().decode(bytes))?.messageId === "string";
  } catch {
    return false;
  }
}

function messageOf({ bytes, contentType }: ApiAnswer): string | undefined {
  if (!/\bjson\b/.test(contentType)) return undefined;
  try {
    const { message, error } = JSON.parse(new TextDecoder().decode(bytes)) as Record<
      string,
      unknown
    >;
    const told = [message, error].find((one) => typeof one === "string" && one !== "");
    return typeof told === "string" ? told.slice(0, LONGEST_TOLD) : undefined;
  } catch {
    return undefined;
  }
}

/** The JSON of an answer. @throws {ToolError} When it is none. */
export function readJson({ bytes, contentType }: ApiAnswer): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    if (/html/.test(contentType)) throw webPage();
    throw new ToolError("Grafana's answer is not JSON", "answer is not JSON");
  }
}

/** What to tell when a page for people came back. */
export function webPage(): ToolError {
  return new ToolError(
    "A web page came back instead of Grafana's answer, as from a login in front of it. Check GRAFANA_URL",
    "answer is a web page",
  );
}
