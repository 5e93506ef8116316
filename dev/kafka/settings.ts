/**
 * What brokers of a test are told, as the lines of `server.properties`.
 *
 * @module
 */

/** A way to reach a broker beside `PLAINTEXT`, which brokers and the script themselves use. */
export type Listener = "SASL_PLAINTEXT" | "SASL_SSL" | "SSL" | "MUTUAL" | "OAUTH";

/** What may differ between clusters. */
export interface Settings {
  /** Listeners beside `PLAINTEXT`. None when absent. */
  readonly listeners?: readonly Listener[];
  /** Passwords by name, for PLAIN and SCRAM at the listeners of SASL. */
  readonly users?: Readonly<Record<string, string>>;
  /** PEM, for the listeners of TLS. `MUTUAL` wants a certificate by the same authority. */
  readonly certificates?: { readonly ca: string; readonly cert: string; readonly key: string };
  /** Whose tokens `OAUTH` takes. The person is the claim `sub`. */
  readonly oauth?: { readonly jwks: string; readonly issuer: string; readonly audience: string };
  /**
   * Whether ACLs are asked. Whoever comes to `PLAINTEXT` may then do everything, anybody else
   * nothing that no ACL allows.
   */
  readonly authorizer?: boolean;
  /** Further lines for every broker, such as `{ "message.max.bytes": "1000" }`. */
  readonly extra?: Readonly<Record<string, string>>;
}

/** A broker's place in the cluster. */
export interface Seat {
  readonly id: number;
  /** Its own folder, for files and for data. */
  readonly folder: string;
  readonly ports: Readonly<Record<string, number>>;
}

/** The identifier that a cluster's folders are formatted with: any 16 bytes in base64url. */
export const CLUSTER = "gatehouse-kafka-testsA";

const PROTOCOLS: Readonly<Record<string, string>> = {
  CONTROLLER: "PLAINTEXT",
  PLAINTEXT: "PLAINTEXT",
  SASL_PLAINTEXT: "SASL_PLAINTEXT",
  SASL_SSL: "SASL_SSL",
  SSL: "SSL",
  MUTUAL: "SSL",
  OAUTH: "SASL_PLAINTEXT",
};

const MODULES = "org.apache.kafka.common.security";

/** Makes a folder for a broker in `folder`, and finds free ports for its listeners. */
export async function takeSeat(
  folder: string,
  id: number,
  { listeners = [] }: Settings,
): Promise<Seat> {
  const own = `${folder}/${id}`;
  await Deno.mkdir(own);
  const names = ["CONTROLLER", "PLAINTEXT", ...listeners];
  // Held together, so that no two are the same.
  const held = names.map(() => Deno.listen({ hostname: "127.0.0.1", port: 0 }));
  const ports = Object.fromEntries(held.map(({ addr }, at) => [names[at], addr.port]));
  for (const listener of held) listener.close();
  return { id, folder: own, ports };
}

/** Writes the settings of a broker into its folder, and says where they are. */
export async function writeSettings(
  seat: Seat,
  all: readonly Seat[],
  settings: Settings,
): Promise<string> {
  const { certificates } = settings;
  if (certificates) {
    await Deno.writeTextFile(`${seat.folder}/ca.pem`, certificates.ca);
    await Deno.writeTextFile(`${seat.folder}/server.pem`, certificates.key + certificates.cert);
  }
  const lines = {
    ...place(seat, all),
    ...size(all.length),
    ...(certificates && tls(seat)),
    ...sasl(settings),
    ...oauth(settings),
    ...(settings.authorizer && {
      "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
      "super.users": "User:ANONYMOUS",
    }),
    ...settings.extra,
  };
  const file = `${seat.folder}/server.properties`;
  const text = Object.entries(lines).map(([name, value]) => `${name}=${value}\n`).join("");
  await Deno.writeTextFile(file, text);
  return file;
}

function place({ id, folder, ports }: Seat, all: readonly Seat[]): Record<string, string> {
  const addresses = Object.entries(ports).map(([name, port]) => `${name}://127.0.0.1:${port}`);
  return {
    "process.roles": "broker,controller",
    "node.id": `${id}`,
    "broker.rack": `rack-${id}`,
    "controller.quorum.voters": all
      .map((seat) => `${seat.id}@127.0.0.1:${seat.ports.CONTROLLER}`)
      .join(","),
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "PLAINTEXT",
    listeners: addresses.join(","),
    "listener.security.protocol.map": Object.keys(ports)
      .map((name) => `${name}:${PROTOCOLS[name]}`)
      .join(","),
    "log.dirs": `${folder}/data`,
  };
}

// Little of everything, and nothing that waits.
function size(brokers: number): Record<string, string> {
  const copies = `${Math.min(brokers, 3)}`;
  return {
    "auto.create.topics.enable": "false",
    "broker.heartbeat.interval.ms": "500",
    "broker.session.timeout.ms": "3000",
    "default.replication.factor": copies,
    "group.initial.rebalance.delay.ms": "0",
    "log.cleaner.dedupe.buffer.size": "4194304",
    "num.io.threads": "2",
    "num.network.threads": "1",
    "offsets.topic.num.partitions": "1",
    "offsets.topic.replication.factor": copies,
    "share.coordinator.state.topic.num.partitions": "1",
    "share.coordinator.state.topic.replication.factor": copies,
    "share.coordinator.state.topic.min.isr": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "1",
    "transaction.state.log.replication.factor": copies,
  };
}

function tls({ folder, ports }: Seat): Record<string, string> {
  return {
    "ssl.keystore.type": "PEM",
    "ssl.keystore.location": `${folder}/server.pem`,
    "ssl.truststore.type": "PEM",
    "ssl.truststore.location": `${folder}/ca.pem`,
    ...(ports.MUTUAL && { "listener.name.mutual.ssl.client.auth": "required" }),
  };
}

function sasl({ listeners = [], users = {} }: Settings): Record<string, string> {
  const named = Object.entries(users).map(([name, password]) => ` user_${name}="${password}"`);
  const plain = `${MODULES}.plain.PlainLoginModule required${named.join("")};`;
  const scram = `${MODULES}.scram.ScramLoginModule required;`;
  return Object.assign(
    {},
    ...listeners.filter((name) => name.startsWith("SASL_")).map((name) => {
      const prefix = `listener.name.${name.toLowerCase()}`;
      return {
        [`${prefix}.sasl.enabled.mechanisms`]: "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512",
        [`${prefix}.plain.sasl.jaas.config`]: plain,
        [`${prefix}.scram-sha-256.sasl.jaas.config`]: scram,
        [`${prefix}.scram-sha-512.sasl.jaas.config`]: scram,
      };
    }),
  );
}

function oauth({ oauth }: Settings): Record<string, string> {
  if (!oauth) return {};
  const prefix = "listener.name.oauth";
  const own = `${prefix}.oauthbearer`;
  return {
    [`${prefix}.sasl.enabled.mechanisms`]: "OAUTHBEARER",
    [`${own}.sasl.jaas.config`]: `${MODULES}.oauthbearer.OAuthBearerLoginModule required;`,
    [`${own}.sasl.server.callback.handler.class`]:
      `${MODULES}.oauthbearer.OAuthBearerValidatorCallbackHandler`,
    [`${own}.sasl.oauthbearer.jwks.endpoint.url`]: oauth.jwks,
    [`${own}.sasl.oauthbearer.expected.issuer`]: oauth.issuer,
    [`${own}.sasl.oauthbearer.expected.audience`]: oauth.audience,
  };
}
