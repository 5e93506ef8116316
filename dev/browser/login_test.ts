/**
 * A person with a real browser, from an app to its tokens, in all the ways in which people do it.
 *
 * @module
 */

import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import type { Route } from "playwright-core";
import { OUTCOMES } from "./client.ts";
import { focusRing } from "./measure.ts";
import { escaped, site } from "./site.ts";
import { approve, caught, CONSENT, heading, logIn, setStage, type Stage } from "./stage.ts";

const CONNECTED = OUTCOMES.connected("alice@example.com");
const LOGIN = "Who do you want to be?";
const USED = "This login was used already";

let stage: Stage;
Deno.test.beforeAll(async () => void (stage = await setStage()));
Deno.test.afterAll(async () => await stage[Symbol.asyncDispose]());

Deno.test("a person consents, logs in, and the app can act as them (SPEC B5.1, B5.3)", async () => {
  await using person = await stage.person();
  const { page, complaints } = person;
  await page.goto(stage.client.request());
  await approve(page);
  await logIn(page, "Alice");
  equal(await heading(page, /connected/i), CONNECTED);
  deepEqual(complaints, []);
});

Deno.test("a person comes and goes between sites (SPEC B5.4)", async () => {
  await using person = await stage.person();
  const { page, context } = person;
  let target = stage.client.request();
  await using elsewhere = site("127.0.0.1", () => `<a href="${escaped(target)}">On</a>`);
  const follow = async () => {
    await page.goto(elsewhere.origin);
    await page.getByRole("link").click();
  };
  await follow();
  await approve(page);
  // The way back, as if the login page were on another site.
  target = await caught(context, "**/oauth/callback?*", () => logIn(page, "Alice"));
  await follow();
  equal(await heading(page, /connected/i), CONNECTED);
});

Deno.test("the way back is bound only after an approval, out of scripts' reach (SPEC B5.4, B5.6)", async () => {
  await using person = await stage.person();
  const { page, context } = person;
  const cookies = async () =>
    (await context.cookies()).map(({ name, httpOnly, sameSite, path }) => ({
      use: /^gatehouse-(form|login)/.exec(name)?.[1],
      httpOnly,
      sameSite,
      path,
    }));
  const as = (use: string) => ({ use, httpOnly: true, sameSite: "Lax", path: "/" });
  await page.goto(stage.client.request());
  await heading(page, CONSENT);
  deepEqual(await cookies(), [as("form")]);
  await approve(page);
  deepEqual(await cookies(), [as("form"), as("login")]);
});

Deno.test("a person who cancels is taken back to the app, which is told (SPEC B2.4, B2.5)", async () => {
  await using person = await stage.person();
  const { page, context, complaints } = person;
  await page.goto(stage.client.request());
  await page.getByRole("button", { name: "Cancel" }).click();
  equal(await heading(page, /connected/i), OUTCOMES.refused("access_denied"));
  equal((await context.cookies()).some(({ name }) => name.includes("login")), false);
  deepEqual(complaints, []);
});

Deno.test("a consent page that was loaded again works", async () => {
  await using person = await stage.person();
  const { page } = person;
  await page.goto(stage.client.request());
  await heading(page, CONSENT);
  await page.reload();
  await approve(page);
  await logIn(page, "Alice");
  equal(await heading(page, /connected/i), CONNECTED);
});

Deno.test("a person who goes back to the question can answer it again", async () => {
  await using person = await stage.person();
  const { page } = person;
  await page.goto(stage.client.request());
  await approve(page);
  await page.goBack();
  await approve(page);
  await logIn(page, "Alice");
  equal(await heading(page, /connected/i), CONNECTED);
});

Deno.test("a login counts once, also for who goes back to it (SPEC B5.6)", async () => {
  await using person = await stage.person();
  const { page } = person;
  await page.goto(stage.client.request());
  await approve(page);
  await logIn(page, "Alice");
  equal(await heading(page, /connected/i), CONNECTED);
  await page.goBack();
  await heading(page, LOGIN);
  await logIn(page, "Bob");
  equal(await heading(page, /./), USED);
});

Deno.test("a form that is sent twice leads on once", async () => {
  await using person = await stage.person();
  const { page } = person;
  await page.goto(stage.client.request());
  await page.getByRole("button", { name: /^Continue to/ }).dblclick();
  await heading(page, LOGIN);
  await logIn(page, "Alice");
  equal(await heading(page, /connected/i), CONNECTED);
});

Deno.test("two tabs that take turns both arrive", async () => {
  await using person = await stage.person();
  const first = person.page;
  const second = await person.context.newPage();
  await first.goto(stage.client.request());
  await second.goto(stage.client.request());
  await approve(first);
  await approve(second);
  // One of each kind is enough for all of them.
  equal((await person.context.cookies()).length, 2);
  await logIn(first, "Alice");
  await logIn(second, "Bob");
  equal(await heading(first, /connected/i), CONNECTED);
  equal(await heading(second, /connected/i), OUTCOMES.connected("bob@example.com"));
});

Deno.test("two tabs that open at the same moment both arrive", async () => {
  await using person = await stage.person();
  const tabs = [person.page, await person.context.newPage()];
  // Both requests are on their way before either is answered, so neither has the other's cookie.
  let held: Route[] = [];
  await person.context.route(/\/oauth\/(authorize|consent)/, async (route) => {
    held.push(route);
    if (held.length < tabs.length) return;
    const all = held;
    held = [];
    await Promise.all(all.map((one) => one.continue()));
  });
  await Promise.all(tabs.map((tab) => tab.goto(stage.client.request())));
  await Promise.all(tabs.map(approve));
  await Promise.all(tabs.map((tab) => logIn(tab, "Alice")));
  for (const tab of tabs) equal(await heading(tab, /connected/i), CONNECTED);
});

Deno.test("nothing needs a script", async () => {
  await using person = await stage.person({ javaScriptEnabled: false });
  const { page } = person;
  await page.goto(stage.client.request());
  await approve(page);
  await logIn(page, "Alice");
  equal(await heading(page, /connected/i), CONNECTED);
});

Deno.test("the keyboard is enough, and shows where it is", async () => {
  await using person = await stage.person();
  const { page } = person;
  const press = async (name: RegExp) => {
    await page.keyboard.press("Tab");
    const focused = page.locator(":focus");
    ok(name.test(await focused.innerText()), await focused.innerText());
    ok(await focusRing(focused) >= 2);
    await page.keyboard.press("Enter");
  };
  await page.goto(stage.client.request());
  await heading(page, CONSENT);
  await press(/^Continue to/);
  await heading(page, LOGIN);
  await press(/^Alice/);
  equal(await heading(page, /connected/i), CONNECTED);
});
