import { TaskonautError } from "../../core/errors.ts";
import type { SignalTask } from "../../core/api/taskonaut.ts";
import { checkKey, keyReused } from "../doors/create.ts";
import { readSignal } from "../doors/signal.ts";
import { signalOf } from "../task/inbox-posts.ts";
import type { DrivingTools } from "./driving-tools.ts";

/**
 * Leaves a signal in the task's inbox and wakes the task. Reads only its row: a signal is posted at once, however large
 * the task is. Returns the task's id. Throws task_not_found, task_ended, input_invalid.
 */
export async function signalTask(
  id: string,
  { name, payload, idempotencyKey }: SignalTask,
  { stored, store, flows, limits, log, onWoken, audit }: DrivingTools,
): Promise<string> {
  const row = await stored.readRow(id);
  if (idempotencyKey !== undefined) checkKey("Idempotency-Key", idempotencyKey);
  const text = readSignal(flows.ofTask(row), { name, payload, bytesMax: limits.inputBytes });
  const doing = {
    action: "signal-task",
    kind: "task",
    target: row.id,
    before: { status: row.status },
    after: { signal: name },
  } as const;
  const posted = await store.postToTask(signalOf(row.id, name, text, idempotencyKey), audit(doing));
  if (posted.kind === "refused") {
    const { status } = await stored.readRow(row.id);
    throw new TaskonautError(
      "task_ended",
      `Task ${row.id} is ${status}; only a task that has not ended takes signals.`,
      { details: { id: row.id, status } },
    );
  }
  if (posted.kind === "duplicate" && !posted.same) throw keyReused(row.id);
  log.info?.("signal received", { task_id: row.id, signal: name });
  onWoken(row.id);
  return row.id;
}
