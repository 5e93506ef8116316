/**
 * A client that is lent to calls, and let go of when none of them uses it any more.
 *
 * @module
 */

import type { Cluster } from "./cluster.ts";

/** A cluster with connections to let go of. */
export interface Closable extends Cluster {
  close(): Promise<void>;
}

/** What is lent. */
export interface Lent {
  readonly cluster: Cluster;
  /** Closes the client as soon as nothing is under way. Settles when that is done. */
  leave(): Promise<void>;
  /** Has {@linkcode Lent.leave} wait no longer: what is under way ends. */
  cut(): void;
}

/** Prepares lending a client. */
export function lend(client: Closable): Lent {
  const free = Promise.withResolvers<void>();
  let underWay = 0;
  let isLeaving = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const cut = () => {
    isLeaving = false;
    clearTimeout(timer);
    free.resolve();
  };
  // What asks several things goes on at once: a turn of the event loop without any is the end.
  const look = () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      if (underWay === 0) cut();
    });
  };
  const counted =
    <Args extends unknown[], T>(ask: (...args: Args) => Promise<T>) => async (...args: Args) => {
      underWay++;
      try {
        return await ask(...args);
      } finally {
        underWay--;
        if (isLeaving && underWay === 0) look();
      }
    };
  return {
    cluster: {
      snapshot: counted((...args) => client.snapshot(...args)),
      offsets: counted((...args) => client.offsets(...args)),
      read: counted((...args) => client.read(...args)),
      write: counted((...args) => client.write(...args)),
      groups: counted((...args) => client.groups(...args)),
      groupDetails: counted((...args) => client.groupDetails(...args)),
      commits: counted((...args) => client.commits(...args)),
      settings: counted((...args) => client.settings(...args)),
    },
    async leave() {
      isLeaving = true;
      look();
      await free.promise;
      await client.close();
    },
    cut,
  };
}
