// The store of a run, which tells of what is durable.

import type { Change, Store } from "../store/store.ts";

export interface Listeners {
  /** Of tasks that are new, in the order of their creation. */
  readonly onInserted: (ids: readonly string[]) => void;
  readonly onChanged: (changes: readonly Change[]) => void;
}

export function toldStore(store: Store, { onInserted, onChanged }: Listeners): Store {
  return {
    ...store,
    insertTasks: async (records) => {
      const isNew = await store.insertTasks(records);
      onInserted(records.flatMap(({ task }, place) => (isNew[place] ? [task.id] : [])));
      return isNew;
    },
    commitChanges: async (changes) => {
      const isMade = await store.commitChanges(changes);
      onChanged(changes.filter((_, place) => isMade[place]));
      return isMade;
    },
  };
}
