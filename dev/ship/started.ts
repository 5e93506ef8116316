/**
 * A shipped program that was started in an empty folder with an empty environment, and has answered
 * a guarded call.
 *
 * @module
 */

import { authorizationAt, type Call, modern, targetOf } from "../bench/calls.ts";
import type { Target } from "../bench/load.ts";
import { SECRET } from "../bench/servers.ts";
import { SUBJECT } from "../bench/tokens.ts";
import { type Process, spawn } from "../../tests/e2e/process.ts";
import { freePort, HTTP_ENV } from "../../tests/e2e/program.ts";
import type { Artefact } from "./artefacts.ts";

/** How long a program may take to answer for the first time, in milliseconds. */
const START_DEADLINE_MS = 60_000;

/** How long to wait before a port is tried again, in milliseconds. */
const RETRY_MS = 2;

/** A program that has answered. Disposing kills it, and removes its folder. */
export interface Started extends AsyncDisposable {
  readonly pid: number;
  /** From starting the process until its first guarded answer, in milliseconds. */
  readonly startedIn: number;
  /** The guarded call, to be sent again. */
  readonly target: Target;
}

/** Starts `artefact`. @throws {Error} When it does not answer, or not rightly. */
export async function started({ name, command }: Artefact): Promise<Started> {
  const port = freePort();
  const { params, headers } = modern("whoami");
  const call: Call = {
    name,
    port,
    params,
    headers: { ...headers, authorization: await authorizationAt(port) },
    status: 200,
    isRight: (_, { result }) => result?.structuredContent?.subject === SUBJECT,
  };
  const folder = await Deno.makeTempDir({ prefix: "alone-" });
  const env = { ...HTTP_ENV, JWT_SECRET: SECRET, MCP_HTTP_PORT: `${port}` };
  const begun = performance.now();
  const process = spawn(command, env, folder);
  const dispose = async () => {
    await process[Symbol.asyncDispose]();
    await Deno.remove(folder, { recursive: true });
  };
  try {
    const target = await answered(call, process, begun + START_DEADLINE_MS);
    const startedIn = performance.now() - begun;
    return { pid: process.pid, startedIn, target, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

async function answered(call: Call, process: Process, deadline: number): Promise<Target> {
  let isOver = false;
  process.ended.then(() => isOver = true);
  for (;;) {
    try {
      return await targetOf(call);
    } catch (error) {
      // Nobody listens yet.
      if (!(error instanceof TypeError)) throw error;
      if (isOver || performance.now() > deadline) {
        throw new Error(`Cannot start the ${call.name}:\n${process.stderr()}`);
      }
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}
