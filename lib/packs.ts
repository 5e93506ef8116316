/**
 * The packs that configuration asks for. What only one of them needs is loaded with it.
 *
 * @module
 */

import { actingOf, type Grounds } from "./actings.ts";
import type { Config } from "./config.ts";
import type { GrafanaConfig } from "./config/grafana.ts";
import type { Identity } from "./identity.ts";
import type { Pack } from "./pack.ts";
import { whoami } from "./pack/whoami.ts";
import type { Ports } from "./ports.ts";

/** Prepares the packs. @param grounds Absent without OAuth. */
export async function packsOf(
  { grafana, readOnly }: Config,
  grounds: Grounds | undefined,
  ports: Ports,
): Promise<readonly Pack[]> {
  return [
    whoami(),
    ...(grafana ? [await grafanaOf(grafana, readOnly, grounds, ports)] : []),
  ];
}

async function grafanaOf(
  config: GrafanaConfig,
  readOnly: boolean,
  grounds: Grounds | undefined,
  ports: Ports,
): Promise<Pack> {
  const [{ grafana }, { grafanaClient }] = await Promise.all([
    import("./pack/grafana.ts"),
    import("./pack/grafana/api.ts"),
  ]);
  const { url, tokenHeader, timeout, tls } = config;
  const api = grafanaClient({
    url,
    tokenHeader,
    timeoutMs: timeout * 1000,
    acting: actingOf(config, grounds, ports),
    orgOf: orgOf(config),
  }, { fetch: ports.fetchWith(tls) });
  return grafana({ api, publicUrl: url, readOnly, now: ports.now });
}

function orgOf({ orgId, orgClaim }: GrafanaConfig) {
  return (identity: Identity | undefined): string | undefined => {
    const claimed = orgClaim === undefined ? undefined : identity?.claims[orgClaim];
    const isId = typeof claimed === "number" || typeof claimed === "string";
    return isId && /^\d{1,18}$/.test(String(claimed)) ? String(claimed) : orgId;
  };
}
