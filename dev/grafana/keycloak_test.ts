/**
 * What the development environment says about Keycloak, against a real one: the tokens that Grafana
 * would get, the keys that it would judge them by, and the smoke test with Gatehouse in between.
 *
 * Grafana itself is stood in for by what judges as compose.yml tells Grafana to.
 *
 * @module
 */

import { deepStrictEqual as deepEqual, match, strictEqual as equal } from "node:assert/strict";
import { decodeJwt } from "@panva/jose";
import { keycloakSettings, startGatehouse } from "../keycloak/gatehouse.ts";
import { startStand } from "../keycloak/grafana_stand.ts";
import { AUDIENCE, startKeycloak } from "../keycloak/keycloak.ts";
import { curlTokens, loginTokens } from "../keycloak/login.ts";
import { until } from "../keycloak/wait.ts";
import { PEOPLE, smoke } from "./smoke.ts";
import { grafanaSettings, grafanaStand, judge } from "./stand.ts";

const START_MS = 30_000;

Deno.test("the development environment with a real Keycloak", async (test) => {
  await using keycloak = await startKeycloak();
  const { issuer } = keycloak;
  const grafana = grafanaSettings(issuer);
  const folder = await Deno.makeTempDir();
  const file = `${folder}/jwks.json`;
  const judged = async (token: string) =>
    await judge(token, JSON.parse(await Deno.readTextFile(file)), grafana);
  await using keys = withKeys(`${issuer}/protocol/openid-connect/certs`, file);
  await until("the keys are there", START_MS, () => keys.starts() === 1);

  for (const { username, role } of PEOPLE) {
    await test.step(`Grafana's settings fit the tokens of ${username}`, async () => {
      for (const get of [curlTokens, loginTokens]) {
        const { access_token: token } = await get(issuer, username);
        deepEqual(await judged(token), { login: username, role });
        const { aud, [grafana.emailClaim]: email } = decodeJwt(token);
        deepEqual([aud?.includes(AUDIENCE), email], [true, `${username}@example.com`]);
      }
    });
  }

  await test.step("a token for another client is refused", async () => {
    const { access_token: token } = await curlTokens(issuer, "alice", "no-audience");
    equal(await judged(token), undefined);
  });

  await test.step("the smoke test passes with Gatehouse in between", async () => {
    await using stand = startStand();
    stand.answerBy(grafanaStand(judged));
    await using gate = await startGatehouse({
      ...keycloakSettings(issuer, AUDIENCE),
      GRAFANA_URL: stand.origin,
      GRAFANA_AUTH: "forward",
      GRAFANA_AUDIENCE: "grafana",
    });
    const lines = await Array.fromAsync(
      smoke({ keycloak: new URL(issuer).origin, gatehouse: gate.origin }),
    );
    equal(lines.length, 1 + PEOPLE.length);
    match(lines.at(-1)!, /^carol: Viewer, .*dashboards:write/s);
  });

  await test.step("new keys of Keycloak reach Grafana", async () => {
    await keycloak.restartWithNewKeys();
    const { access_token: token } = await curlTokens(issuer, "bob");
    await until("Grafana is started anew", START_MS, () => keys.starts() === 2);
    deepEqual(await judged(token), { login: "bob", role: "Editor" });
  });

  await Deno.remove(folder, { recursive: true });
});

/** The script that runs Grafana, with a program in the place of Grafana that counts its starts. */
function withKeys(url: string, file: string) {
  const child = new Deno.Command("sh", {
    args: [
      new URL("with-keys.sh", import.meta.url).pathname,
      ...["sh", "-c", "echo started; trap 'exit 0' TERM; while :; do sleep 1 & wait $!; done"],
    ],
    env: { JWKS_URL: url, JWKS_FILE: file, JWKS_PAUSE: "0.5" },
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  let text = "";
  const read = (async () => {
    for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) text += chunk;
  })();
  return {
    starts: () => text.split("started").length - 1,
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await child.status;
      await read;
    },
  };
}
