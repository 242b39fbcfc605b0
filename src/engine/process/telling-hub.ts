import type { Store } from "../../store/store.ts";
import type { EventHub } from "./event-hub.ts";

type Writes = Pick<Store, "insertTasks" | "commitChanges">;

/** The store for writing the results of tasks: listeners here hear of them at once. */
export function tellingHub(store: Writes, hub: Pick<EventHub, "kick">): Writes {
  return {
    async insertTasks(records) {
      const inserted = await store.insertTasks(records);
      hub.kick();
      return inserted;
    },
    async commitChanges(changes) {
      const won = await store.commitChanges(changes);
      hub.kick();
      return won;
    },
  };
}
