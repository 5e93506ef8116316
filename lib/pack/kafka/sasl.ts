/**
 * Logins at brokers (SASL).
 *
 * The library would log in again over a connection in use, in the middle of what is asked there.
 * Here a connection is told to end before its login does, and another one takes its place.
 *
 * @module
 */

import {
  AuthenticationError,
  type CallbackWithPromise,
  saslOAuthBearer,
  type SASLOptions,
  saslPlain,
  saslScramSha,
} from "@platformatic/kafka";

/** A login. */
export type Sasl =
  | {
    readonly mechanism: "plain" | "scram-sha-256" | "scram-sha-512";
    readonly username: string;
    readonly password: string;
  }
  | {
    readonly mechanism: "oauthbearer";
    /** The token to log in with, asked for at each connection. */
    readonly token: () => Promise<string>;
    /** Hears of a token that a broker refused, which need not be given again. */
    readonly refused: (token: string) => void;
  };

/** The login of one connection. */
export interface Login {
  readonly options: SASLOptions;
  /** How long it may be used, in milliseconds; known once it is done. */
  usableMs(): number;
  /** Says that the broker refused it. */
  refused(): void;
}

const MECHANISMS = {
  "plain": "PLAIN",
  "scram-sha-256": "SCRAM-SHA-256",
  "scram-sha-512": "SCRAM-SHA-512",
  "oauthbearer": "OAUTHBEARER",
} as const;

/** How much of a session is used before another connection replaces it. */
const USED = 0.8;

/** How often a broker may have a password hashed. Kafka itself takes no more than 16384. */
const MOST_ITERATIONS = 100_000;

// The work is the client's, and how much of it there is says the broker.
const SCRAM_CRYPTO: typeof saslScramSha.defaultCrypto = {
  ...saslScramSha.defaultCrypto,
  hi: (definition, password, salt, iterations) =>
    iterations > MOST_ITERATIONS
      ? Promise.reject(new Error(`Cannot hash a password ${iterations} times`))
      : saslScramSha.defaultCrypto.hi(definition, password, salt, iterations),
};

/** Prepares the login of one connection. */
export function loginOf(sasl: Sasl | undefined): Login | undefined {
  if (!sasl) return undefined;
  let lifetimeMs = 0;
  let shown: string | undefined;
  const mechanism = MECHANISMS[sasl.mechanism];
  const authenticate: NonNullable<SASLOptions["authenticate"]> = (
    _mechanism,
    connection,
    ask,
    username,
    password,
    token,
    callback,
  ) => {
    // What a broker sends is read inside these callbacks; what that throws would end the process.
    const safely: typeof ask = Object.assign(
      (...[to, bytes, reply]: Parameters<typeof ask>) =>
        ask(to, bytes, (error, answer) => {
          try {
            reply?.(error, answer);
          } catch (cause) {
            callback(new AuthenticationError("The login failed", { cause: cause as Error }));
          }
        }),
      { async: ask.async, key: ask.key, version: ask.version },
    );
    const done = ((error, answer) => {
      if (error || !answer) return callback(error);
      // With an error of its own (RFC 7628), the mechanism awaits another message.
      if (mechanism === "OAUTHBEARER" && answer.authBytes.length > 0) {
        return callback(new AuthenticationError("The token was refused"));
      }
      lifetimeMs = Number(answer.sessionLifetimeMs);
      callback(null, { ...answer, sessionLifetimeMs: 0n });
    }) as CallbackWithPromise<Parameters<typeof callback>[1] & object>;
    switch (mechanism) {
      case "PLAIN":
        saslPlain.authenticate(safely, connection, username!, password!, done);
        break;
      case "OAUTHBEARER":
        saslOAuthBearer.authenticate(safely, connection, token!, {}, done);
        break;
      default:
        saslScramSha.authenticate(
          safely,
          connection,
          mechanism === "SCRAM-SHA-256" ? "SHA-256" : "SHA-512",
          username!,
          password!,
          SCRAM_CRYPTO,
          done,
        );
    }
  };
  const byToken = sasl.mechanism === "oauthbearer" ? sasl : undefined;
  return {
    options: {
      ...sasl,
      mechanism,
      authenticate,
      ...(byToken && { token: async () => shown = await byToken.token() }),
    },
    usableMs: () => lifetimeMs > 0 ? USED * lifetimeMs : Infinity,
    refused: () => {
      if (shown !== undefined) byToken?.refused(shown);
    },
  };
}
