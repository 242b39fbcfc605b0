// What must hold after every write, whoever made it and in whatever order the writes came.
//
// I1. Versions grow with every write of a driver and stay with those of outsiders; what has ended never changes, but
//     for a retry by hand; states follow the tables of `core/record/status.ts`.
// I2. A step has one tool call; outcomes are numbered 1, 2, 3 …, once, and no more of them are observed than there are.
// I3. Nobody writes to a task that a living worker holds, but that worker, and outsiders to its inbox.
// I4. Who holds a task has it in the queue: a leased task is due. What is parked or has ended is held by nobody.
// I5. Of a flow with limits no more tasks are held, of a key or in all, and no more begin, than those say; and no tool with
//     a limit runs without a ticket (`limit-watch.ts`).
// I6. What was planned is never planned otherwise: path, kind, target, guarantee and input of a step stand.
// I9. What is removed has ended, and so has its parent.
// What people are promised about a task as such: `promises.ts`.
//
// And with every look of a process at the others:
// I7. A process that lives is not found dead while its lease runs, whatever became of its connections (`world.ts`).
// I8. What is parked for deaths was taken over, or had its processes killed, as often in a row (`deaths.ts`).
//
// In the moment in which an effect begins:
// I10. It follows from what is durable: whoever has only that comes to the same step, with the same input and guarantee
//      (`decided.ts`).

import type { StepRow, TaskRow } from "../../src/core/record/record.ts";
import {
  isStepOpen,
  isTerminal,
  NEXT,
  NEXT_STEP,
  type StepStatus,
  type TaskStatus,
} from "../../src/core/record/status.ts";
import type { Change } from "../../src/store/store.ts";
import { DECISION, OUTCOME } from "./columns-of-step.ts";
import { brokenByCall, brokenByInbox, brokenByStep, brokenByTask } from "./row-checks.ts";
import type { SimDatabase, StoredTask } from "./sim-database.ts";
import type { Writer } from "./sim-store.ts";
import type { SimWorkers } from "./sim-workers.ts";

export interface Write {
  readonly before: StoredTask | undefined;
  readonly after: StoredTask;
  readonly change?: Change;
  readonly writer: Writer | undefined;
}

/** What is broken by a write, as sentences. */
export function breachesOf(write: Write, workers: SimWorkers): string[] {
  const { before, after } = write;
  const { task } = after;
  const broken = [...brokenByTask(task), ...brokenByRecord(after)];
  if (before) broken.push(...brokenByTransition(before, after, write.change?.reopens === true));
  if (before && before.task.version !== task.version) broken.push(...brokenByOwner(write, workers));
  return broken;
}

/** I9. What is broken by a removal. */
export function breachesOfRemoval({ id, status, parent_task_id: parentId }: TaskRow, database: SimDatabase): string[] {
  const parent = parentId === null ? undefined : database.find(parentId);
  return [
    ...(isTerminal(status) ? [] : [`Task ${id} is removed, and is ${status}.`]),
    ...(parent && !isTerminal(parent.task.status)
      ? [`Task ${id} is removed, whose parent is ${parent.task.status}.`]
      : []),
  ];
}

/** I2, I4. */
function brokenByRecord({ task, steps, calls, inbox }: StoredTask): string[] {
  const broken: string[] = [];
  const say = (isBroken: boolean, what: string): void => {
    if (isBroken) broken.push(`Task ${task.id}: ${what}.`);
  };
  for (const step of steps.values()) broken.push(...brokenByStep(step));
  for (const call of calls.values()) broken.push(...brokenByCall(call));
  for (const row of inbox) broken.push(...brokenByInbox(row));

  const rows = [...steps.values()].toSorted((a, b) => a.step_index - b.step_index);
  const outcomes = rows.filter((step) => step.outcome_seq !== null);
  outcomes.sort((a, b) => (a.outcome_seq ?? 0) - (b.outcome_seq ?? 0));
  const numbers = outcomes.map((step) => step.outcome_seq);
  say(
    rows.some((step, index) => step.step_index !== index + 1),
    "its steps are not numbered 1, 2, 3 …",
  );
  say(new Set(rows.map((step) => step.path)).size !== rows.length, "two steps have one path");
  say(
    numbers.some((number, index) => number !== index + 1),
    `its outcomes are numbered ${numbers.join()}`,
  );
  say(task.observed_count > outcomes.length, `${task.observed_count} of ${outcomes.length} outcomes were observed`);
  say(
    outcomes.some((step, index) => (step.observed_at !== null) !== index < task.observed_count),
    "other outcomes are marked as observed than observed_count says",
  );
  const times = outcomes.flatMap((step) => step.observed_at ?? []);
  say(
    times.some((time, index) => time < (times[index - 1] ?? time)),
    "its now() goes back",
  );
  const last = Math.max(0, ...outcomes.map((step) => step.step_index));
  say(task.current_step !== last, `current_step is ${task.current_step}, the last step with an outcome is ${last}`);
  const called = [...calls.values()].map((call) => call.task_step_id);
  say(new Set(called).size !== called.length, "a step has two calls");
  say(task.lease_owner !== null && task.due_at === null, "it is held, but not due");
  say(task.parked_reason !== null && task.lease_owner !== null, "it is parked, but held");
  const isEnded = isTerminal(task.status);
  say(isEnded && rows.some((step) => isStepOpen(step.status)), "it ended with open steps");
  say(isEnded && [...calls.values()].some((call) => call.status === "RUNNING"), "it ended with a call that is RUNNING");
  return broken;
}

/** I1, I6. */
function brokenByTransition(before: StoredTask, after: StoredTask, reopens: boolean): string[] {
  const broken: string[] = [];
  const say = (isBroken: boolean, what: string): void => {
    if (isBroken) broken.push(`Task ${after.task.id}: ${what}.`);
  };
  const versions = after.task.version - before.task.version;
  const isSameTask = CONSTANT_OF_TASK.every((column) => before.task[column] === after.task[column]);
  say(!isSameTask, "a column of its row changed that never changes");
  say(versions < 0, "its version fell");
  const isExpired = before.task.cancel_reason === null && after.task.cancel_reason !== null;
  say(isExpired && before.task.status !== "PLANNED", "it expired, although it had begun");
  say(versions > 0 && isTerminal(before.task.status) && !reopens, "it changed after its end");
  const { status: from } = before.task;
  const { status: to } = after.task;
  say(!reopens && !canCome(from, to, versions), `it came from ${from} to ${to} within ${versions} versions`);
  for (const [id, old] of before.steps) {
    const step = after.steps.get(id);
    if (!step) {
      say(true, `step ${id} is gone`);
      continue;
    }
    if (step === old) continue;
    const isSame = CONSTANT_OF_STEP.every((column) => old[column] === step[column]);
    say(!isSame, `step ${old.step_index} was planned otherwise before`);
    const next: readonly StepStatus[] = NEXT_STEP[old.status];
    const isNext = step.status === old.status || next.includes(step.status);
    say(!reopens && !isNext, `step ${old.step_index} came from ${old.status} to ${step.status}`);
    const isSettled = old.outcome_seq === null || CONSTANT_OF_OUTCOME.every((column) => old[column] === step[column]);
    say(!reopens && !isSettled, `the outcome of step ${old.step_index} changed`);
    say(step.attempt_epoch < old.attempt_epoch, `the epoch of step ${old.step_index} fell`);
  }
  for (const [key, old] of before.calls) {
    const call = after.calls.get(key);
    const isSettled = old.status === "RUNNING" || call?.attempt_epoch !== old.attempt_epoch;
    say(!isSettled && call !== old && call.status !== old.status, `call ${key} ended before, as ${old.status}`);
  }
  return broken;
}

/** I3. Whom the database has called dead once may find its tasks taken, though it lives: that race is allowed. */
function brokenByOwner({ before, after, writer }: Write, workers: SimWorkers): string[] {
  const owner = before?.task.lease_owner ?? null;
  if (owner === null || !writer || writer.workerIds.has(owner) || workers.seenDead.has(owner)) return [];
  return [`Task ${after.task.id}: ${writer.life.name} wrote to it while ${owner} held it.`];
}

const CONSTANT_OF_TASK = [
  "id",
  "flow_name",
  "input_payload",
  "parent_task_id",
  "parent_step_id",
  "schedule",
  "traceparent",
  "origin",
  "unique_key",
  "depth",
  "created_at",
] as const satisfies readonly (keyof TaskRow)[];

const CONSTANT_OF_STEP = ["task_id", "step_index", ...DECISION] as const satisfies readonly (keyof StepRow)[];

const CONSTANT_OF_OUTCOME = [...OUTCOME, "outcome_seq"] as const satisfies readonly (keyof StepRow)[];

/** Whether there is a way of so many transitions at most; several may share one commit. */
function canCome(from: TaskStatus, to: TaskStatus, transitions: number): boolean {
  const reached = new Set<TaskStatus>([from]);
  for (let i = 0; i < Math.min(transitions, STATES); i++) {
    for (const status of Array.from(reached)) for (const next of NEXT[status]) reached.add(next);
  }
  return reached.has(to);
}

const STATES = Object.keys(NEXT).length;
