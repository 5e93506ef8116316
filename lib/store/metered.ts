/**
 * A store whose failures are counted.
 *
 * @module
 */

import type { Meter, StoreOperation } from "../meter.ts";
import type { Store } from "../store.ts";

/** The same store; what rejects is counted, and rejects on. */
export function metered(store: Store, meter: Meter): Store {
  const counted = <T>(operation: StoreOperation, result: Promise<T>): Promise<T> =>
    result.catch((error) => {
      meter.storeFailed(operation);
      throw error;
    });
  return {
    get: (...all) => counted("get", store.get(...all)),
    put: (...all) => counted("put", store.put(...all)),
    putIfAbsent: (...all) => counted("putIfAbsent", store.putIfAbsent(...all)),
    replace: (...all) => counted("replace", store.replace(...all)),
    take: (...all) => counted("take", store.take(...all)),
    ready: () => store.ready(),
    close: () => store.close(),
  };
}
