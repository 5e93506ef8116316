/**
 * Whether the server can do its work now.
 *
 * @module
 */

import { type Audit, UNAUDITED } from "./audit.ts";
import { plain } from "./http.ts";
import type { Pack } from "./pack.ts";
import type { Provider } from "./provider.ts";
import type { Store } from "./store.ts";

/** Something that has to work before everything does. */
export interface Part {
  /** For metrics. */
  readonly word: string;
  /** For people. */
  readonly name: string;
  readonly isReady: () => Promise<boolean>;
}

/** The parts of a server. @param issuing Whose tokens are accepted, and where grants are kept. */
export function partsOf(
  packs: readonly Pack[],
  audit: Audit,
  { provider, store }: { readonly provider?: Provider; readonly store?: Store | undefined } = {},
): readonly Part[] {
  const isAudited = () => Promise.resolve(audit.ready());
  return [
    ...(audit === UNAUDITED ? [] : [{ word: "audit", name: "the audit log", isReady: isAudited }]),
    ...(provider
      ? [{
        word: "issuer",
        name: `the issuer ${provider.issuer}`,
        isReady: () => provider.metadata().then(() => true, () => false),
      }]
      : []),
    ...(store ? [{ word: "store", name: "the store", isReady: () => store.ready() }] : []),
    ...packs.map((pack) => ({
      word: pack.name,
      name: pack.name,
      isReady: async () => await pack.ready(),
    })),
  ];
}

/** Answers whether all of them work, and names those that do not. */
export async function readiness(parts: readonly Part[]): Promise<Response> {
  const waiting: string[] = [];
  for (const { name, isReady } of parts) if (!await isReady()) waiting.push(name);
  return waiting.length === 0
    ? plain(200, "ready")
    : plain(503, `waiting for ${waiting.join(", ")}`, { "retry-after": "5" });
}
