// Parks tasks that nobody can continue, each with its reason.

import type { TaskonautError } from "../../core/errors.ts";
import type { TaskRecord } from "../../core/record/record.ts";
import { Draft } from "../task/draft.ts";
import { type DriverTools, type FlowViolationError, LostTaskError, ObstacleError } from "../task/driver-tools.ts";
import { isParked } from "../task/is-parked.ts";
import type { Recovery } from "../task/recover.ts";
import { standingOf } from "../task/standing.ts";
import type { TaskDriver } from "../task/task-driver.ts";

type Tools = Pick<DriverTools, "clock" | "log" | "writer" | "flows"> & {
  /** The caller learns it from the thrown error, but the driver of the parent task does not. */
  readonly isForCaller?: boolean;
};

/**
 * Parks a task, whoever holds it in this process. `forAll`: this process cannot drive it, and every worker that has the
 * flow tries it now and then, whatever its code. Returns the error that says so.
 */
export async function park(
  record: TaskRecord,
  reason: string,
  { clock, log, writer, flows, isForCaller = false }: Tools,
  { forAll = false } = {},
): Promise<TaskonautError> {
  const { id, flow_name: flow } = record.task;
  const draft = new Draft(record);
  if (record.task.parked_reason !== reason || record.task.lease_owner !== null) {
    const now = clock.now();
    draft.setTask(
      now,
      standingOf({ parked: { reason, code: forAll ? null : flows.codeOf(flow) }, waits: draft.task.waits, now }),
    );
  }
  const change = draft.takeChange();
  // lost: somebody else continued it, which is as good
  if (change) await writer.submitChange(change);
  const tell = isForCaller && record.task.parent_task_id === null ? log.info : log.warn;
  tell?.("task parked", { task_id: id, flow, reason });
  return isParked(id, reason);
}

/** Parks a task whose record does not lead to a driver. */
export function parkUnrecovered(
  record: TaskRecord,
  { kind, reason }: Exclude<Recovery, { kind: "ready" }>,
  tools: Tools,
): Promise<TaskonautError> {
  return park(record, reason, tools, { forAll: kind === "obstacle" });
}

/**
 * Parks a task whose flow broke determinism, as its driver found: that transition is not recorded, but all earlier ones
 * are. Returns the error that says so, or that the task was lost: then the driver's state was out of date, and so was
 * the violation.
 */
export async function parkDriven(
  driver: TaskDriver,
  error: FlowViolationError,
  tools: Tools,
): Promise<TaskonautError | LostTaskError> {
  try {
    const record = await driver.durableRecord();
    driver.abandon(error);
    return await park(record, error.message, tools, { forAll: error instanceof ObstacleError });
  } catch (failure) {
    if (failure instanceof LostTaskError) return failure;
    throw failure;
  }
}
