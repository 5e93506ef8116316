/**
 * People act at Grafana as themselves, whichever way is configured: the program and a real Keycloak
 * as subprocesses, with a stand-in for Grafana that judges the credentials that arrive.
 *
 * One test with steps, because a start of Keycloak is what takes time.
 *
 * @module
 */

import {
  deepStrictEqual as deepEqual,
  match,
  ok,
  rejects,
  strictEqual as equal,
} from "node:assert/strict";
import { decodeJwt } from "@panva/jose";
import { SKEW_SECONDS } from "../../lib/jwt.ts";
import { MOST_AT_ONCE } from "../../lib/pack/turns.ts";
import { call, PEOPLE } from "../grafana/smoke.ts";
import { grafanaStand } from "../grafana/stand.ts";
import { type Gatehouse, startGatehouse } from "./gatehouse.ts";
import { type Mode, modesOf } from "./grafana_modes.ts";
import { type Seen, type Stand, startStand } from "./grafana_stand.ts";
import { startKeycloak } from "./keycloak.ts";
import { curlTokens } from "./login.ts";
import { until } from "./wait.ts";

/** The server's own rights at Grafana, which nobody who has logged in may act with. */
const SERVICE_ACCOUNT = "glsa_of-the-server-itself";

const CALLS_AT_ONCE = 50;

/** Longer than the tolerated difference of clocks. */
const EXPIRY_MS = 45_000;

type Person = (typeof PEOPLE)[number];

interface Stage {
  readonly mode: Mode;
  readonly gate: Gatehouse;
  readonly stand: Stand;
  readonly tokenOf: (username: string) => Promise<string>;
}

Deno.test("people act at Grafana as themselves, with a real Keycloak", async (test) => {
  await using keycloak = await startKeycloak();
  const { issuer } = keycloak;
  const expired = (await curlTokens(issuer, "alice", "short-lived")).access_token;
  const subjects = new Map(
    await Promise.all(
      PEOPLE.map(async ({ username }) =>
        [username, decodeJwt((await curlTokens(issuer, username)).access_token).sub!] as const
      ),
    ),
  );
  await using running = new AsyncDisposableStack();
  const stages: Stage[] = [];

  for (const mode of modesOf(issuer)) {
    const stand = running.use(startStand());
    const gate = running.use(
      await startGatehouse({
        ...mode.settings,
        GRAFANA_URL: stand.origin,
        GRAFANA_SERVICE_ACCOUNT_TOKEN: SERVICE_ACCOUNT,
      }),
    );
    stand.answerBy(mode.grafana(gate, stand));
    const tokenOf = await mode.tokens(gate);
    stages.push({ mode, gate, stand, tokenOf });
    const keepsPromise = async (seen: Seen, { username }: Person, token: string) =>
      await mode.promised({
        credential: seen.credential,
        token,
        subject: subjects.get(username)!,
        username,
        gate,
        stand,
        issuer,
      });

    for (const person of PEOPLE) {
      const { username, role, mayWrite } = person;
      await test.step(`${mode.name}: ${username} is ${role}, by a credential as promised`, async () => {
        const token = await tokenOf(username);
        const from = stand.seen.length;

        const me = await call(gate.origin, token, "get_current_user", {});
        deepEqual([me.isError, me.value.login, me.value.role], [
          false,
          mode.loginOf(username),
          role,
        ], me.text);
        const found = await call(gate.origin, token, "search_dashboards", {});
        equal(found.isError, false, found.text);
        const saved = await save(gate, token, username);
        equal(saved.isError, !mayWrite, saved.text);

        const arrived = stand.seen.slice(from);
        deepEqual(arrived.map(({ url, status }) => [url.pathname, status]), [
          ["/api/user", 200],
          ["/api/user/orgs", 200],
          ["/api/search", 200],
          // Refused there, and not before.
          ["/api/dashboards/db", mayWrite ? 200 : 403],
        ]);
        if (!mayWrite) match(saved.text, /Permissions needed: dashboards:write/);
        for (const seen of arrived) await keepsPromise(seen, person, token);
      });
    }

    await test.step(`${mode.name}: ${CALLS_AT_ONCE} calls at once are each their caller's`, async () => {
      const tokens = await Promise.all(PEOPLE.map(({ username }) => tokenOf(username)));
      const from = stand.seen.length;
      // No more of one person get there at a time.
      stand.hold(Math.min(CALLS_AT_ONCE, PEOPLE.length * MOST_AT_ONCE));
      await Promise.all(Array.from({ length: CALLS_AT_ONCE }, async (_, at) => {
        const { username, role, mayWrite } = PEOPLE[at % PEOPLE.length]!;
        const token = tokens[at % PEOPLE.length]!;
        const [me, found, saved] = [
          () => call(gate.origin, token, "get_current_user", {}),
          () => call(gate.origin, token, "search_dashboards", { query: username }),
          () => save(gate, token, username),
        ];
        switch (Math.floor(at / PEOPLE.length) % 3) {
          case 0: {
            const { value } = await me();
            return deepEqual([value.login, value.role], [mode.loginOf(username), role]);
          }
          case 1:
            return equal((await found()).isError, false);
          default:
            return equal((await saved()).isError, !mayWrite);
        }
      }));
      const arrived = stand.seen.slice(from);
      const marked = arrived.filter(({ url }) => !url.pathname.startsWith("/api/user"));
      ok(marked.length > CALLS_AT_ONCE / 2);
      for (const seen of marked) {
        const at = PEOPLE.findIndex(({ username }) => username === markOf(seen));
        await keepsPromise(seen, PEOPLE[at]!, tokens[at]!);
      }
      // One each, although nothing was known of these tokens when all of them came.
      equal(new Set(arrived.map(({ credential }) => credential)).size, PEOPLE.length);
    });
  }

  const elsewhere = (await curlTokens(issuer, "alice", "no-audience")).access_token;
  const tokens = await Promise.all(
    stages.map(async ({ gate, tokenOf }) => ({ gate, token: await tokenOf("alice") })),
  );
  const issued = tokens.filter(({ gate, token }) => decodeJwt(token).iss === gate.origin);
  equal(issued.length, 3);
  const over = decodeJwt(expired).exp! + SKEW_SECONDS + 1;
  await until("a token has expired", EXPIRY_MS, () => Date.now() / 1000 > over);

  for (const { mode, gate, stand, tokenOf } of stages) {
    await test.step(`${mode.name}: what Gatehouse refuses does not reach Grafana (SPEC A4.3)`, async () => {
      const [alices, carols] = await Promise.all([tokenOf("alice"), tokenOf("carol")]);
      const shown = stand.seen.map(({ credential }) => credential);
      const refused = [
        expired,
        elsewhere,
        "garbage",
        // What carol has, with alice's name in it.
        carols.replace(/\.[^.]+\./, `.${alices.split(".")[1]}.`),
        // What was meant for Grafana is not meant for Gatehouse, unless that is the point.
        ...(mode.forwards ? [] : new Set(shown)),
        ...issued.filter((one) => one.gate !== gate).map(({ token }) => token),
        ...await mode.foreign(),
      ];
      const before = stand.seen.length;
      for (const token of refused) {
        await rejects(call(gate.origin, token, "get_current_user", {}), /answers 401/);
      }
      equal(stand.seen.length, before);
      equal((await call(gate.origin, alices, "get_current_user", {})).isError, false);
      equal(stand.seen.length, before + 2);
    });

    const { unfit } = mode;
    await test.step({
      name: `${mode.name}: who cannot be acted for is not acted for as anybody else`,
      ignore: unfit === undefined,
      fn: async () => {
        const { clientId, says } = unfit!;
        const { access_token: token } = await curlTokens(issuer, "alice", clientId);
        equal((await gate.call(token)).status, 200);
        const before = stand.seen.length;
        const { isError, text } = await call(gate.origin, token, "get_current_user", {});
        deepEqual([isError, stand.seen.length], [true, before]);
        match(text, says);
      },
    });

    await test.step(`${mode.name}: nothing else has arrived`, async () => {
      const everything = stand.seen.map((seen) => seen.everything).join("\n");
      equal(everything.includes(SERVICE_ACCOUNT), false);
      const fresh = await tokenOf("bob");
      await call(gate.origin, fresh, "get_current_user", {});
      equal(stand.seen.at(-1)!.everything.includes(fresh), mode.forwards);
    });
  }

  await test.step("without anybody there, the server's own token arrives", async () => {
    await using stand = startStand();
    stand.answerBy(grafanaStand(() => Promise.resolve({ login: "server", role: "Viewer" })));
    await using gate = await startGatehouse({
      MCP_TRANSPORT: "http",
      GRAFANA_URL: stand.origin,
      GRAFANA_SERVICE_ACCOUNT_TOKEN: SERVICE_ACCOUNT,
    });
    equal((await call(gate.origin, undefined, "get_current_user", {})).value.login, "server");
    ok(stand.seen[0]!.everything.includes(SERVICE_ACCOUNT));
  });
});

/** The person that a request names in what it asks for. */
function markOf({ url, body }: Seen): string {
  return url.searchParams.get("query") ?? JSON.parse(body).dashboard.title;
}

function save({ origin }: Gatehouse, token: string, username: string) {
  const dashboard = { uid: username, title: username, panels: [] };
  return call(origin, token, "update_dashboard", { dashboard, overwrite: true });
}
