/**
 * The pages as people meet them: small screens, dark rooms, screen readers.
 *
 * With `SCREENSHOTS=1` it also makes the pictures of the README.
 *
 * @module
 */

import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import type { BrowserContextOptions, Page } from "playwright-core";
import { startClient } from "./client.ts";
import { brightness, leastContrast, overflow } from "./measure.ts";
import { approve, CONSENT, heading, setStage, type Stage } from "./stage.ts";

/** Least side of what a finger presses, in pixels. */
const FINGER = 44;
/** WCAG 2.2 section 1.4.3. */
const LEAST_CONTRAST = 4.5;

const DESKTOP = { viewport: { width: 900, height: 600 } };
const PHONE = { viewport: { width: 375, height: 812 }, hasTouch: true, isMobile: true };
const SMALL = { ...PHONE, viewport: { width: 320, height: 568 } };
const DARK = { colorScheme: "dark" } as const;

let stage: Stage;
Deno.test.beforeAll(async () => void (stage = await setStage()));
Deno.test.afterAll(async () => await stage[Symbol.asyncDispose]());

/** The pages, and how people get there. */
const PAGES: Readonly<Record<string, (page: Page) => Promise<void>>> = {
  consent: async (page) => {
    await page.goto(stage.client.request());
    await heading(page, CONSENT);
  },
  login: async (page) => {
    await page.goto(stage.client.request());
    await approve(page);
  },
  error: async (page) => {
    await page.goto(stage.client.request().replace("redirect_uri=http", "redirect_uri=https"));
    await heading(page, /unknown address/);
  },
};

const SCREENS: Readonly<Record<string, BrowserContextOptions>> = {
  desktop: DESKTOP,
  phone: PHONE,
  "small phone": SMALL,
  "desktop in the dark": { ...DESKTOP, ...DARK },
  "phone in the dark": { ...PHONE, ...DARK },
};

for (const [name, open] of Object.entries(PAGES)) {
  for (const [screen, options] of Object.entries(SCREENS)) {
    Deno.test(`the ${name} page fits a ${screen}`, async () => {
      await using person = await stage.person(options);
      const { page } = person;
      await open(page);
      await fits(page);
      const dark = options.colorScheme === "dark";
      equal((await brightness(page)) < 0.1, dark);
      const { ratio, text } = await leastContrast(page);
      ok(ratio >= LEAST_CONTRAST, `${ratio.toFixed(2)} for ${text}`);
      deepEqual(person.complaints, []);
    });
  }

  Deno.test(`the ${name} page can be read aloud`, async () => {
    await using person = await stage.person();
    const { page } = person;
    await open(page);
    equal(await page.locator("html").getAttribute("lang"), "en");
    ok(await page.title());
    equal(await page.getByRole("main").count(), 1);
    equal(await page.getByRole("heading").count(), 1);
    equal(await page.getByRole("heading", { level: 1 }).count(), 1);
    for (const control of await page.getByRole("button").or(page.getByRole("link")).all()) {
      ok(/\w/.test(await control.innerText()));
    }
    // Nothing that is filled in, so nothing that lacks a label.
    equal(await page.locator("input:not([type=hidden]), select, textarea").count(), 0);
    equal(await page.locator("img, svg, [tabindex], [id]").count(), 0);
    equal(await page.locator("dl > :not(div), dl > div > :not(dt, dd)").count(), 0);
  });
}

Deno.test("an app with much to say of itself does not push the buttons away", async () => {
  const name = `Editor${"W".repeat(80)} ${"\u202eevil".repeat(2)}`;
  await using client = await startClient(stage.program.origin, name);
  await using person = await stage.person(SMALL);
  const { page } = person;
  await page.goto(client.request());
  await page.getByRole("heading", { level: 1 }).waitFor();
  await fits(page);
});

Deno.test("a page at twice the size of its letters still fits", async () => {
  await using person = await stage.person(SMALL);
  const { page } = person;
  await PAGES.consent!(page);
  await page.locator("html").evaluate((html) => Object.assign(html, { style: "font-size: 200%" }));
  await fits(page);
});

Deno.test({
  name: "the pictures of the README",
  ignore: Deno.env.get("SCREENSHOTS") !== "1",
  fn: async () => {
    const pictures: [file: string, page: string, BrowserContextOptions][] = [
      ["consent", "consent", DESKTOP],
      ["consent-dark", "consent", { ...DESKTOP, ...DARK }],
      ["consent-phone", "consent", PHONE],
      ["login", "login", DESKTOP],
      ["error", "error", DESKTOP],
    ];
    for (const [file, name, options] of pictures) {
      await using person = await stage.person(options);
      await PAGES[name]!(person.page);
      const path = new URL(`screenshots/${file}.png`, import.meta.url).pathname;
      await person.page.screenshot({ path, fullPage: true });
    }
  },
});

/** Nothing is cut off, and everything that is pressed can be reached and is large enough. */
async function fits(page: Page): Promise<void> {
  ok(await overflow(page) <= 0, `${await overflow(page)} pixels too wide`);
  const width = page.viewportSize()!.width;
  for (const control of await page.getByRole("button").or(page.getByRole("link")).all()) {
    await control.click({ trial: true });
    const box = (await control.boundingBox())!;
    ok(box.height >= FINGER && box.width >= FINGER, JSON.stringify(box));
    ok(box.x >= 0 && box.x + box.width <= width, JSON.stringify(box));
  }
}
