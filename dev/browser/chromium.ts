/**
 * A real browser without a screen.
 *
 * Uses the Chromium of the machine (`apt-get install chromium`) and downloads none.
 *
 * @module
 */

import { type Browser, chromium } from "playwright-core";

const PLACES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const START_DEADLINE_MS = 30_000;

/** A browser that runs, and is closed with all its windows. */
export interface RunningBrowser extends AsyncDisposable {
  readonly browser: Browser;
}

/** Where the machine has Chromium: `CHROMIUM_BIN` when that is set, or a usual place. */
export function chromiumPath(): string | undefined {
  const told = Deno.env.get("CHROMIUM_BIN");
  return (told === undefined ? PLACES : [told]).find(isFile);
}

/**
 * Starts Chromium.
 *
 * @throws {Error} When there is none, or it does not start within 30 s.
 */
export async function startChromium(): Promise<RunningBrowser> {
  const executablePath = chromiumPath();
  if (executablePath === undefined) {
    throw new Error("Cannot find Chromium: install it, or name it in CHROMIUM_BIN");
  }
  const browser = await chromium.launch({
    executablePath,
    timeout: START_DEADLINE_MS,
    // Chromium does not run as root in its own sandbox.
    chromiumSandbox: Deno.uid() !== 0,
  });
  return { browser, [Symbol.asyncDispose]: () => browser.close() };
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
