// A store on a place of its own for each test, for what every store must hold to.

import { afterEach, beforeEach, expect } from "bun:test";

import type { TaskRecord } from "../../src/core/record/record.ts";
import type { TaskStatus } from "../../src/core/record/status.ts";
import type { ListKey, Store, TaskCount } from "../../src/store/store.ts";
import { openStore } from "../../src/store/open.ts";
import type { Place } from "./place.ts";

export interface TaskBench {
  readonly place: Place;
  readonly store: Store;
  /** Another one, as another process has it. */
  readonly other: Store;
  /** One more, which is closed after the test. */
  readonly open: () => Promise<Store>;
  /** Gives the record back. */
  readonly insert: (record: TaskRecord) => Promise<TaskRecord>;
}

/** Call it at the top of a `describe`. `create` gives a place with all tables. */
export function taskBench(create: () => Promise<Place>, { hasOther = false } = {}): TaskBench {
  let place: Place | undefined;
  let store: Store | undefined;
  let others: Store[] = [];
  /** SQL past the store counts nothing. */
  let isWrittenPast = false;

  beforeEach(async () => {
    place = await create();
    store = await openStore(place.address);
    if (hasOther) others = [await openStore(place.address)];
  });
  afterEach(async () => {
    try {
      if (store && !isWrittenPast) expect(await store.counts.read()).toEqual(await countByHand(store));
    } finally {
      isWrittenPast = false;
      await Promise.all([store, ...others].map((each) => each?.close()));
      others = [];
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
    get other() {
      const [first] = others;
      if (!first) throw new Error("It has no other store.");
      return first;
    },
    open: async () => {
      const another = await openStore(bench.place.address);
      others.push(another);
      return another;
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
