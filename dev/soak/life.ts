/**
 * What good clients do all day: log in, call, refresh, hold sessions and streams, leave.
 *
 * @module
 */

import { bearerHeader, legacyCall, modernCall } from "../../tests/fakes.ts";
import { type Front, pause, Unavailable } from "./front.ts";
import { type Person, type Tokens } from "./person.ts";

/** How old tokens may become before they are refreshed, in milliseconds: an outage may follow. */
const REFRESH_MS = 10_000;

/** How long a grant is used, in milliseconds: between one and two of these. */
const LIFE_MS = 20_000;

/** How many calls are made before something else is done. */
const CALLS = 50;

/**
 * After how many milliseconds a client tries again what could not be done: often enough to meet
 * every outage, and seldom enough for the limits on registrations.
 */
export const RETRY_MS = 2_000;

const INITIALIZE = {
  protocolVersion: "2025-11-25",
  capabilities: {},
  clientInfo: { name: "soak", version: "1" },
};
const LISTEN = { notifications: { toolsListChanged: true } };

/** Lives one life after another until `isOver`. */
export async function live(front: Front, person: Person, isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    const lived = await attempt(front, "log in", () => person.connect());
    if (!lived) {
      await pause(RETRY_MS);
      continue;
    }
    front.watch.did("log in");
    await attempt(front, "use a grant", () => use(front, person, lived, isOver));
  }
}

/**
 * Does `work`. A failure is excused when the identity provider could not be asked meanwhile, and a
 * wrong otherwise.
 */
export async function attempt<T>(
  { watch, outages }: Front,
  what: string,
  work: () => Promise<T>,
): Promise<T | undefined> {
  const from = performance.now();
  try {
    return await work();
  } catch (error) {
    const isExcused = error instanceof Unavailable && outages.excuses(from, performance.now());
    if (isExcused) watch.excused(what);
    else watch.wrong(`${what}: ${error instanceof Error ? error.message : error}`);
    return undefined;
  }
}

async function use(
  front: Front,
  person: Person,
  lived: { readonly client: string; readonly tokens: Tokens },
  isOver: () => boolean,
): Promise<void> {
  const { watch } = front;
  let { tokens } = lived;
  let freshAt = performance.now();
  const endAt = freshAt + LIFE_MS * (1 + Math.random());
  while (!isOver() && performance.now() < endAt) {
    if (performance.now() - freshAt > REFRESH_MS) {
      const next = await attempt(front, "refresh", () => person.refresh(lived.client, tokens));
      if (next) {
        tokens = next;
        freshAt = performance.now();
        watch.did("refresh");
      } else freshAt += RETRY_MS;
    }
    for (let nth = 0; nth < CALLS; nth++) await person.callModern(tokens);
    if (Math.random() < 0.5) await session(front, person, tokens);
    if (Math.random() < 0.2) await subscription(front, person, tokens);
  }
  if (Math.random() < 0.5) {
    await person.revoke(lived.client, tokens);
    watch.did("revoke");
  }
}

/** Opens a session, and says who it is. */
export async function openSession(
  front: Front,
  { address }: Person,
  { access_token }: Tokens,
): Promise<string> {
  const headers = bearerHeader(access_token);
  const opening = legacyCall("initialize", INITIALIZE, headers);
  const { status, headers: said, text } = await front.ask("/mcp", opening, address, "accepted");
  const id = said.get("mcp-session-id");
  if (status !== 200 || id === null) throw new Error(`initialize was answered ${status} ${text}`);
  const notice = await front.ask(
    "/mcp",
    {
      ...legacyCall("", {}, { ...headers, "mcp-session-id": id }),
      body: JSON.stringify({ jsonrpc: "2.0", method: "notifications/initialized" }),
    },
    address,
    "accepted",
  );
  if (notice.status !== 202) throw new Error(`initialized was answered ${notice.status}`);
  return id;
}

/** Opens the stream of a session. */
export function openStream(front: Front, person: Person, tokens: Tokens, session: string) {
  return front.stream({
    headers: {
      ...bearerHeader(tokens.access_token),
      accept: "text/event-stream",
      "mcp-session-id": session,
    },
  }, person.address);
}

/** Opens a subscription. */
export function subscribe(front: Front, person: Person, tokens: Tokens) {
  const init = modernCall("subscriptions/listen", LISTEN, bearerHeader(tokens.access_token));
  return front.stream(init, person.address);
}

// Half of the clients leave their stream; the others end their session, which ends it.
async function session(front: Front, person: Person, tokens: Tokens): Promise<void> {
  const id = await openSession(front, person, tokens);
  const stream = await openStream(front, person, tokens, id);
  for (let nth = 0; nth < CALLS; nth++) await person.callLegacy(tokens, id);
  const leaves = Math.random() < 0.5;
  if (leaves) await stream.leave();
  const headers = { ...bearerHeader(tokens.access_token), "mcp-session-id": id };
  const init = { method: "DELETE", headers };
  const { status, text } = await front.ask("/mcp", init, person.address, "accepted");
  if (status !== 200) throw new Error(`the end of a session was answered ${status} ${text}`);
  if (!leaves) await stream.end();
  front.watch.did("open and close a session with a stream");
}

async function subscription(front: Front, person: Person, tokens: Tokens): Promise<void> {
  const stream = await subscribe(front, person, tokens);
  for (let nth = 0; nth < CALLS / 10; nth++) await person.callModern(tokens);
  await stream.leave();
  front.watch.did("subscribe and leave");
}
