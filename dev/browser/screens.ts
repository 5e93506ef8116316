/**
 * The screens on which pages are looked at, and what has to hold on each.
 *
 * @module
 */

import { ok, strictEqual as equal } from "node:assert/strict";
import type { BrowserContextOptions, Page } from "playwright-core";
import { brightness, leastContrast, overflow } from "./measure.ts";

/** Least side of what a finger presses, in pixels. */
const FINGER = 44;
/** WCAG 2.2 section 1.4.3. */
const LEAST_CONTRAST = 4.5;

export const DESKTOP = { viewport: { width: 900, height: 600 } };
export const PHONE = { viewport: { width: 375, height: 812 }, hasTouch: true, isMobile: true };
export const SMALL = { ...PHONE, viewport: { width: 320, height: 568 } };
export const DARK = { colorScheme: "dark" } as const;

export const SCREENS: Readonly<Record<string, BrowserContextOptions>> = {
  desktop: DESKTOP,
  phone: PHONE,
  "small phone": SMALL,
  "desktop in the dark": { ...DESKTOP, ...DARK },
  "phone in the dark": { ...PHONE, ...DARK },
};

/** Nothing is cut off, and everything that is pressed can be reached and is large enough. */
export async function fits(page: Page): Promise<void> {
  ok(await overflow(page) <= 0, `${await overflow(page)} pixels too wide`);
  const width = page.viewportSize()!.width;
  const pressed = page.getByRole("button").or(page.getByRole("link")).or(page.locator("summary"));
  for (const control of await pressed.all()) {
    await control.click({ trial: true });
    const box = (await control.boundingBox())!;
    ok(box.height >= FINGER && box.width >= FINGER, JSON.stringify(box));
    ok(box.x >= 0 && box.x + box.width <= width, JSON.stringify(box));
  }
}

/** The page is as light or dark as the screen, and everything on it can be read. */
export async function reads(page: Page, { colorScheme }: BrowserContextOptions): Promise<void> {
  equal((await brightness(page)) < 0.1, colorScheme === "dark");
  const { ratio, text } = await leastContrast(page);
  ok(ratio >= LEAST_CONTRAST, `${ratio.toFixed(2)} for ${text}`);
}
