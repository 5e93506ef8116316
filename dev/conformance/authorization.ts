/**
 * The suite's scenarios for authorization servers, against the real program in proxy mode.
 *
 * The suite is a client that the operator knows. It shows a URL and waits, so somebody has to go
 * there, say yes, log in and bring the answer to it.
 *
 * @module
 */

import { newPerson } from "../../tests/e2e/login_person.ts";
import { type Process, spawn } from "../../tests/e2e/process.ts";
import { freePort, HTTP_ENV, start } from "../../tests/e2e/program.ts";
import { SUITE, type Verdicts, verdictsOf } from "./suite.ts";

/** The scenarios. Without a client id the second is left out, and counts as passed to the suite. */
export const AUTHORIZATION: readonly string[] = [
  "authorization-server-metadata-endpoint",
  "authorization-code-grant",
];

const DEADLINE_MS = 60_000;
const CLIENT_ID = "conformance";

/** Runs the scenarios. */
export async function runAuthorization(): Promise<Verdicts> {
  const port = freePort();
  const redirectUri = `http://127.0.0.1:${port}/callback`;
  const client = { client_id: CLIENT_ID, client_name: "Suite", redirect_uris: [redirectUri] };
  await using program = await start({
    env: { ...HTTP_ENV, OAUTH_MODE: "proxy", OAUTH_CLIENTS: JSON.stringify([client]) },
  });
  const scratch = await Deno.makeTempDir({ prefix: "conformance-" });
  try {
    await using suite = spawn(
      [Deno.execPath(), "run", "-A", "--no-config", "--no-lock", SUITE, "authorization"].concat(
        ["--url", program.origin, "--resource", program.endpoint, "--client-id", CLIENT_ID],
        ["--port", `${port}`, "--output-dir", scratch],
      ),
    );
    // Without an answer the suite would wait for five minutes.
    const trouble = await goThere(suite, redirectUri).then(() => "", (error: unknown) => {
      suite.kill("SIGTERM");
      return String(error);
    });
    const { stdout, stderr } = await suite.end(DEADLINE_MS);
    return { scenarios: verdictsOf(stdout), output: `${stdout}${stderr}${trouble}` };
  } finally {
    await Deno.remove(scratch, { recursive: true });
  }
}

async function goThere(suite: Process, redirectUri: string): Promise<void> {
  const [url] = await suite.until("stdout", /^https?:\S+[?&]response_type=code\S*$/m);
  const answer = await newPerson({ user: "alice", redirectUri })(new URL(url));
  const response = await fetch(answer);
  await response.body?.cancel();
}
