/**
 * Tools that take their time, for tests of stopping and cancelling. `slow.ts` puts them where the
 * program expects its own.
 *
 * @module
 */

import { z } from "zod";
import { type Pack, tool, type ToolContext } from "../../lib/pack.ts";

const output = z.object({ slept: z.number() });
const nothing = z.strictObject({});

function sleep(ms: number, { signal, log }: ToolContext): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      log("info", "aborted");
      reject(new Error("Cannot sleep on: aborted"));
    });
  });
}

/** Makes the pack. It has the name of the one it stands in for. */
export function whoami(): Pack {
  const common = { title: "Slow", description: "Takes its time", annotations: {} };
  return {
    name: "slow",
    tools: [
      tool({
        ...common,
        name: "sleep",
        input: z.strictObject({ ms: z.number() }),
        output,
        run: async ({ ms }, context) => {
          context.log("info", "started");
          await sleep(ms, context);
          return { slept: ms };
        },
      }),
      tool({
        ...common,
        name: "steps",
        input: z.strictObject({ ms: z.number() }),
        output,
        run: async ({ ms }, context) => {
          await context.progress(1, 2);
          context.log("info", "started");
          await sleep(ms, context);
          await context.progress(2, 2);
          return { slept: ms };
        },
      }),
      tool({
        ...common,
        name: "never",
        input: nothing,
        output,
        run: (_args, { log }) => {
          log("info", "started");
          return new Promise<never>(() => {});
        },
      }),
    ],
    ready: () => true,
    close: () => {},
  };
}
