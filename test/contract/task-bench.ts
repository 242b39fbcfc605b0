// A store on a place of its own for each test, for what every store must hold to.

import { afterEach, beforeEach, expect } from "bun:test";

import type { TaskRecord } from "../../src/core/record/record.ts";
import type { TaskStatus } from "../../src/core/record/status.ts";
import type { ListKey, Store, TaskCount } from "../../src/store/store.ts";
import { openStore } from "../../src/store/open.ts";
import { migrate, type Place } from "./place.ts";

export interface TaskBench {
  readonly place: Place;
  readonly store: Store;
  /** Gives the record back. */
  readonly insert: (record: TaskRecord) => Promise<TaskRecord>;
}

/** Call it at the top of a `describe`. */
export function taskBench(create: () => Promise<Place>): TaskBench {
  let place: Place | undefined;
  let store: Store | undefined;
  /** SQL past the store counts nothing. */
  let isWrittenPast = false;

  beforeEach(async () => {
    place = await create();
    await migrate(place.address);
    store = await openStore(place.address);
  });
  afterEach(async () => {
    try {
      if (store && !isWrittenPast) expect(await store.counts.read()).toEqual(await countByHand(store));
    } finally {
      isWrittenPast = false;
      await store?.close();
      await place?.drop();
    }
  });

  const bench: TaskBench = {
    get place() {
      if (!place) throw new Error("The place is there within tests only.");
      const own = place;
      return {
        ...own,
        execute: (script: string) => {
          isWrittenPast = true;
          return own.execute(script);
        },
      };
    },
    get store() {
      if (!store) throw new Error("The store is there within tests only.");
      return store;
    },
    insert: async (record) => {
      expect(await bench.store.insertTasks([record])).toEqual([true]);
      return record;
    },
  };
  return bench;
}

/** By flow and state, of the tasks that there are: what `counts` has to tell. */
async function countByHand(store: Store): Promise<readonly TaskCount[]> {
  const counts = new Map<string, { flow_name: string; status: TaskStatus; tasks: number }>();
  let after: ListKey | undefined;
  do {
    const { rows, next } = await store.searchTasks({ limit: 1000, ...(after && { after }) });
    for (const { flow_name, status } of rows) {
      const key = `${flow_name} ${status}`;
      counts.set(key, { flow_name, status, tasks: (counts.get(key)?.tasks ?? 0) + 1 });
    }
    after = next;
  } while (after);
  return [...counts].toSorted(([one], [other]) => (one < other ? -1 : 1)).map(([, count]) => count);
}

export async function expectRefused(write: Promise<unknown>): Promise<void> {
  await expect(write).rejects.toMatchObject({ name: "TaskonautError", code: "internal" });
}
