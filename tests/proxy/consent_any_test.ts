import { doesNotMatch, ok, strictEqual as equal } from "node:assert/strict";
import fc from "fast-check";
import { formOf } from "../browser.ts";
import { newGate } from "./flow.ts";
import { altered, type FormChanges, postForm, PURPOSES, sealOf } from "./forms.ts";

/** One thing that an attacker could change about the form, by what it changes. */
type Change = readonly [
  part: "consent" | "decision" | "cookie" | "origin" | "site",
  value: string | undefined,
];

/** A gate, a person who was asked, and all that an attacker may get hold of. */
async function attacked() {
  const gate = await newGate();
  const client = await gate.register();
  const [browser, mallory] = [gate.browser(), gate.browser()];
  const page = await gate.ask(client, {}, { browser });
  const theirs = await gate.ask(client, {}, { browser: mallory });
  await gate.authorize(client, {}, { browser: mallory });
  const { consent } = formOf(page.text).fields;
  const now = gate.ports.now();
  const value = await sealOf(gate, "consent").open(consent!, now);
  const resealed = await Promise.all(
    PURPOSES.filter((one) => one !== "consent").map((one) =>
      sealOf(gate, one).seal(value, now + 600)
    ),
  );
  const old = await sealOf(gate, "consent").seal(value, now);
  const cookie = browser.cookieFor(page.url)!;
  const [name, marker] = cookie.split("=") as [string, string];
  const mallorys = {
    consent: formOf(theirs.text).fields.consent,
    cookie: mallory.cookieFor(page.url),
  };
  return {
    gate,
    browser,
    page,
    mallorys,
    bad: {
      consent: [
        undefined,
        "",
        altered(consent!),
        old,
        mallorys.consent,
        client.id,
        ...resealed,
      ],
      decision: [undefined, "", "deny", "Approve", "approve ", "approve\0"],
      cookie: [
        undefined,
        "",
        mallorys.cookie,
        `${name}=${marker}0`,
        `x${cookie}`,
        marker,
      ],
      origin: ["null", "", "https://evil.example", "http://localhost", "https://localhost:8080"],
      site: ["cross-site", "same-site", "none", ""],
    },
  };
}

Deno.test("consent() approves nothing with any part of the form altered (SPEC B5.1, B5.3)", async () => {
  const { gate, browser, page, mallorys, bad } = await attacked();
  const changes: Change[] = Object.entries(bad).flatMap(([part, values]) =>
    values.map((value) => [part, value] as Change)
  );
  // Fields that an attacker could hope are read, and headers that tell nothing for certain.
  const noise = fc.dictionary(
    fc.constantFrom("redirect_uri", "client_id", "state", "scope", "approve", "csrf"),
    fc.constantFrom("approve", "https://evil.example/", "1"),
    { maxKeys: 3 },
  );
  const silent = fc.constantFrom<Record<string, undefined>>({}, { origin: undefined }, {
    "sec-fetch-site": undefined,
  }, { origin: undefined, "sec-fetch-site": undefined });
  let address = 0;
  const send = (changed: FormChanges) => {
    // The limit per address is not what this is about.
    address++;
    const from = `127.1.${address >> 8}.${address & 255}`;
    return postForm(gate, page, browser, { ...changed, address: from });
  };
  await fc.assert(
    fc.asyncProperty(
      fc.subarray(changes, { minLength: 1, maxLength: 4 }),
      noise,
      silent,
      async (altered, more, quiet) => {
        const parts = Object.fromEntries(altered);
        // Mallory may approve what she was asked herself, in her own browser.
        fc.pre(parts.consent !== mallorys.consent || parts.cookie !== mallorys.cookie);
        const has = (part: Change[0]) => part in parts;
        const response = await send({
          fields: {
            decision: has("decision") ? parts.decision : "approve",
            ...(has("consent") && { consent: parts.consent }),
            ...more,
          },
          headers: {
            ...quiet,
            ...(has("cookie") && { cookie: parts.cookie }),
            ...(has("origin") && { origin: parts.origin }),
            ...(has("site") && { "sec-fetch-site": parts.site }),
          },
        });
        equal(response.headers.get("set-cookie"), null);
        equal(response.headers.get("location"), null);
        doesNotMatch(await response.text(), /oauth\/login/);
      },
    ),
    { seed: 1, numRuns: 400 },
  );
  const whole = await send({ fields: { decision: "approve" } });
  equal(whole.status, 200);
  ok(whole.headers.get("set-cookie")?.startsWith("gatehouse-login-"));
});
