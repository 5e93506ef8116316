/**
 * A pack of resources and prompts that remember what they were asked, and a server of it.
 *
 * @module
 */

import { z } from "zod";
import { type NewServer, serverFactory } from "../../lib/mcp/server.ts";
import { type Pack, type Prompt, prompt, type Resource, resource } from "../../lib/pack.ts";
import { tracer } from "../../lib/trace.ts";
import { fakePorts } from "../fakes.ts";
import { type Era, type Message, post, stage } from "./helpers.ts";

const INFO = { name: "shelf", title: "Shelf", version: "0.0.1" };

/** The resource without parameters. */
export const PLAIN = "shelf://plain";

/** The resource with the parameters `topic` and `limit`, the latter `few` or `many`. */
export const RICH = "shelf://rich/one";

/** What {@linkcode shelf} makes. */
export interface Shelf {
  readonly newServer: NewServer;
  /** Every reading and writing, in order: the URI or name, and the arguments. */
  readonly ran: [what: string, args: unknown][];
}

/** What a test may change of a resource or prompt. */
type Changes<T> = { readonly [member in keyof T]?: unknown };

/** A resource that answers `{}` unless the test says otherwise. */
export function document(uri: string, rest: Changes<Resource> = {}): Resource {
  const name = "a-document";
  const plain = { uri, name, title: "A document", description: "One.", read: () => ({}) };
  return { ...resource(plain), ...rest as Partial<Resource> };
}

/** A prompt that writes "hello" unless the test says otherwise. */
export function letter(name: string, rest: Changes<Prompt> = {}): Prompt {
  const input = z.strictObject({});
  const plain = { name, title: "A letter", description: "One.", input, write: () => "hello" };
  return { ...prompt(plain), ...rest as Partial<Prompt> };
}

/** A pack of nothing but what is named. */
export function pack(rest: Partial<Pack> = {}): Pack {
  return { name: "shelf", tools: [], ready: () => true, close: () => {}, ...rest };
}

/** A server of packs. */
export function serve(...packs: Pack[]): NewServer {
  const ports = fakePorts();
  return serverFactory(packs, INFO, { identity: undefined, trace: tracer(ports)() }, ports);
}

/** A server with the resources {@linkcode PLAIN} and {@linkcode RICH} and the prompt `write`. */
export function shelf(): Shelf {
  const ran: [string, unknown][] = [];
  const noted = (what: string) => (args: unknown) => {
    ran.push([what, args]);
    return { args };
  };
  const query = z.strictObject({
    topic: z.string().max(20).optional(),
    limit: z.enum(["few", "many"]).default("few"),
  });
  const resources = [
    document(PLAIN, { read: noted(PLAIN) }),
    document(RICH, { query, read: noted(RICH) }),
  ];
  const input = z.strictObject({
    topic: z.string().max(20).describe("What about."),
    tone: z.enum(["kind", "stern"]).describe("How.").default("kind"),
    to: z.string().optional(),
  });
  const write = (args: unknown) => JSON.stringify(noted("write")(args));
  const prompts = [letter("write", { input, write })];
  return { newServer: serve(pack({ resources, prompts })), ran };
}

/** What came back. */
export interface Answer {
  readonly status: number;
  readonly answer: Message;
  readonly lines: readonly string[];
}

/** Asks a server that lets everybody in, with `headers` besides the usual. */
export async function ask(
  newServer: NewServer,
  era: Era,
  method: string,
  params: Record<string, unknown> = {},
  headers: Record<string, string> = {},
): Promise<Answer> {
  const { send, ports } = await stage({ OAUTH_ENABLED: "off" }, newServer);
  const named = typeof params.uri === "string" ? { "mcp-name": nameHeader(params.uri) } : {};
  const init = post({ era, method, params, headers: { ...named, ...headers } });
  const response = await send("/mcp", init);
  return { status: response.status, answer: await response.json(), lines: ports.lines };
}

/** A value in the form of `Mcp-Name` that carries any text. */
export function inBase64(value: string): string {
  return `=?base64?${new TextEncoder().encode(value).toBase64()}?=`;
}

/** A value as clients send it in `Mcp-Name`. */
export function nameHeader(value: string): string {
  return /^[!-~]*$/.test(value) ? value : inBase64(value);
}

/** The closing line of the request. */
export function closing(lines: readonly string[]): Record<string, unknown> {
  return JSON.parse(lines.findLast((line) => line.includes('"event":"request"'))!);
}
