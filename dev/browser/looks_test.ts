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
import { DARK, DESKTOP, fits, PHONE, reads, SCREENS, SMALL } from "./screens.ts";
import { approve, CONSENT, heading, setStage, type Stage } from "./stage.ts";

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

for (const [name, open] of Object.entries(PAGES)) {
  for (const [screen, options] of Object.entries(SCREENS)) {
    Deno.test(`the ${name} page fits a ${screen}`, async () => {
      await using person = await stage.person(options);
      const { page } = person;
      await open(page);
      await fits(page);
      await reads(page, options);
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
