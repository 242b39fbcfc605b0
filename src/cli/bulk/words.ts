// The words for operations on many tasks.

import type { BulkAction } from "../../core/api/bulk.ts";

interface Words {
  /** `Retry these 3 tasks?` */
  readonly act: string;
  /** `3 tasks were retried` */
  readonly acted: string;
  /** What is acted on: `No FAILED task matches`. */
  readonly which: string;
}

export const WORDS: Readonly<Record<BulkAction, Words>> = {
  cancel: { act: "Cancel", acted: "cancelled", which: "open task" },
  retry: { act: "Retry", acted: "opened again", which: "FAILED task" },
  resume: { act: "Resume", acted: "resumed", which: "parked task" },
  signal: { act: "Signal", acted: "signaled", which: "open task" },
  delete: { act: "Delete", acted: "deleted", which: "ended task" },
};

/** `1 task`, `1,200 tasks`; `more`: there are more than those. */
export function countTasks(tasks: number, more = false): string {
  const count = `${tasks.toLocaleString("en")} ${tasks === 1 ? "task" : "tasks"}`;
  return more ? `more than ${count}` : count;
}
