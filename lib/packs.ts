/**
 * The packs that configuration asks for. What only one of them needs is loaded with it.
 *
 * @module
 */

import { organization } from "./acting/organization.ts";
import { actingOf, exchanging, type Grounds, ownTokens } from "./actings.ts";
import type { Config } from "./config.ts";
import type { GrafanaConfig } from "./config/grafana.ts";
import type { KafkaConfig } from "./config/kafka.ts";
import { certificatesOf } from "./config/tls.ts";
import type { Pack } from "./pack.ts";
import { inTurn } from "./pack/turns.ts";
import { whoami } from "./pack/whoami.ts";
import type { Ports } from "./ports.ts";

/** Prepares the packs. @param grounds Absent without OAuth. */
export async function packsOf(
  { grafana, kafka, readOnly }: Config,
  grounds: Grounds | undefined,
  ports: Ports,
): Promise<readonly Pack[]> {
  return [
    whoami(),
    ...(grafana ? [inTurn(await grafanaOf(grafana, readOnly, grounds, ports))] : []),
    ...(kafka ? [inTurn(await kafkaOf(kafka, readOnly, grounds, ports))] : []),
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
  const { url, publicUrl = url, tokenHeader, timeout, tls } = config;
  const api = grafanaClient({
    url,
    tokenHeader,
    timeoutMs: timeout * 1000,
    acting: actingOf(config, grounds, ports),
    orgOf: organization(config),
  }, { fetch: ports.fetchWith(certificatesOf(tls, ports.readFile)) });
  return grafana({ api, publicUrl, readOnly, now: ports.now });
}

async function kafkaOf(
  { brokers, clientId, login, exchange, tls, timeout, topics }: KafkaConfig,
  readOnly: boolean,
  grounds: Grounds | undefined,
  ports: Ports,
): Promise<Pack> {
  const [{ kafka }, { allowed }, { kafkaClient }, { callers }] = await Promise.all([
    import("./pack/kafka.ts"),
    import("./pack/kafka/allowed.ts"),
    import("./pack/kafka/client.ts"),
    import("./pack/kafka/callers.ts"),
  ]);
  const common = {
    brokers,
    clientId,
    ...(tls && { tls: certificatesOf(tls, ports.readFile) }),
    timeoutMs: timeout * 1000,
  };
  const shared = { isAllowed: allowed(topics), readOnly, now: ports.now };
  if (exchange) {
    const acting = exchanging(exchange.audience, grounds, ports);
    const all = callers((identity) => {
      const token = async () => (await acting.credentialFor(identity)).token;
      const refused = (token: string) => void acting.forget(identity, { token, of: "caller" });
      return kafkaClient({ ...common, sasl: { mechanism: "oauthbearer", token, refused } }, ports);
    }, ports.now);
    return kafka({
      ...shared,
      clusterFor: ({ identity }) => Promise.resolve(all.clusterOf(identity)),
      ready: () => true,
      close: all.close,
    });
  }
  const sasl = login &&
    (login.mechanism === "oauthbearer"
      ? { mechanism: login.mechanism, ...ownTokens(login, grounds, ports) }
      : { mechanism: login.mechanism, username: login.user, password: login.password });
  const client = kafkaClient({ ...common, ...(sasl && { sasl }) }, ports);
  return kafka({
    ...shared,
    clusterFor: () => Promise.resolve(client),
    ready: client.ready,
    close: client.close,
  });
}
