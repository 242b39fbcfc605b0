// retry-task: the failed step that ended a task is opened again, under the same key and a higher epoch.
//
// O1. The record stays as it is. The task goes back to a place at which its flow, given all outcomes except these failures,
//     had decided on exactly the recorded steps. Later outcomes are given to the flow again, in their order.
// O2. If the flow has continued after a failure (it caught it, or cleaned up), there is no such place: its later work would
//     have to be undone.

import { createProgram } from "../../core/flow/create-program.ts";
import { TaskonautError } from "../../core/errors.ts";
import type { Flow } from "../../core/flow/flow.ts";
import type { StepRow, TaskRecord, TaskRow } from "../../core/record/record.ts";
import { readError } from "../../core/record/stored-error.ts";
import { readTags, toTagsText } from "../../core/record/tags.ts";
import { Draft } from "../task/draft.ts";
import { programTaskOf, retagged } from "../task/program-task.ts";
import { recover } from "../task/recover.ts";
import { outcomeOf } from "../task/replay.ts";
import { standingOf } from "../task/standing.ts";

/** What is opened again, and how far the task goes back. */
export interface Reopening {
  /** With those that only their failure has kept from beginning. */
  readonly failed: readonly StepRow[];
  /** Of the outcomes that are left, so many stay told. */
  readonly told: number;
}

interface Moment {
  readonly now: number;
  /** From then on a worker may take it. */
  readonly storeNow: number;
  readonly stepsMax: number;
}

/** Throws task_not_retryable with the reason. */
export function planReopening(flow: Flow, record: TaskRecord, stepsMax: number): Reopening {
  const { task, steps } = record;
  if (task.status !== "FAILED") throw notRetryable(task.id, `it is ${task.status}; only a FAILED task can be retried`);
  const told = inOrder(steps.filter((step) => step.status === "FAILED" && isTold(record, step))).toReversed();
  // first the one that the task's error tells of: others may have been caught
  const failures = [...told.filter((step) => isCause(task, step)), ...told.filter((step) => !isCause(task, step))];
  const [last] = failures;
  if (!last) {
    throw notRetryable(
      task.id,
      "no step of it failed: its flow itself ended with an error. Fix the flow, and start a new task",
    );
  }
  for (const step of failures) {
    let failed = [step];
    let place = placeWithout(flow, record, failed, stepsMax);
    if (place === undefined) continue;
    if (step.kind !== "tool" && step.kind !== "child") {
      throw notRetryable(
        task.id,
        `step ${step.step_index} (${step.step_name}) waited in vain, which is not a failure of a tool`,
      );
    }
    // of its neighbours in a group that failed too each would end the task again
    for (const other of failures.filter((one) => one !== step && isBeside(one, step) && one.kind !== "signal")) {
      const further = placeWithout(flow, record, [...failed, other], stepsMax);
      if (further === undefined) continue;
      failed = [...failed, other];
      place = further;
    }
    const held = heldBy(flow, record, failed, stepsMax);
    if (held.length > 0) {
      failed = [...failed, ...held];
      place = placeWithout(flow, record, failed, stepsMax) ?? place;
    }
    return { failed, told: place };
  }
  throw notRetryable(
    task.id,
    `its flow went on after step ${last.step_index} (${last.step_name}) had failed, and what it did since cannot be undone. Start a new task`,
  );
}

/** Gives the task back at RUNNING. Throws task_not_retryable. */
export function reopen(
  flow: Flow,
  record: TaskRecord,
  { failed, told }: Reopening,
  { now, storeNow, stepsMax }: Moment,
): Draft {
  const { steps } = record;
  const isOpened = new Set(failed.map((step) => step.id));
  const left = inOrder(steps.filter((step) => step.outcome_seq !== null && !isOpened.has(step.id)));
  const draft = new Draft(record);
  for (const step of failed) {
    draft.putStep({
      ...step,
      status: "PLANNED",
      error: null,
      outcome_seq: null,
      observed_at: null,
      attempt_epoch: step.attempt_epoch + 1,
      starts: 0,
      updated_at: now,
    });
  }
  for (const [index, step] of left.entries()) {
    const observed_at = index < told ? step.observed_at : null;
    if (step.outcome_seq === index + 1 && step.observed_at === observed_at) continue;
    draft.patchStep(step.id, { outcome_seq: index + 1, observed_at, updated_at: now });
  }
  const current_step = Math.max(0, ...left.map((step) => step.step_index));
  const standing = standingOf({ isAtWork: true, isUnread: true, now: storeNow });
  draft.reopen(now, { ...standing, observed_count: told, current_step });
  reopenGivenUp(flow, draft, { now, stepsMax });
  return draft;
}

/** O1: how many of the other outcomes lead to just the steps that are recorded; undefined: none do. */
function placeWithout(
  flow: Flow,
  record: TaskRecord,
  failed: readonly StepRow[],
  stepsMax: number,
): number | undefined {
  const { task, steps } = record;
  const program = createProgram(flow, programTaskOf(task, Math.max(stepsMax, steps.length)));
  let place: number | undefined;
  try {
    let planned = program.start().planned.length;
    const told = inOrder(steps.filter((step) => isTold(record, step) && !failed.includes(step)));
    for (let count = 0; planned <= steps.length && !program.end; count++) {
      if (planned === steps.length) place = count;
      const step = told[count];
      if (!step) break;
      planned += program.observe(step.path, outcomeOf(step), step.observed_at ?? 0).planned.length;
    }
  } catch {
    // it is not what was recorded: `recover` says how
  }
  return place;
}

/** Steps that did not begin because these have failed (G5). */
function heldBy(flow: Flow, record: TaskRecord, failed: readonly StepRow[], stepsMax: number): readonly StepRow[] {
  const { task, steps } = record;
  const held = steps.filter((step) => step.status === "CANCELLED" && isTold(record, step));
  if (held.length === 0) return held;
  const program = createProgram(flow, programTaskOf(task, Math.max(stepsMax, steps.length)));
  const abandoned = new Set(program.start().abandoned);
  for (const step of inOrder(steps.filter((one) => isTold(record, one) && !failed.includes(one)))) {
    const turn = program.observe(step.path, outcomeOf(step), step.observed_at ?? 0);
    for (const path of turn.abandoned) abandoned.add(path);
  }
  return held.filter(({ path }) => !abandoned.has(path));
}

/** Steps that the flow gave up when it heard of the failure are open again: as of now it has not heard of it. */
function reopenGivenUp(flow: Flow, draft: Draft, { now, stepsMax }: Pick<Moment, "now" | "stepsMax">): void {
  const recovery = recover(flow, draft.record, stepsMax, { isReopened: true });
  if (recovery.kind !== "ready") throw notRetryable(draft.task.id, recovery.reason);
  // those that the flow set after the failure are set again, or others are
  const { given_tags } = draft.task;
  const { tags } = recovery.program;
  if (tags) draft.retag(retagged(draft.task, tags));
  else if (given_tags !== null) draft.retag({ tags: toTagsText(readTags(given_tags)), given_tags: null });
  for (const step of draft.record.steps) {
    if (step.status !== "CANCELLED" || recovery.abandoned.has(step.path)) continue;
    if (step.kind === "child") {
      throw notRetryable(
        draft.task.id,
        `the child of step ${step.step_index} (${step.step_name}) was cancelled with it`,
      );
    }
    draft.putStep({ ...step, status: "PLANNED", attempt_epoch: step.attempt_epoch + 1, starts: 0, updated_at: now });
  }
}

function isCause(task: TaskRow, { step_name, error }: StepRow): boolean {
  if (task.error === null || error === null) return false;
  return readError(task.error).message === `${step_name}: ${readError(error).message}`;
}

function isTold({ task }: TaskRecord, { outcome_seq }: StepRow): boolean {
  return outcome_seq !== null && outcome_seq <= task.observed_count;
}

function inOrder(steps: readonly StepRow[]): StepRow[] {
  return steps.toSorted((a, b) => (a.outcome_seq ?? 0) - (b.outcome_seq ?? 0));
}

/** Both are members of one group themselves, and no branch in it that could have caught the failure. */
function isBeside({ path: one }: StepRow, { path: other }: StepRow): boolean {
  const group = /^(.*)\.[^./]*$/.exec(one)?.[1];
  return group !== undefined && group === /^(.*)\.[^./]*$/.exec(other)?.[1];
}

export function notRetryable(id: string, reason: string): TaskonautError {
  return new TaskonautError("task_not_retryable", `Task ${id} cannot be retried: ${reason}.`, { details: { id } });
}
