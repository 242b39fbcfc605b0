// A store on a place of its own for each test, for what every store must hold to.

import { afterEach, beforeEach, expect } from "bun:test";

import type { TaskRecord } from "../../src/core/record/record.ts";
import type { Store } from "../../src/store/store.ts";
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

  beforeEach(async () => {
    place = await create();
    await migrate(place.address);
    store = await openStore(place.address);
  });
  afterEach(async () => {
    await store?.close();
    await place?.drop();
  });

  const bench: TaskBench = {
    get place() {
      if (!place) throw new Error("The place is there within tests only.");
      return place;
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

export async function expectRefused(write: Promise<unknown>): Promise<void> {
  await expect(write).rejects.toMatchObject({ name: "TaskonautError", code: "internal" });
}
