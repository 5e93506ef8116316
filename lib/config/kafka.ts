/**
 * The part of the configuration that says which Kafka there is, and as whom to act there.
 *
 * @module
 */

import { exchangeMisfits } from "./exchange.ts";
import type { OAuthConfig, Read } from "./oauth.ts";
import type { Problem } from "./sources.ts";
import { readTlsFiles, type TlsFiles } from "./tls.ts";
import * as values from "./values.ts";

/** Ways to log in at brokers (RFC 4422). */
export const MECHANISMS = ["plain", "scram-sha-256", "scram-sha-512", "oauthbearer"] as const;

/** As whom to connect. */
export const KAFKA_AUTH = ["service-account", "exchange"] as const;

/** How this server logs in by itself. */
export interface KafkaLogin {
  readonly mechanism: (typeof MECHANISMS)[number];
  /** For `oauthbearer` a client of the identity provider, and its secret. */
  readonly user: string;
  readonly password: string;
  readonly scope?: string;
}

/** Which Kafka, and as whom. */
export interface KafkaConfig {
  /** `host:port` each. */
  readonly brokers: readonly [string, ...string[]];
  readonly clientId: string;
  /** Globs. */
  readonly topics: { readonly allow: readonly string[]; readonly deny: readonly string[] };
  /** The audience of tokens that are exchanged for the callers'; the server connects as itself without. */
  readonly exchange?: { readonly audience: string };
  /** Absent where brokers ask for none. */
  readonly login?: KafkaLogin;
  /** Absent for connections in clear. */
  readonly tls?: TlsFiles;
  /** In seconds. */
  readonly timeout: number;
}

const ANY_TOPIC = ["*"];

/**
 * Reads the Kafka part.
 *
 * @param oauth Absent when nobody logs in.
 * @param problems Gets what does not fit together.
 * @returns `undefined` without brokers.
 */
export function readKafka(
  read: Read,
  oauth: OAuthConfig | undefined,
  problems: Problem[],
): KafkaConfig | undefined {
  const brokers = read("kafkaBrokers", values.addresses, undefined);
  if (!brokers) return undefined;
  const tls = readTls(read, problems);
  const isExchange = read("kafkaAuth", values.choice(...KAFKA_AUTH), "service-account") ===
    "exchange";
  const as = isExchange ? readExchange(read, oauth, problems) : readLogin(read, oauth, problems);
  return {
    brokers,
    clientId: read("kafkaClientId", values.clientName, "gatehouse"),
    topics: {
      allow: read("kafkaTopicsAllow", values.list, ANY_TOPIC),
      deny: read("kafkaTopicsDeny", values.list, []),
    },
    ...as,
    ...(tls && { tls }),
    timeout: read("kafkaTimeout", values.duration(1, 300, "1s to 5m"), 10),
  };
}

function readTls(read: Read, problems: Problem[]): TlsFiles | undefined {
  const files = readTlsFiles(read, ["kafkaCaFile", "kafkaCertFile", "kafkaKeyFile"], problems);
  if (read("kafkaInsecureTls", values.toggle, false)) {
    problems.push({
      where: "KAFKA_TLS_INSECURE_SKIP_VERIFY",
      what: "is on, and a broker whose certificate nobody checks can be anybody",
      fix: "unset it, and name the certificates that vouch for brokers in KAFKA_TLS_CA_FILE",
    });
  }
  if (read("kafkaTls", values.toggle, false)) return files;
  if (Object.keys(files).length > 0) {
    problems.push({
      where: "KAFKA_TLS_ENABLE",
      what: "is off, although certificates are set",
      fix: "set KAFKA_TLS_ENABLE=true, or unset them",
    });
  }
  return undefined;
}

const CALLERS_NEEDED = "set MCP_TRANSPORT=http and OAUTH_ENABLED=on";

function readExchange(
  read: Read,
  oauth: OAuthConfig | undefined,
  problems: Problem[],
): Pick<KafkaConfig, "exchange"> {
  const audience = read("kafkaAudience", values.words, undefined);
  const mechanism = read("kafkaMechanism", values.choice(...MECHANISMS), "oauthbearer");
  if (mechanism !== "oauthbearer") {
    problems.push({
      where: "KAFKA_SASL_MECHANISM",
      what: `is ${mechanism}, and callers have tokens, not passwords`,
      fix: "set it to oauthbearer, or unset KAFKA_AUTH",
    });
  }
  if (!oauth) {
    const what = "is exchange, which needs callers";
    problems.push({ where: "KAFKA_AUTH", what, fix: CALLERS_NEEDED });
    return {};
  }
  const where = "KAFKA_AUDIENCE";
  problems.push(...exchangeMisfits({ service: "Kafka", audience, where }, oauth));
  return audience ? { exchange: { audience } } : {};
}

function readLogin(
  read: Read,
  oauth: OAuthConfig | undefined,
  problems: Problem[],
): Pick<KafkaConfig, "login"> {
  const mechanism = read("kafkaMechanism", values.choice(...MECHANISMS), undefined);
  const user = read("kafkaUser", values.words, undefined);
  const password = read("kafkaPassword", values.words, undefined);
  const scope = read("kafkaScope", values.words, undefined);
  if (!mechanism) {
    if (user || password) {
      problems.push({
        where: "KAFKA_SASL_MECHANISM",
        what: "is not set, although a user or password is",
        fix: `set it to ${MECHANISMS.join(" or ")}`,
      });
    }
    return {};
  }
  for (const [where, value] of [["KAFKA_SASL_USER", user], ["KAFKA_SASL_PASSWORD", password]]) {
    if (value) continue;
    const what = `is not set, and KAFKA_SASL_MECHANISM is ${mechanism}`;
    problems.push({ where: where!, what, fix: "set it" });
  }
  if (mechanism === "oauthbearer" && (!oauth || oauth.provider.kind === "hmac")) {
    problems.push({
      where: "KAFKA_SASL_MECHANISM",
      what: "is oauthbearer, and there is no identity provider to get a token from",
      fix: "set OAUTH_ENABLED=on with an identity provider, or choose another mechanism",
    });
  }
  return user && password ? { login: { mechanism, user, password, ...(scope && { scope }) } } : {};
}
