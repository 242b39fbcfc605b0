// A store whose durable writes and claims are counted.

import type { Store } from "../store/store.ts";
import type { Metrics } from "./metrics.ts";

/** All else goes to the store as it is. What fails is thrown on. */
export function observedStore(store: Store, metrics: Metrics): Store {
  const timed = async <Result>(tasks: number, write: () => Promise<Result>): Promise<Result> => {
    const started = performance.now();
    try {
      const result = await write();
      metrics.noteCommit(tasks, performance.now() - started, "written");
      return result;
    } catch (error) {
      metrics.noteCommit(tasks, performance.now() - started, "failed");
      throw error;
    }
  };
  return {
    ...store,
    async insertTasks(records) {
      const inserted = await timed(records.length, () => store.insertTasks(records));
      for (const [place, { task, calls }] of records.entries()) if (inserted[place]) metrics.noteCreated(task, calls);
      return inserted;
    },
    async commitChanges(changes) {
      const written = await timed(changes.length, () => store.commitChanges(changes));
      for (const [place, { task, newCalls, changedCalls }] of changes.entries()) {
        if (!written[place]) continue;
        metrics.noteChanged(task, newCalls);
        for (const call of changedCalls) metrics.noteCall(call);
      }
      return written;
    },
    async claimTasks(request) {
      const claim = await store.claimTasks(request);
      metrics.noteClaim(claim);
      return claim;
    },
  };
}
