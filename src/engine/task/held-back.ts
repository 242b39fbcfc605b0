// Says why a step is not started although nothing has failed: its flow, its tool or everything is paused.

import { TaskonautError } from "../../core/errors.ts";
import type { PauseRow } from "../../store/store.ts";
import type { KnownPauses } from "../process/known-pauses.ts";

/** The arguments of a check of the pauses. */
export type Gate = Pick<KnownPauses, "areKnown" | "know" | "find">;

/** The error for whoever drives the task. */
export function heldBack(taskId: string, pause: PauseRow): TaskonautError {
  const { scope, name } = pause;
  return new TaskonautError(
    "flow_paused",
    `Task ${taskId} is held back: ${describePause(pause)}. It goes on when that is over.`,
    { details: { id: taskId, scope, ...(scope !== "all" && { name }) } },
  );
}

/** `flow order is paused by ada@host since 2026-11-29T03:39:25.130Z: bank is down` */
export function describePause({ scope, name, reason, made_by, since }: PauseRow): string {
  const what = scope === "all" ? "everything" : `${scope} ${name}`;
  const why = reason === null ? "" : `: ${reason}`;
  const time = new Date(since);
  // a damaged row must not cost the task more than the wait: the list of pauses names the damage
  const at = Number.isNaN(time.getTime()) ? "" : ` since ${time.toISOString()}`;
  return `${what} is paused by ${made_by}${at}${why}`;
}
