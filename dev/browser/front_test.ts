/**
 * The page at `/` as people meet it: on every screen, with and without its script, by keyboard.
 *
 * With `SCREENSHOTS=1` it also makes the picture of the README.
 *
 * @module
 */

import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import type { Locator, Page } from "playwright-core";
import { focusRing } from "./measure.ts";
import { DARK, DESKTOP, fits, PHONE, reads, SCREENS, SMALL } from "./screens.ts";
import { setStage, type Stage } from "./stage.ts";

let stage: Stage;
Deno.test.beforeAll(async () => void (stage = await setStage()));
Deno.test.afterAll(async () => await stage[Symbol.asyncDispose]());

async function open(page: Page): Promise<void> {
  await page.goto(stage.program.origin);
  await page.getByRole("heading", { level: 1, name: "Gatehouse" }).waitFor();
}

/** Opens every client in turn. */
async function eachClient(page: Page, look: (client: string) => Promise<void>): Promise<void> {
  for (const summary of await page.locator("details:not([open]) > summary").all()) {
    await summary.click();
    await look(await summary.innerText());
  }
}

for (const [screen, options] of Object.entries(SCREENS)) {
  Deno.test(`the front page fits a ${screen}, whichever client is open`, async () => {
    await using person = await stage.person(options);
    const { page } = person;
    await open(page);
    await fits(page);
    await reads(page, options);
    await eachClient(page, () => fits(page));
    deepEqual(person.complaints, []);
  });
}

Deno.test("the front page at twice the size of its letters still fits", async () => {
  await using person = await stage.person(SMALL);
  const { page } = person;
  await open(page);
  await page.locator("html").evaluate((html) => Object.assign(html, { style: "font-size: 200%" }));
  await fits(page);
});

Deno.test("the front page asks nobody but its own server for anything", async () => {
  await using person = await stage.person(DESKTOP);
  const { page, context } = person;
  const asked = new Set<string>();
  context.on("request", (request) => void asked.add(new URL(request.url()).origin));
  await open(page);
  await eachClient(page, async () => {});
  await page.waitForLoadState("networkidle");
  deepEqual([...asked], [stage.program.origin]);
});

/** Lets no time pass on the page but what a test says. */
async function stopClock(page: Page): Promise<void> {
  await page.clock.install({ time: 0 });
  await page.clock.pauseAt(1000);
}

/** What is in the clipboard, as another page of the same browser finds it. */
async function clipboard(page: Page): Promise<string> {
  const other = await page.context().newPage();
  await other.goto(`${stage.program.origin}/healthz`);
  const text = await other.evaluate("navigator.clipboard.readText()") as string;
  await other.close();
  return text;
}

const CLIPBOARDS: Readonly<Record<string, string>> = {
  "the clipboard of a secure page": "",
  "a browser that gives pages no clipboard":
    "Object.defineProperty(navigator, 'clipboard', { value: undefined })",
};

for (const [kind, before] of Object.entries(CLIPBOARDS)) {
  Deno.test(`every button of the front page copies what stands beside it, with ${kind}`, async () => {
    await using person = await stage.person(DESKTOP);
    const { page, context } = person;
    await context.grantPermissions(["clipboard-read", "clipboard-write"]);
    await page.addInitScript(before);
    await stopClock(page);
    await open(page);
    let copied = 0;
    const copyAll = async () => {
      for (const box of await page.locator(".snippet:visible").all()) {
        const button = box.getByRole("button");
        await button.click();
        await page.getByRole("status").filter({ hasText: "Copied" }).waitFor();
        equal(await clipboard(page), await box.locator("pre").textContent());
        copied++;
      }
    };
    await copyAll();
    await eachClient(page, copyAll);
    ok(copied > 10, `${copied}`);
    deepEqual(person.complaints, []);
  });
}

Deno.test("a button says for two seconds that it copied, or until another one does", async () => {
  await using person = await stage.person(DESKTOP);
  const { page } = person;
  await stopClock(page);
  await open(page);
  const buttons = page.locator(".copy:visible");
  const [first, second, status] = [buttons.nth(0), buttons.nth(1), page.getByRole("status")];
  const says = (one: Locator, word: RegExp) => one.filter({ hasText: word }).waitFor();
  await first.click();
  await says(first, /^Copied$/);
  await page.clock.runFor(1500);
  await second.click();
  await says(second, /^Copied$/);
  await says(first, /^Copy$/);
  await page.clock.runFor(1500);
  equal(await status.textContent(), "Copied");
  await page.clock.runFor(600);
  await says(second, /^Copy$/);
  equal(await status.textContent(), "");
});

Deno.test("a browser that refuses to copy leaves the text selected, and says so", async () => {
  await using person = await stage.person(DESKTOP);
  const { page } = person;
  await page.addInitScript(
    "Object.defineProperty(navigator, 'clipboard', { value: undefined });" +
      "document.execCommand = () => false;",
  );
  await stopClock(page);
  await open(page);
  const box = page.locator(".snippet").first();
  await box.getByRole("button").click();
  await page.getByRole("status").filter({ hasText: "Selected" }).waitFor();
  equal(
    String(await page.evaluate("getSelection().toString()")).trim(),
    await box.locator("pre").textContent(),
  );
});

Deno.test("without its script the front page shows no button, and everything else works", async () => {
  await using person = await stage.person({ ...PHONE, javaScriptEnabled: false });
  const { page } = person;
  await open(page);
  equal(await page.getByRole("button").count(), 0);
  await fits(page);
  await eachClient(page, async (client) => {
    ok(await page.locator("details[open] :is(pre, a)").count() > 0, client);
    equal(await page.getByRole("button").count(), 0);
  });
  equal(await page.locator("details[open]").count(), 1);
  deepEqual(person.complaints, []);
});

Deno.test("the front page works by keyboard, and shows where it is", async () => {
  await using person = await stage.person(DESKTOP);
  const { page } = person;
  await open(page);
  const focused = page.locator(":focus");
  await page.keyboard.press("Tab");
  equal(await focused.getAttribute("aria-label"), "Copy the URL of the endpoint");
  ok(await focusRing(focused) >= 2);
  await page.keyboard.press("Tab");
  equal(await focused.innerText(), "Claude Code");
  await page.keyboard.press("Enter");
  equal(await page.locator("details[open]").count(), 0);
  await page.keyboard.press("Tab");
  equal(await focused.innerText(), "Claude Desktop");
  ok(await focusRing(focused) >= 2);
  await page.keyboard.press("Space");
  equal(await page.locator("details[open] > summary").innerText(), "Claude Desktop");
});

Deno.test("the front page can be read aloud", async () => {
  await using person = await stage.person(DESKTOP);
  const { page } = person;
  await open(page);
  equal(await page.locator("html").getAttribute("lang"), "en");
  ok(await page.title());
  equal(await page.getByRole("main").count(), 1);
  equal(await page.getByRole("heading", { level: 1 }).count(), 1);
  deepEqual(
    await page.getByRole("heading", { level: 2 }).allInnerTexts(),
    ["Endpoint", "Connect"],
  );
  equal(await page.locator("dl > :not(div), dl > div > :not(dt, dd)").count(), 0);
  const labels = await page.locator(".copy").evaluateAll((buttons) =>
    buttons.map((button) => String(button.getAttribute("aria-label")))
  );
  ok(labels.every((label) => label.startsWith("Copy ")));
  equal(new Set(labels).size, labels.length);
  equal(await page.locator("img, svg, [tabindex], [id]").count(), 0);
});

Deno.test({
  name: "the picture of the README",
  ignore: Deno.env.get("SCREENSHOTS") !== "1",
  fn: async () => {
    const pictures = {
      front: DESKTOP,
      "front-dark": { ...DESKTOP, ...DARK },
      "front-phone": PHONE,
    };
    for (const [file, options] of Object.entries(pictures)) {
      await using person = await stage.person(options);
      await open(person.page);
      const path = new URL(`screenshots/${file}.png`, import.meta.url).pathname;
      await person.page.screenshot({ path, fullPage: true });
    }
  },
});
