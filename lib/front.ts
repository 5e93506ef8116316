/**
 * The page at `/`, for a person who opens the server in a browser: what it is, and how to connect
 * to it.
 *
 * It is made once, of the configuration alone: nothing that a request says gets into it. Programs
 * get the facts as text, and those that look for an event stream are told where MCP is served.
 *
 * @module
 */

import { deliver } from "./delivery.ts";
import { body } from "./front/page.ts";
import { type Facts, loginWords, registrationWords, toolWords } from "./front/facts.ts";
import { SCRIPT } from "./front/script.ts";
import { STYLE } from "./front/style.ts";
import { type Handler, plain } from "./http.ts";
import { newPage } from "./page/html.ts";

const VARY = { vary: "accept" };

/** Prepares the page. It is HTML for those who ask for HTML by name, which every browser does. */
export async function front(facts: Facts): Promise<Handler> {
  const made = newPage(STYLE, SCRIPT)({ title: facts.title, headers: VARY }, body(facts));
  const page = await made.bytes();
  const { headers } = made;
  const text = textOf(facts);
  const elsewhere = `MCP is served at ${facts.endpoint}`;
  return (request) => {
    const accepted = mediaTypes(request.headers.get("accept") ?? "");
    if (accepted.has("text/html")) return deliver(page, { headers });
    // Whoever listens for events at this address would take a page for a broken stream.
    if (accepted.has("text/event-stream")) return plain(406, elsewhere, VARY);
    return plain(200, text, VARY);
  };
}

function textOf(facts: Facts): string {
  const { title, version, endpoint, login } = facts;
  const needed = registrationWords(login);
  return `${title} ${version}, an MCP server

Endpoint: ${endpoint}
Login: ${loginWords(login)}${needed ? ` ${needed}` : ""}
Tools: ${toolWords(facts)}

Open this address in a browser to see how clients connect.`;
}

/** The media types that `Accept` names and does not rule out (RFC 9110 section 12.5.1). */
function mediaTypes(accept: string): Set<string> {
  const ranges = accept.toLowerCase().split(",").map((range) => range.split(";"));
  return new Set(
    ranges
      .filter(([, ...parameters]) =>
        !parameters.some((one) => /^\s*q\s*=\s*0(?:\.0*)?\s*$/.test(one))
      )
      .map(([type]) => type!.trim()),
  );
}
