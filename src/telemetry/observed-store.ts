// A store that reports its durable writes and claims to observers.

import type { Claim, Store } from "../store/store.ts";
import type { StepRow, TaskRow, ToolCallRow } from "../core/record/record.ts";

export interface StoreObserver {
  noteCreated(task: TaskRow, calls: readonly ToolCallRow[], steps: readonly StepRow[]): void;
  /** Called with the new and changed rows. */
  noteChanged(task: TaskRow, calls: readonly ToolCallRow[], steps: readonly StepRow[]): void;
  noteClaim?(claim: Pick<Claim, "tasks" | "now">): void;
  /** The commit had this many tasks. */
  noteCommit?(tasks: number, ms: number, outcome: "written" | "failed"): void;
}

/** All other calls go to the store unchanged. Errors are passed on. */
export function observedStore(store: Store, observers: readonly StoreObserver[]): Store {
  const timed = async <Result>(tasks: number, write: () => Promise<Result>): Promise<Result> => {
    const started = performance.now();
    const tell = (outcome: "written" | "failed"): void => {
      for (const observer of observers) observer.noteCommit?.(tasks, performance.now() - started, outcome);
    };
    try {
      const result = await write();
      tell("written");
      return result;
    } catch (error) {
      tell("failed");
      throw error;
    }
  };
  return {
    ...store,
    async insertTasks(records) {
      const inserted = await timed(records.length, () => store.insertTasks(records));
      for (const observer of observers) {
        for (const [place, { task, calls, steps }] of records.entries()) {
          if (inserted[place]) observer.noteCreated(task, calls, steps);
        }
      }
      return inserted;
    },
    async commitChanges(changes) {
      const written = await timed(changes.length, () => store.commitChanges(changes));
      for (const observer of observers) {
        for (const [place, { task, newCalls, changedCalls, newSteps, changedSteps }] of changes.entries()) {
          if (written[place])
            observer.noteChanged(task, joined(newCalls, changedCalls), joined(newSteps, changedSteps));
        }
      }
      return written;
    },
    async claimTasks(request) {
      const claim = await store.claimTasks(request);
      for (const observer of observers) observer.noteClaim?.(claim);
      return claim;
    },
    schedules: {
      ...store.schedules,
      async fire(firings) {
        const fired = await store.schedules.fire(firings);
        for (const observer of observers) {
          for (const [place, { tasks }] of firings.entries()) {
            if (fired[place]) for (const { task, calls, steps } of tasks) observer.noteCreated(task, calls, steps);
          }
        }
        return fired;
      },
    },
  };
}

function joined<Row>(some: readonly Row[], others: readonly Row[]): readonly Row[] {
  return others.length === 0 ? some : [...some, ...others];
}
