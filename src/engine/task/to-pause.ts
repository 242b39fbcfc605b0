// Turns the row of a pause into a resource, and into the reason that a held-back task shows.

import type { Pause } from "../../core/api/pauses.ts";
import type { Task, Waiting } from "../../core/api/task.ts";
import { isTerminal } from "../../core/record/status.ts";
import type { PauseRow } from "../../store/store.ts";
import { holdsBack } from "../process/known-pauses.ts";

export function toPause({ scope, name, reason, made_by, since }: PauseRow): Pause {
  return {
    scope,
    name: scope === "all" ? null : name,
    reason,
    by: made_by,
    since: new Date(since).toISOString(),
  };
}

/** The task with the pause that holds it back, if nobody drives it now. */
export function withPauses(task: Task, pauses: readonly PauseRow[]): Task {
  if (pauses.length === 0 || isTerminal(task.status) || task.parked_reason !== null || task.lease_owner !== null) {
    return task;
  }
  const waits = task.waiting_for.map((wait) => {
    const tool =
      wait.kind === "pause" ? pauses.find(({ scope, name }) => scope === "tool" && name === wait.name) : undefined;
    return tool ? toWaiting(tool) : wait;
  });
  const pause = pauses.find((row) => holdsBack(row, task.flow_name));
  return { ...task, waiting_for: pause ? [...waits, toWaiting(pause)] : waits };
}

function toWaiting({ scope, name, reason }: PauseRow): Waiting {
  return { kind: "pause", name: scope === "all" ? null : name, until: null, task_id: null, reason };
}
