/**
 * The last messages of one session, for clients that come back with `Last-Event-ID`.
 *
 * @module
 */

import type { EventStore, JSONRPCMessage } from "@modelcontextprotocol/server";

/** How many messages a session keeps for replay. */
export const KEPT_EVENTS = 256;

/** How much a session keeps for replay, in characters. */
export const KEPT_LENGTH = 1024 * 1024;

interface Kept {
  readonly streamId: string;
  readonly message: JSONRPCMessage;
  readonly length: number;
}

/** Prepares the log of one session. It belongs to that session and dies with it. */
export function eventLog(): EventStore {
  const events = new Map<string, Kept>();
  let count = 0;
  let length = 0;
  const forgetOldest = () => {
    const [id, oldest] = events.entries().next().value!;
    events.delete(id);
    length -= oldest.length;
  };
  return {
    storeEvent(streamId, message) {
      const id = `${streamId}_${++count}`;
      const kept = { streamId, message, length: JSON.stringify(message).length };
      events.set(id, kept);
      length += kept.length;
      while (events.size > KEPT_EVENTS || length > KEPT_LENGTH) forgetOldest();
      return Promise.resolve(id);
    },
    getStreamIdForEventId(id) {
      return Promise.resolve(events.get(id)?.streamId);
    },
    async replayEventsAfter(lastId, { send }) {
      const streamId = events.get(lastId)?.streamId ?? "";
      let after = false;
      for (const [id, event] of events) {
        const isMessage = "jsonrpc" in event.message;
        if (after && event.streamId === streamId && isMessage) await send(id, event.message);
        after ||= id === lastId;
      }
      return streamId;
    },
  };
}
