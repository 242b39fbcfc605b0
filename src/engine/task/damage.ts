// Finds damage: parts of a record that taskonaut cannot have written. Every record that is read is checked for values
// that the database itself would refuse. The rest is checked only after a failure, because a damaged record looks like
// a changed flow, or like a bug.

import type { Clock } from "../../core/clock.ts";
import type { Flow } from "../../core/flow/flow.ts";
import type { Limits } from "../../core/limits.ts";
import { hasCode, type TaskonautError } from "../../core/errors.ts";
import { isId } from "../../core/record/ids.ts";
import type { JsonText, StepRow, TaskRecord, TaskRow } from "../../core/record/record.ts";
import { ruleBrokenByCall, ruleBrokenByStep, ruleBrokenByTask } from "../../core/record/row-rules.ts";
import { NEXT, NEXT_STEP, type ToolCallStatus } from "../../core/record/status.ts";
import { readLeftUndone } from "../../core/record/left-undone.ts";
import { readOrigin } from "../../core/record/origin.ts";
import { readTags } from "../../core/record/tags.ts";
import { readError } from "../../core/record/stored-error.ts";
import type { DamagedTask, ListedTask, Task } from "../../core/api/task.ts";
import { recordDamaged } from "../../store/record-damaged.ts";
import type { ListedTask as StoredTask, Store } from "../../store/store.ts";
import { turnOfLoop } from "../../turn-of-loop.ts";
import { recoverInSlices, type Recovery } from "./recover.ts";
import { shown, toTaskInTurns } from "./to-task.ts";

const CALL_STATUSES: Readonly<Record<ToolCallStatus, true>> = { RUNNING: true, COMPLETED: true, FAILED: true };

/** Describes the damage as an error that names database, table and task; undefined if the record is sound. */
export function damageOf({ task, steps, calls }: TaskRecord, location: string): TaskonautError | undefined {
  const said = (table: string, what: string): TaskonautError =>
    recordDamaged({ location, taskId: task.id, table, what });
  const ofTask = firstOf([
    inStatus(NEXT, task.status),
    inRules(ruleBrokenByTask(task)),
    isWhole(task.parent_task_id, task.parent_step_id),
    isText("input_payload", task.input_payload),
    isJson("output_payload", task.output_payload),
    isError("error", task.error),
    isRead("tags", task.tags, readTags),
    isRead("given_tags", task.given_tags, readTags),
    isRead("origin", task.origin, readOrigin),
    isRead("left_undone", task.left_undone, readLeftUndone),
    ...timesOf(task, ["created_at", "updated_at", "finished_at", "due_at"]),
  ]);
  if (ofTask !== undefined) return said("tasks", ofTask);
  for (const step of steps) {
    const wrong = firstOf([
      inId(step.id),
      inStatus(NEXT_STEP, step.status),
      inRules(ruleBrokenByStep(step)),
      inTarget(step),
      isText("input_payload", step.input_payload),
      isJson("output_payload", step.output_payload),
      isError("error", step.error),
      isError("doubt", step.doubt),
      ...timesOf(step, ["created_at", "updated_at", "observed_at", "due_at"]),
    ]);
    if (wrong !== undefined) return said("task_steps", `step ${step.step_index} (${step.id}): ${wrong}`);
  }
  for (const call of calls) {
    const wrong = firstOf([
      inStatus(CALL_STATUSES, call.status),
      inRules(ruleBrokenByCall(call)),
      isText("request_payload", call.request_payload),
      isJson("response_payload", call.response_payload),
      isError("error", call.error),
      isError("last_error", call.last_error),
      isJson("progress", call.progress),
      ...timesOf(call, ["created_at", "started_at", "finished_at"]),
    ]);
    if (wrong !== undefined) return said("tool_calls", `call ${call.idempotency_key}: ${wrong}`);
  }
  return undefined;
}

/** Throws record_damaged if the database would refuse a write to the task. Its steps may be ended by force. */
export function assertRowKept(task: TaskRow, location: string): void {
  assertKept({ task, steps: [], calls: [] }, location);
}

function assertKept(record: TaskRecord, location: string): TaskRecord {
  const damage = refusedDamage(record, location);
  if (damage) throw damage;
  return record;
}

/** Like `damageOf`, but only for values that the database itself would refuse: it takes hardly any time. */
export function refusedDamage(record: TaskRecord, location: string): TaskonautError | undefined {
  return isKept(record) ? undefined : damageOf(record, location);
}

function isKept({ task, steps, calls }: TaskRecord): boolean {
  return (
    Object.hasOwn(NEXT, task.status) &&
    ruleBrokenByTask(task) === undefined &&
    steps.every((step) => ruleBrokenByStep(step) === undefined) &&
    calls.every((call) => ruleBrokenByCall(call) === undefined)
  );
}

/** Like `recoverInSlices`, but reports a damaged record as damage, not as a changed flow. Throws record_damaged. */
export function recoverSound(flow: Flow, record: TaskRecord, tools: RecoveryTools): Recovery | Promise<Recovery> {
  const { location } = tools.store;
  const explain = (error: unknown): never => {
    throw damageOf(record, location) ?? error;
  };
  const check = (recovery: Recovery): Recovery => {
    const damage = recovery.kind === "mismatch" ? damageOf(record, location) : undefined;
    if (damage) throw damage;
    return recovery;
  };
  try {
    assertKept(record, location);
    const recovery = recoverInSlices(flow, record, tools);
    return recovery instanceof Promise ? recovery.then(check, explain) : check(recovery);
  } catch (error) {
    return explain(error);
  }
}

interface RecoveryTools {
  readonly store: Pick<Store, "location">;
  readonly limits: Pick<Limits, "stepsPerTask">;
  readonly clock: Clock;
}

/** The task as a resource for people. Throws record_damaged. */
export async function toSoundTask(record: TaskRecord, location: string): Promise<Task> {
  try {
    return await toTaskInTurns(assertKept(record, location));
  } catch (error) {
    throw damageOf(record, location) ?? error;
  }
}

/** A large page is built in several turns of the event loop: this many tasks in each. */
const TASKS_MAX = 100;

/** The tasks of a list. A damaged task also says what is wrong with it. */
export async function toListedTasks(tasks: readonly StoredTask[], location: string): Promise<ListedTask[]> {
  const listed: ListedTask[] = [];
  for (const task of tasks) {
    listed.push(task.damage ? toDamaged(task.id, task.created_at, task.damage) : await listedOf(task.record, location));
    if (listed.length % TASKS_MAX === 0) await turnOfLoop();
  }
  return listed;
}

async function listedOf(record: TaskRecord, location: string): Promise<ListedTask> {
  try {
    return await toSoundTask(record, location);
  } catch (error) {
    if (!hasCode(error, "record_damaged")) throw error;
    return toDamaged(record.task.id, record.task.created_at, error);
  }
}

function toDamaged(id: string, createdAt: number, { message }: TaskonautError): DamagedTask {
  return { id: shown(id), created_at: new Date(isTime(createdAt) ? createdAt : 0).toISOString(), damage: message };
}

function firstOf(complaints: readonly (string | undefined)[]): string | undefined {
  return complaints.find((complaint) => complaint !== undefined);
}

function inStatus(known: object, status: string): string | undefined {
  return Object.hasOwn(known, status) ? undefined : `its status is ${JSON.stringify(status)}, which does not exist`;
}

function inRules(broken: string | undefined): string | undefined {
  return broken === undefined ? undefined : `it breaks the rule ${broken}`;
}

function isWhole(parentTaskId: string | null, parentStepId: string | null): string | undefined {
  return (parentTaskId === null) === (parentStepId === null) ? undefined : "its parent is told by half";
}

/** Only a sleep is about nothing. */
function inTarget({ kind, target }: StepRow): string | undefined {
  return (kind === "sleep") === (target === null) ? undefined : `its target does not suit its kind, ${kind}`;
}

/** Bytes that taskonaut did not write are read as other characters. */
function inId(id: string): string | undefined {
  return isId(id) ? undefined : "its id is not a UUID";
}

function timesOf<Name extends string>(
  row: Readonly<Record<Name, number | null>>,
  columns: readonly Name[],
): (string | undefined)[] {
  return columns.map((column) => {
    const ms = row[column];
    return ms === null || isTime(ms) ? undefined : `its ${column} is not a time`;
  });
}

/** The largest number of milliseconds that a date can hold. */
function isTime(ms: number): boolean {
  return !Number.isNaN(new Date(ms).getTime());
}

function isText(column: string, text: JsonText | null): string | undefined {
  return text === null ? `its ${column} is missing` : isJson(column, text);
}

function isError(column: string, text: JsonText | null): string | undefined {
  return isRead(column, text, readError);
}

/** `read` throws at a text that is JSON of something else. */
function isRead(column: string, text: JsonText | null, read: (text: JsonText) => unknown): string | undefined {
  const wrong = isJson(column, text);
  if (text === null || wrong !== undefined) return wrong;
  try {
    read(text);
    return undefined;
  } catch {
    return `its ${column} is JSON of something else`;
  }
}

function isJson(column: string, text: JsonText | null): string | undefined {
  if (text === null) return undefined;
  try {
    JSON.parse(text);
    return undefined;
  } catch {
    return `its ${column} is not JSON`;
  }
}
