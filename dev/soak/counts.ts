/**
 * Counting on both sides: what clients saw and what the server says, under the same names.
 *
 * @module
 */

/** How often things happened, by name. */
export type Counts = ReadonlyMap<string, number>;

/** A name as a series of Prometheus has it, whatever the order of its labels. */
export function series(name: string, labels: Readonly<Record<string, string>> = {}): string {
  const pairs = Object.entries(labels).sort(([a], [b]) => a < b ? -1 : 1);
  return `${name}{${pairs.map(([label, value]) => `${label}=${JSON.stringify(value)}`)}}`;
}

/** Reads Prometheus' text format. Histograms come as their parts. */
export function readMetrics(text: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const line of text.split("\n")) {
    const [, name, labels = "", value] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
    if (name === undefined) continue;
    const pairs = [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)];
    const read = pairs.map(([, label, quoted]) => [label!, JSON.parse(`"${quoted}"`)] as const);
    counts.set(series(name, Object.fromEntries(read)), Number(value));
  }
  return counts;
}

/** What came on top of `before`. */
export function since(before: Counts, now: Counts): Map<string, number> {
  return new Map([...now].map(([name, count]) => [name, count - (before.get(name) ?? 0)]));
}

/** A name that the two sides counted differently. */
export interface Difference {
  readonly name: string;
  readonly clients: number;
  readonly server: number;
}

/**
 * Compares the names of `families`; one that a side does not have counts as 0 there.
 *
 * @param mostLost How many the server's side may lack in all, because its words were lost on the way.
 */
export function differences(
  clients: Counts,
  server: Counts,
  families: readonly string[],
  mostLost = 0,
): readonly Difference[] {
  const names = [...new Set([...clients.keys(), ...server.keys()])];
  const found = names
    .filter((name) => families.some((family) => name.startsWith(`${family}{`)))
    .map((name) => ({ name, clients: clients.get(name) ?? 0, server: server.get(name) ?? 0 }))
    .filter(({ clients, server }) => clients !== server);
  const lost = found.reduce((sum, { clients, server }) => sum + clients - server, 0);
  const isLossOnly = found.every(({ clients, server }) => clients > server);
  return isLossOnly && lost <= mostLost ? [] : found;
}
