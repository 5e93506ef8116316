/**
 * Many HTTP exchanges over one connected server.
 *
 * The SDK's own transport for stateless HTTP serves one exchange and takes a new server for each,
 * which costs more than most tool calls. This one stays connected: it gives each request a number
 * of its own, remembers whose it is, and puts the caller's id back into the answer.
 *
 * Only requests go in. A client's notifications and responses name numbers too, and those could
 * be another caller's; without a session there is nothing they could rightly refer to.
 *
 * @module
 */

import {
  type JSONRPCMessage,
  type JSONRPCRequest,
  type MessageClassification,
  PerRequestHTTPServerTransport,
  type PerRequestMessageExtra,
  type RequestId,
  type TransportSendOptions,
} from "@modelcontextprotocol/server";
import { deliver } from "../delivery.ts";
import { type EventStream, eventStream } from "./streams.ts";

/** HTTP status of errors that a request earns before its handler runs (MCP 2026-07-28). */
const ERROR_STATUS: Readonly<Record<number, number>> = {
  [-32601]: 404,
  [-32020]: 400,
  [-32021]: 400,
  [-32022]: 400,
};

const JSON_HEADERS = { headers: { "content-type": "application/json" } };

interface Exchange {
  readonly id: RequestId;
  readonly settle: (response: Response) => void;
  stream?: EventStream;
}

/** A transport that answers any number of requests, each with its own HTTP response. */
export class Exchanges extends PerRequestHTTPServerTransport {
  readonly #classification: MessageClassification;
  readonly #open = new Map<RequestId, Exchange>();
  #count = 0;
  #closed = false;

  /** @param classification Era and revision of every request this transport will carry. */
  constructor(classification: MessageClassification) {
    super({ classification });
    this.#classification = classification;
  }

  /** Nothing to start: requests come through {@linkcode Exchanges.handleMessage}. */
  override start(): Promise<void> {
    return Promise.resolve();
  }

  /**
   * Serves one request: a JSON body, or an event stream once the handler says something before its
   * result. When the client goes away, a 2026-07-28 request is cancelled; an older one runs on, as
   * its revision asks.
   */
  override handleMessage(
    message: JSONRPCRequest,
    extra: PerRequestMessageExtra & { request: Request },
  ): Promise<Response> {
    if (this.#closed) return Promise.resolve(new Response(null, { status: 503 }));
    const key = ++this.#count;
    const { promise, resolve } = Promise.withResolvers<Response>();
    this.#open.set(key, { id: message.id, settle: resolve });
    if (this.#classification.era === "modern") {
      const { signal } = extra.request;
      if (signal.aborted) this.#cancel(key);
      signal.addEventListener("abort", () => this.#cancel(key), { once: true });
    }
    if (this.#open.has(key)) {
      this.onmessage?.({ ...message, id: key }, { ...extra, classification: this.#classification });
    }
    return promise;
  }

  /** Takes what the server has to say about an exchange. */
  override send(message: JSONRPCMessage, options?: TransportSendOptions): Promise<void> {
    if (!("method" in message)) this.#finish(message);
    else if ("id" in message) {
      return Promise.reject(new Error("Asking the client needs a session: set MCP_SESSIONS=on"));
    } else if (options?.relatedRequestId !== undefined) {
      this.#tell(options.relatedRequestId, message);
    }
    return Promise.resolve();
  }

  /** Ends every exchange: the handlers' signals abort, and clients that still wait get 503. */
  override close(): Promise<void> {
    this.#closed = true;
    for (const exchange of this.#open.values()) {
      exchange.settle(new Response(null, { status: 503 }));
      exchange.stream?.end();
    }
    this.#open.clear();
    this.onclose?.();
    return Promise.resolve();
  }

  #finish(message: Exclude<JSONRPCMessage, { method: string }>): void {
    const key = message.id;
    const exchange = key === undefined ? undefined : this.#open.get(key);
    if (!exchange) return;
    this.#open.delete(key!);
    const answer = { ...message, id: exchange.id };
    if (exchange.stream) {
      exchange.stream.send(answer);
      exchange.stream.end();
      return;
    }
    const modern = this.#classification.era === "modern";
    const status = modern && "error" in message ? ERROR_STATUS[message.error.code] ?? 200 : 200;
    exchange.settle(deliver(JSON.stringify(answer), { status, ...JSON_HEADERS }));
  }

  #tell(key: RequestId, message: JSONRPCMessage): void {
    const exchange = this.#open.get(key);
    if (!exchange) return;
    if (!exchange.stream) {
      exchange.stream = eventStream(() => this.#leave(key));
      exchange.settle(exchange.stream.response);
    }
    exchange.stream.offer(message);
  }

  #leave(key: RequestId): void {
    if (this.#classification.era === "modern") this.#cancel(key);
  }

  #cancel(key: RequestId): void {
    const exchange = this.#open.get(key);
    if (!exchange) return;
    this.#open.delete(key);
    exchange.settle(new Response(null, { status: 499 }));
    exchange.stream?.end();
    this.onmessage?.({
      jsonrpc: "2.0",
      method: "notifications/cancelled",
      params: { requestId: key, reason: "The client closed the connection" },
    }, { classification: this.#classification });
  }
}
