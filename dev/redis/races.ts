/**
 * Races that are certain: Redis holds writes back until all who want to write have read.
 *
 * @module
 */

import type { Redis } from "ioredis";
import { within } from "../../tests/waiting.ts";

/** How long Redis holds writes back when nobody lets them go, in milliseconds. */
const LONGEST_MS = 10_000;

/** How long those who race may take to come to their writes, in milliseconds. */
const DEADLINE_MS = 8_000;

/**
 * Runs `race` with the writes of so many replicas held back until each waits with one.
 *
 * @throws {Error} When that does not come about.
 */
export async function neckAndNeck<T>(
  admin: Redis,
  replicas: number,
  race: () => Promise<T>,
): Promise<T> {
  await admin.call("CLIENT", "PAUSE", String(LONGEST_MS), "WRITE");
  const racing = race();
  const early = racing.then(() =>
    Promise.reject(new Error("Cannot race: it ended without writes"))
  );
  try {
    await within(DEADLINE_MS, Promise.race([waiting(admin, replicas), early]));
  } finally {
    await admin.call("CLIENT", "UNPAUSE");
  }
  return await racing;
}

async function waiting(admin: Redis, replicas: number): Promise<void> {
  while (admin.status === "ready") {
    const clients = String(await admin.call("CLIENT", "LIST")).split("\n");
    const blocked = clients.filter((client) => / name=gatehouse .* flags=\w*b/.test(client));
    if (blocked.length >= replicas) return;
  }
}
