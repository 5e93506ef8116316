/**
 * What a setting is.
 *
 * @module
 */

/** One setting. */
export interface Setting {
  /** Flag name without the dashes. */
  readonly flag: string;
  /** Environment variables that mean the same; the first is the one we teach. */
  readonly env: readonly string[];
  /** What a value looks like in the help; absent for switches, which are on or off. */
  readonly value?: string;
  /** Whether values are hidden, and may come from a file named by `NAME_FILE`. */
  readonly secret?: true;
  /** The default as people read it. */
  readonly fallback: string;
  readonly help: string;
}
