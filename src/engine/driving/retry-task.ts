// Retries a task that has failed, with the children that failed it.

import { hasCode } from "../../core/errors.ts";
import { childTaskId } from "../../core/record/ids.ts";
import type { Change } from "../../store/store.ts";
import type { StepRow, TaskRecord } from "../../core/record/record.ts";
import { notRetryable, planReopening, reopen } from "../doors/reopen.ts";
import { wasRefused } from "../task/refused-child.ts";
import type { DrivingTools } from "./driving-tools.ts";
import { busy } from "./not-now.ts";

/**
 * `notBefore`: the earliest time of everything that it writes. Returns the task's record, back at RUNNING and in the
 * queue. Throws task_not_retryable, task_busy, task_not_found.
 */
export async function retryTask(
  id: string,
  tools: DrivingTools,
  { notBefore = 0, isChild = false } = {},
): Promise<TaskRecord> {
  const { clock, limits, log, driven, stored, flows, storeClock, audit } = tools;
  const unlock = await driven.lock(id);
  try {
    const record = await stored.read(id);
    const flow = flows.ofTask(record.task);
    const { stepsPerTask: stepsMax } = limits;
    const plan = planReopening(flow, record, stepsMax);
    for (const step of plan.failed) if (step.kind === "child") await retryChild(id, step, tools, notBefore);
    const storeNow = await storeClock.read();
    const draft = reopen(flow, record, plan, { now: Math.max(clock.now(), notBefore), storeNow, stepsMax });
    const change = draft.takeChange();
    const { status, error } = record.task;
    const states = { before: { status, error }, after: { status: draft.record.task.status } };
    const doing = { action: "retry-task", kind: "task", target: id, ...states } as const;
    // the children that failed it are retried, too
    const audited = isChild ? {} : audit(doing);
    if (change && !(await submitOpened({ ...change, ...audited }, tools))) throw busy(id, limits.busyMs);
    driven.forget(id);
    const { flow_name, parent_task_id: parent } = record.task;
    log.info?.("task reopened", { task_id: id, flow: flow_name, parent });
    return draft.record;
  } finally {
    unlock();
  }
}

/** If an open task has its unique key by now, the store refuses the retry. Throws task_not_retryable. */
async function submitOpened(change: Change, { writer, store }: DrivingTools): Promise<boolean> {
  const { id, flow_name: flow, unique_key: key } = change.task;
  try {
    return await writer.submitChange(change);
  } catch (error) {
    const other = key === null ? undefined : await store.admission.findOpen(flow, key).catch(() => undefined);
    if (other === undefined || other === id) throw error;
    throw notRetryable(id, `task ${other} has its key ${JSON.stringify(key)} now, and has not ended`);
  }
}

/** Its parent is about to be opened again, and then takes the child's current end. Throws task_not_retryable. */
async function retryChild(
  parentId: string,
  { id, step_index, step_name, error }: StepRow,
  tools: DrivingTools,
  notBefore: number,
): Promise<void> {
  const childId = childTaskId(id);
  const named = `step ${step_index} (${step_name})`;
  const status = (await tools.store.readTask(childId))?.task.status;
  if (status === undefined && wasRefused(error)) return; // the retry creates it
  if (status === undefined) throw notRetryable(parentId, `the child of ${named} was removed since`);
  if (status === "CANCELLED") throw notRetryable(parentId, `child ${childId} of ${named} was cancelled`);
  if (status !== "FAILED") return; // it was retried separately
  try {
    await retryTask(childId, tools, { notBefore, isChild: true });
  } catch (thrown) {
    throw hasCode(thrown, "task_not_retryable")
      ? notRetryable(parentId, `child ${childId} of ${named} failed. ${thrown.message.replace(/\.$/, "")}`)
      : thrown;
  }
}
