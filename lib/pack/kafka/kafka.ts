/**
 * What each tool of the Kafka pack is made of.
 *
 * @module
 */

import type { ToolContext } from "../../pack.ts";
import type { Cluster } from "./cluster.ts";

/** What the pack is made of. */
export interface Kafka {
  /** The cluster, as this caller reaches it. @throws {ToolError} When the caller cannot be acted for. */
  clusterFor(context: ToolContext): Promise<Cluster>;
  /** Whether a topic may be seen and used through this server. */
  isAllowed(topic: string): boolean;
  /** Unix seconds. */
  readonly now: () => number;
}
