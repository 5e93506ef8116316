/**
 * What the server has to refuse, and how.
 *
 * @module
 */

import { bearerHeader, modernCall } from "../../tests/fakes.ts";
import { MAX_BODY_BYTES } from "../../lib/mcp/message.ts";
import type { BadToken } from "./forge.ts";
import { type Answer, audited, type Front, type Judged, pause } from "./front.ts";
import { attempt, RETRY_MS } from "./life.ts";
import { Person, type Tokens } from "./person.ts";

/** How long a stranger waits between two attempts, in milliseconds. */
const PAUSE_MS = 50;

/** How many pages are asked for at once when one address asks too often. */
const FLOOD = 100;

const CALL = ["tools/call", { name: "whoami", arguments: {} }] as const;

function expect({ status, text }: Answer, due: number, what: string): void {
  if (status !== due) throw new Error(`${what} was answered ${status}, not ${due}: ${text}`);
}

/** Tries bad tokens, one after another, until `isOver`. */
export async function tryTokens(
  front: Front,
  bad: readonly BadToken[],
  isOver: () => boolean,
): Promise<void> {
  const ask = (headers: Record<string, string>, judged?: Judged) =>
    front.ask("/mcp", modernCall(...CALL, headers), anyAddress(), judged);
  while (!isOver()) {
    for (const { token, reason } of bad) {
      await attempt(front, `send a bad token: ${reason}`, async () => {
        const answer = await ask(bearerHeader(token), { refused: reason });
        expect(answer, 401, reason);
        const challenge = answer.headers.get("www-authenticate") ?? "";
        if (!challenge.includes('error="invalid_token"')) throw new Error(`challenge ${challenge}`);
        front.watch.did(`be refused: token ${reason}`);
      });
      await pause(PAUSE_MS);
    }
    await attempt(front, "send no token", async () => {
      const answer = await ask({});
      expect(answer, 401, "no token");
      const challenge = answer.headers.get("www-authenticate") ?? "";
      if (challenge.includes("error=")) throw new Error(`challenge ${challenge}`);
      front.watch.did("be refused: no token");
    });
    await attempt(front, "send two tokens", async () => {
      expect(await ask(bearerHeader("a, b"), { refused: "several" }), 400, "two tokens");
      front.watch.did("be refused: two tokens");
    });
    await pause(PAUSE_MS);
  }
}

/** Comes with wrong codes, used codes and old refresh tokens, until `isOver`. */
export async function tryGrants(front: Front, isOver: () => boolean): Promise<void> {
  for (let nth = 0; !isOver(); nth++) {
    const person = new Person(front, "thief", anyAddress());
    await attempt(front, "steal", () => nth % 2 ? steal(front, person) : replay(front, person));
    if (nth % 5 === 0) await attempt(front, "flood", () => flood(front));
    await pause(RETRY_MS);
  }
}

// A wrong verifier costs the right client nothing; a code that comes twice ends the grant.
async function steal({ watch }: Front, person: Person): Promise<void> {
  const client = await person.register();
  const refused = (reason: string) => watch.count(audited("refused", "token", reason));
  expect(await person.redeem(client, "no code"), 400, "an unknown code");
  refused("unknown code");
  expect(await person.redeem("no client", "no code"), 401, "an unknown client");
  refused("unknown client");
  const code = await person.logIn(client);
  expect(await person.redeem(client, code, "w".repeat(43)), 400, "a wrong verifier");
  refused("wrong code_verifier");
  const first = await person.redeem(client, code);
  expect(first, 200, "a right code");
  watch.count(audited("issued", "token"));
  expect(await person.redeem(client, code), 400, "a used code");
  watch.count(audited("reuse detected", "token", "the code was used already"));
  refused("the code was used already");
  const { refresh_token } = JSON.parse(first.text) as Tokens;
  const form = { grant_type: "refresh_token", refresh_token };
  expect(await person.token(client, form), 400, "a grant that ended");
  refused("unknown or ended");
  watch.did("be refused: wrong and used codes");
}

// A refresh token that is two generations old ends the grant.
async function replay({ watch }: Front, person: Person): Promise<void> {
  const { client, tokens } = await person.connect();
  const second = await person.refresh(client, tokens);
  await person.refresh(client, second);
  const form = { grant_type: "refresh_token", refresh_token: tokens.refresh_token };
  expect(await person.token(client, form), 400, "an old refresh token");
  watch.count(audited("reuse detected", "token", "an older refresh token"));
  watch.count(audited("refused", "token", "an older refresh token"));
  watch.did("be refused: old refresh tokens");
}

async function flood(front: Front): Promise<void> {
  const address = anyAddress();
  const asked = Array.from(
    { length: FLOOD },
    () => front.ask("/oauth/authorize", {}, address),
  );
  const statuses = (await Promise.all(asked)).map(({ status }) => status);
  for (const status of statuses) {
    if (status === 400) {
      front.watch.count(audited("refused", "authorization", "client_id is missing"));
    } else if (status !== 429) throw new Error(`a page without a client was answered ${status}`);
  }
  if (!statuses.includes(429)) throw new Error("nobody was too many");
  front.watch.did("be too many");
}

/** Sends bodies that are too large or no JSON, until `isOver`. */
export async function tryBodies(front: Front, isOver: () => boolean): Promise<void> {
  const person = new Person(front, "loudmouth", anyAddress());
  while (!isOver()) {
    await attempt(front, "send bad bodies", async () => {
      const { tokens } = await person.connect();
      const headers = bearerHeader(tokens.access_token);
      for (let nth = 0; nth < 20 && !isOver(); nth++) {
        const init = { ...modernCall(...CALL, headers), body: "no JSON" };
        expect(await front.ask("/mcp", init, person.address, "accepted"), 400, "no JSON");
        await oversized(front, "/mcp", headers, "application/json", 413);
        await oversized(front, "/oauth/token", {}, "application/x-www-form-urlencoded", 400);
        front.watch.count(audited("refused", "token", "The body is too large"));
        front.watch.did("be refused: bad bodies");
        await pause(10 * PAUSE_MS);
      }
    });
    await pause(RETRY_MS);
  }
}

/** Sends a body that is too large: every other one says so, the others are found out. */
async function oversized(
  front: Front,
  path: string,
  headers: Readonly<Record<string, string>>,
  type: string,
  due: number,
): Promise<void> {
  const isDeclared = path !== "/mcp" || Math.random() < 0.5;
  const size = MAX_BODY_BYTES.toString(16);
  const all = {
    host: new URL(front.origin).host,
    "x-forwarded-for": anyAddress(),
    "content-type": type,
    accept: "application/json, text/event-stream",
    ...headers,
    ...(isDeclared
      ? { "content-length": `${MAX_BODY_BYTES + 1}` }
      : { "transfer-encoding": "chunked" }),
  };
  const head = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`).join("");
  // Nothing more is sent than tells that it is too large; the server waits a second for the rest.
  const body = isDeclared ? "x" : `${size}\r\n${"x".repeat(MAX_BODY_BYTES)}\r\n1\r\nx`;
  const judged = path === "/mcp" ? "accepted" : undefined;
  const status = await front.raw(path, `POST ${path} HTTP/1.1\r\n${head}\r\n${body}`, judged);
  if (status !== due) throw new Error(`a large body at ${path} was answered ${status}, not ${due}`);
}

function anyAddress(): string {
  const [a, b, c] = crypto.getRandomValues(new Uint8Array(3));
  return `10.${a}.${b}.${c}`;
}
