/**
 * The last messages of one session, for clients that come back with `Last-Event-ID`.
 *
 * @module
 */

import type { EventStore, JSONRPCMessage } from "@modelcontextprotocol/server";

/** How many messages a session keeps for replay. */
export const KEPT_EVENTS = 256;

/** Prepares the log of one session. It belongs to that session and dies with it. */
export function eventLog(): EventStore {
  const events = new Map<string, { streamId: string; message: JSONRPCMessage }>();
  let count = 0;
  return {
    storeEvent(streamId, message) {
      const id = `${streamId}_${++count}`;
      events.set(id, { streamId, message });
      if (events.size > KEPT_EVENTS) events.delete(events.keys().next().value!);
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
