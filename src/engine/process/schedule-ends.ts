// Tells schedules that one of their tasks has ended, so that a firing that waits for it is made at once. It is told
// after the commit: if this process dies in between, the firing is checked a little later in any case.

import type { Log } from "../../core/log.ts";
import { messageOf } from "../../core/record/stored-error.ts";
import type { QueueNotifier } from "./queue-notifier.ts";
import type { Store } from "../../store/store.ts";

type Writes = Pick<Store, "insertTasks" | "commitChanges">;

/** The store for writing the results of tasks. */
export function tellingScheduleEnds(
  store: Writes & Pick<Store, "schedules">,
  notifier: Pick<QueueNotifier, "tellWorkers">,
  log: Log,
): Writes {
  let names = new Set<string>();
  let isTelling = false;

  async function tell(): Promise<void> {
    isTelling = true;
    while (names.size > 0) {
      const told = [...names];
      names = new Set();
      try {
        if ((await store.schedules.wakeQueued(told)) > 0) notifier.tellWorkers();
      } catch (error) {
        log.debug?.("schedules not told of an end", { error: messageOf(error) });
      }
    }
    isTelling = false;
  }

  return {
    insertTasks: (records) => store.insertTasks(records),
    async commitChanges(changes) {
      const won = await store.commitChanges(changes);
      for (const [place, { task }] of changes.entries()) {
        if (task.schedule !== null && task.finished_at !== null && won[place] === true) names.add(task.schedule);
      }
      if (names.size > 0 && !isTelling) tell().catch(() => {}); // it never rejects
      return won;
    },
  };
}
