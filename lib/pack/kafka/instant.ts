/**
 * The times of records.
 *
 * @module
 */

/** Shape of a time in a result: ISO 8601. Absent when a record has none that a calendar reaches. */
export function isoTime(ms: number): { readonly timestamp?: string } {
  const date = new Date(ms);
  // Kafka writes -1 for none.
  return ms < 0 || Number.isNaN(date.getTime()) ? {} : { timestamp: date.toISOString() };
}
