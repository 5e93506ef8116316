/**
 * Settings: Kafka.
 *
 * @module
 */

import type { Setting } from "./setting.ts";

/** Kafka behind the tools. */
export const KAFKA = {
  kafkaBrokers: {
    flag: "kafka-brokers",
    env: ["KAFKA_BROKERS"],
    value: "HOST:PORT,…",
    fallback: "none: no Kafka tools",
    help: "Brokers to find the cluster by",
  },
  kafkaClientId: {
    flag: "kafka-client-id",
    env: ["KAFKA_CLIENT_ID"],
    value: "NAME",
    fallback: "gatehouse",
    help: "How this server names itself to brokers, for their logs and quotas",
  },
  kafkaTopicsAllow: {
    flag: "kafka-topics-allow",
    env: ["KAFKA_TOPICS_ALLOW"],
    value: "GLOB,…",
    fallback: "all",
    help: "Topics that exist to callers; * stands for any characters",
  },
  kafkaTopicsDeny: {
    flag: "kafka-topics-deny",
    env: ["KAFKA_TOPICS_DENY"],
    value: "GLOB,…",
    fallback: "none",
    help: "Topics that do not, even if allowed",
  },
  kafkaAuth: {
    flag: "kafka-auth",
    env: ["KAFKA_AUTH"],
    value: "service-account|exchange",
    fallback: "service-account",
    help: "As whom to connect: this server, or the caller by a token exchanged for theirs",
  },
  kafkaAudience: {
    flag: "kafka-audience",
    env: ["KAFKA_AUDIENCE"],
    value: "AUDIENCE",
    fallback: "none",
    help: "What Kafka is called at the identity provider, for exchange",
  },
  kafkaMechanism: {
    flag: "kafka-sasl-mechanism",
    env: ["KAFKA_SASL_MECHANISM"],
    value: "plain|scram-sha-256|scram-sha-512|oauthbearer",
    fallback: "none; exchange: oauthbearer",
    help: "How to log in at brokers",
  },
  kafkaUser: {
    flag: "kafka-sasl-user",
    env: ["KAFKA_SASL_USER"],
    value: "NAME",
    fallback: "none",
    help: "User, or for oauthbearer the client id at the identity provider",
  },
  kafkaPassword: {
    flag: "kafka-sasl-password",
    env: ["KAFKA_SASL_PASSWORD"],
    value: "PASSWORD",
    secret: true,
    fallback: "none",
    help: "Its password, or the client's secret",
  },
  kafkaScope: {
    flag: "kafka-sasl-scope",
    env: ["KAFKA_SASL_SCOPE"],
    value: "SCOPE",
    fallback: "none",
    help: "Scope to ask for with oauthbearer",
  },
  kafkaTls: {
    flag: "kafka-tls-enable",
    env: ["KAFKA_TLS_ENABLE"],
    fallback: "off",
    help: "Connect to brokers with TLS",
  },
  kafkaCaFile: {
    flag: "kafka-tls-ca-file",
    env: ["KAFKA_TLS_CA_FILE"],
    value: "PATH",
    fallback: "the system's",
    help: "Certificates in PEM that vouch for brokers",
  },
  kafkaCertFile: {
    flag: "kafka-tls-cert-file",
    env: ["KAFKA_TLS_CERT_FILE"],
    value: "PATH",
    fallback: "none",
    help: "Certificate in PEM to show to brokers",
  },
  kafkaKeyFile: {
    flag: "kafka-tls-key-file",
    env: ["KAFKA_TLS_KEY_FILE"],
    value: "PATH",
    fallback: "none",
    help: "Its key in PEM",
  },
  kafkaInsecureTls: {
    flag: "kafka-tls-insecure-skip-verify",
    env: ["KAFKA_TLS_INSECURE_SKIP_VERIFY"],
    fallback: "off",
    help: "Refused when on: certificates of brokers are always checked",
  },
  kafkaTimeout: {
    flag: "kafka-timeout",
    env: ["KAFKA_TIMEOUT"],
    value: "DURATION",
    fallback: "10s",
    help: "How long Kafka may take for one answer",
  },
} as const satisfies Record<string, Setting>;
