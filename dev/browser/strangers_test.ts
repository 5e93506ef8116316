/**
 * What other people and other sites can make of a login in somebody's real browser: nothing.
 *
 * @module
 */

import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { OUTCOMES } from "./client.ts";
import { escaped, type Site, site } from "./site.ts";
import { approve, caught, CONSENT, heading, logIn, setStage, type Stage } from "./stage.ts";

const CONNECTED = OUTCOMES.connected("alice@example.com");
const ANOTHER = "This login belongs to another browser";

let stage: Stage;
Deno.test.beforeAll(async () => void (stage = await setStage()));
Deno.test.afterAll(async () => await stage[Symbol.asyncDispose]());

Deno.test("a login page that is sent to somebody else does not log them in for the sender (SPEC B5.6)", async () => {
  await using sender = await stage.person();
  await using victim = await stage.person();
  await sender.page.goto(stage.client.request());
  await approve(sender.page);
  await victim.page.goto(sender.page.url());
  await logIn(victim.page, "Alice");
  equal(await heading(victim.page, /./), ANOTHER);
  // The one who began it can still finish.
  await logIn(sender.page, "Alice");
  equal(await heading(sender.page, /connected/i), CONNECTED);
});

Deno.test("a way back that is sent to somebody else leads nowhere, and stays good (SPEC B5.6)", async () => {
  await using owner = await stage.person();
  await using other = await stage.person();
  await owner.page.goto(stage.client.request());
  await approve(owner.page);
  const back = await caught(owner.context, "**/oauth/callback?*", () => logIn(owner.page, "Alice"));
  await other.page.goto(back);
  equal(await heading(other.page, /./), ANOTHER);
  // Nor when that browser is at a login of its own.
  await other.page.goto(stage.client.request());
  await approve(other.page);
  await other.page.goto(back);
  equal(await heading(other.page, /./), ANOTHER);
  await owner.page.goto(back);
  equal(await heading(owner.page, /connected/i), CONNECTED);
});

Deno.test("no other page can show the question in a frame (SPEC B2.5, B5.3)", async () => {
  await using person = await stage.person();
  const { page } = person;
  for (const host of ["127.0.0.1", "localhost"] as const) {
    await using trap = site(
      host,
      () => `<iframe src="${escaped(stage.client.request())}"></iframe>`,
    );
    const before = person.complaints.length;
    await page.goto(trap.origin);
    const [, frame] = page.frames();
    ok(frame);
    await frame.waitForLoadState();
    equal(await frame.getByRole("button", { includeHidden: true }).count(), 0);
    match(person.complaints.slice(before).join("\n"), /frame-ancestors/);
  }
});

for (const host of ["127.0.0.1", "localhost"] as const) {
  Deno.test(`a form on ${host}:* that answers for the person is refused (SPEC B5.3)`, async () => {
    await using person = await stage.person();
    const { page } = person;
    await page.goto(stage.client.request());
    await heading(page, CONSENT);
    // Even with the person's own question, which no other site could know.
    const consent = await page.locator("input[name=consent]").inputValue();
    await using trap = forger(host, { consent, decision: "approve" });
    await page.goto(trap.origin);
    equal(await heading(page, /./), ANOTHER);
    equal(new URL(page.url()).origin, stage.program.origin);
    deepEqual((await person.context.cookies()).filter(({ name }) => /login/.test(name)), []);
  });
}

Deno.test("a question that another browser was asked cannot be answered from here (SPEC B5.3)", async () => {
  await using attacker = await stage.person();
  await using person = await stage.person();
  await attacker.page.goto(stage.client.request());
  const theirs = await attacker.page.locator("input[name=consent]").inputValue();
  const { page } = person;
  await page.goto(stage.client.request());
  await heading(page, CONSENT);
  await page.locator("input[name=consent]").evaluate((input, value) => {
    Object.assign(input, { value });
  }, theirs);
  await page.getByRole("button", { name: /^Continue to/ }).click();
  equal(await heading(page, /./), ANOTHER);
});

Deno.test("a form elsewhere that picks who to be is refused", async () => {
  await using person = await stage.person();
  const { page } = person;
  await page.goto(stage.client.request());
  await approve(page);
  const state = new URL(page.url()).searchParams.get("state")!;
  await using trap = forger("localhost", { state, user: "bob" }, "/oauth/login");
  await page.goto(trap.origin);
  equal(await heading(page, /./), ANOTHER);
});

Deno.test("a script on another site reads neither the question nor a code (SPEC B1.9)", async () => {
  await using person = await stage.person();
  const { page } = person;
  await using elsewhere = site("localhost", () => "<title>Elsewhere</title>");
  await page.goto(elsewhere.origin);
  const read = (url: string, credentials: "include" | "omit") =>
    page.evaluate(
      ([url, credentials]) => fetch(url, { credentials }).then((one) => one.text(), String),
      [url, credentials] as const,
    );
  match(await read(stage.client.request(), "include"), /^TypeError/);
  match(await read(stage.client.request(), "omit"), /^TypeError/);
  // What is for everybody can be read, so it is not the network that refuses.
  const everybodys = `${stage.program.origin}/.well-known/oauth-authorization-server`;
  match(await read(everybodys, "omit"), /"issuer"/);
});

Deno.test("an app that is not known is told nothing, and nobody is sent to it (SPEC B2.3)", async () => {
  await using person = await stage.person();
  const url = new URL(stage.client.request());
  url.searchParams.set("redirect_uri", "https://evil.example/callback");
  await person.page.goto(url.href);
  equal(await heading(person.page, /./), "This app asked to return to an unknown address");
  equal(await person.page.getByRole("link").count(), 0);
});

/** A site whose page sends a form to the program at once. */
function forger(
  host: "localhost" | "127.0.0.1",
  fields: Readonly<Record<string, string>>,
  path = "/oauth/consent",
): Site {
  const inputs = Object.entries(fields).map(([name, value]) =>
    `<input type="hidden" name="${name}" value="${escaped(value)}">`
  );
  const form = `<form method="post" action="${stage.program.origin}${path}">${
    inputs.join("")
  }</form>`;
  return site(host, () => `${form}<script>document.forms[0].submit()</script>`);
}
