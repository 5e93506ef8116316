/**
 * What the modules of the pack share.
 *
 * @module
 */

import type { NewApi } from "./api.ts";

/** Grafana, as far as tools know it. */
export interface Grafana {
  readonly api: NewApi;
  /** Grafana's URL as people see it, for links. */
  readonly publicUrl: URL;
  /** Whether tools that write are left out, and operations that write refused. */
  readonly readOnly: boolean;
  /** Unix seconds. */
  readonly now: () => number;
}
