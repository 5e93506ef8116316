/**
 * Class data sharing: what a broker loads is kept as one file that Java maps into memory. A start
 * takes half of the computing time with it.
 *
 * @module
 */

import { until } from "../keycloak/wait.ts";
import { exists } from "../cache.ts";
import { progress } from "./distribution.ts";
import { ARCHIVE, begin } from "./java.ts";
import { brokersSeenAt } from "./metadata.ts";
import { CLUSTER, takeSeat, writeSettings } from "./settings.ts";
import { runTool } from "./tools.ts";

const DEADLINE_MS = 120_000;

/**
 * Makes the archive in the folder of the jars, unless there is one.
 *
 * @param folder Where a broker may have its files while it is recorded.
 */
export async function makeArchive(home: string, folder: string): Promise<void> {
  if (await exists(`${home}/${ARCHIVE}`)) return;
  progress("recording what is loaded (once)");
  const seat = await takeSeat(folder, 0, {});
  const recorded = await Deno.makeTempFile({ dir: home });
  try {
    const settings = await writeSettings(seat, [seat], {});
    await runTool(home, "kafka-storage", ["format", "-t", CLUSTER, "-c", settings]);
    const broker = begin({ home, main: "kafka.Kafka", args: [settings], record: recorded });
    try {
      await until("Kafka answers", DEADLINE_MS, async () => {
        if (broker.ended()) throw new Error(`Cannot start Kafka:\n${broker.words()}`);
        return await brokersSeenAt(seat.ports.PLAINTEXT!) > 0;
      });
    } finally {
      broker.signal("SIGTERM");
      await broker.end;
    }
    await Deno.rename(recorded, `${home}/${ARCHIVE}`);
  } finally {
    await Deno.remove(recorded).catch(() => {});
  }
}
