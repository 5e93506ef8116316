/**
 * Everything that a login takes: the real program with its development login, an app, and a browser.
 *
 * @module
 */

import type { Browser, BrowserContext, BrowserContextOptions, Page } from "playwright-core";
import { HTTP_ENV, type Program, start } from "../../tests/e2e/program.ts";
import { startChromium } from "./chromium.ts";
import { type LoopbackClient, startClient } from "./client.ts";

/** What a person sees first of the server. */
export const CONSENT = /^Let “.*” act as you\?$/;

/** What everything happens on. */
export interface Stage extends AsyncDisposable {
  readonly program: Program;
  readonly client: LoopbackClient;
  /** Opens a browser of its own: no cookie is shared with another. */
  person(options?: BrowserContextOptions): Promise<Person>;
}

/** Somebody with a browser, who closes it in the end. */
export interface Person extends AsyncDisposable {
  readonly context: BrowserContext;
  readonly page: Page;
  /** What browsers complain of in their console, but for the status of answers. */
  readonly complaints: string[];
}

/** How long anything in the browser may take, in milliseconds. */
const PATIENCE_MS = 15_000;

/** Starts everything. @param name What the app calls itself. */
export async function setStage(name = "Example Editor"): Promise<Stage> {
  await using stack = new AsyncDisposableStack();
  const program = stack.use(
    await start({
      env: {
        ...HTTP_ENV,
        OAUTH_MODE: "proxy",
        OAUTH_SCOPES_REQUIRED: "mcp:read",
        LOG_FORMAT: "json",
      },
    }),
  );
  const client = stack.use(await startClient(program.origin, name));
  const { browser } = stack.use(await startChromium());
  const all = stack.move();
  return {
    program,
    client,
    person: (options) => newPerson(browser, options),
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

async function newPerson(browser: Browser, options?: BrowserContextOptions): Promise<Person> {
  const context = await browser.newContext(options);
  context.setDefaultTimeout(PATIENCE_MS);
  const complaints: string[] = [];
  context.on("console", (message) => {
    const text = message.text();
    const isAboutStatus = /^Failed to load resource: the server responded with a status/.test(text);
    if (message.type() === "error" && !isAboutStatus) complaints.push(text);
  });
  return {
    context,
    page: await context.newPage(),
    complaints,
    [Symbol.asyncDispose]: () => context.close(),
  };
}

/** The heading of the page, once `fits` it. */
export async function heading(page: Page, fits: RegExp | string): Promise<string> {
  const found = page.getByRole("heading", { level: 1, name: fits, exact: true });
  await found.waitFor();
  return await found.innerText();
}

/** Presses the button that says yes, and waits for the login page. */
export async function approve(page: Page): Promise<void> {
  await heading(page, CONSENT);
  await page.getByRole("button", { name: /^Continue to/ }).click();
  await heading(page, "Who do you want to be?");
}

/** Logs in as the person of that name. */
export async function logIn(page: Page, name: string): Promise<void> {
  await page.getByRole("button", { name: new RegExp(`^${name}`) }).click();
}

/** The URL of the first request that fits `pattern` after `act`; it is not sent. */
export async function caught(
  context: BrowserContext,
  pattern: string,
  act: () => Promise<void>,
): Promise<string> {
  const found = Promise.withResolvers<string>();
  await context.route(pattern, async (route) => {
    // The page stays where it is, and the browser does not try again.
    await route.fulfill({ status: 204 });
    found.resolve(route.request().url());
  });
  await act();
  const url = await found.promise;
  await context.unroute(pattern);
  return url;
}
