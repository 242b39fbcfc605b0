// Reads records from a store: it puts the separately stored texts back, and reads a large task page by page.
//
// SR1. Between the pages of a large task others may write to it. Then it is read again. If somebody writes all the
//      time, the task row of the record is older than its steps: good enough for viewing, and harmless for a driver,
//      because the fence (S1) keeps it from writing anything.

import { hasCode, type TaskonautError } from "../core/errors.ts";
import type { StepRow, TaskRecord, TaskRow, ToolCallRow } from "../core/record/record.ts";
import type { StepRange } from "../core/record/step-range.ts";
import { turnOfLoop } from "../turn-of-loop.ts";
import { Gaps } from "./payloads.ts";
import { recordDamaged } from "./record-damaged.ts";
import { PAGE_ROWS } from "./sizes.ts";
import type { ListedTask, Reading } from "./store.ts";
import { TASK_STEPS, TASKS, TOOL_CALLS } from "./tables.ts";
import { wrongColumn } from "./wrong-column.ts";

/** A task as a statement returned it. */
export interface ReadTask {
  readonly record: TaskRecord;
  /** The task is large: its steps and calls are still to be read. */
  readonly isBare: boolean;
}

/** The queries with which a dialect reads a large task. */
export interface RecordReader {
  /** The store's location, for people. */
  readonly location: string;
  readRow(id: string): Promise<TaskRow | undefined>;
  /** At most PAGE_ROWS, by id, beginning after `after`. */
  readSteps(taskId: string, after: string): Promise<readonly StepRow[]>;
  /** At most PAGE_ROWS, by step and tool, beginning after `after`. */
  readCalls(taskId: string, after: CallPlace): Promise<readonly ToolCallRow[]>;
  /** From one snapshot. */
  readPart(taskId: string, part: PartOfSteps): Promise<ReadPart>;
  /** Throws record_damaged. */
  fillGaps(gaps: Gaps): Promise<void>;
  /** For a database that takes any bytes as text: throws record_damaged if the record has bytes that are not text. */
  checkTexts?(record: TaskRecord): Promise<void>;
}

/** What tells the calls of one task apart. */
export type CallPlace = Pick<ToolCallRow, "task_step_id" | "tool_name">;

/** How many steps of a range are read at once; more are read page by page. */
const PART_MAX = 2000;

/** Besides the range: all steps that are in doubt, that run or wait, and whose outcomes the flow has not been given. */
export interface PartOfSteps {
  readonly range: StepRange;
  /** Of the task's row. */
  readonly observed: number;
}

export interface ReadPart {
  /** Of the task. */
  readonly count: number;
  readonly steps: readonly StepRow[];
  readonly calls: readonly ToolCallRow[];
}

/** SR1. How many times a large task is read again. */
const READINGS_MAX = 5;

/** A text that sorts before every id. */
const FIRST_ID = "00000000-0000-0000-0000-000000000000";

/** The whole record; undefined if the task was removed meanwhile. */
export async function completeRecord(
  read: ReadTask,
  reader: RecordReader,
  reading: Reading = {},
): Promise<TaskRecord | undefined> {
  const record = read.isBare ? await readBare(read.record.task, reader, reading) : read.record;
  if (record) await fillRecords([record], reader, reading);
  return record;
}

/** Puts back the separately stored texts, in all records together. */
export async function fillRecords(
  records: readonly TaskRecord[],
  reader: RecordReader,
  { isLean = false }: Reading = {},
): Promise<void> {
  const gaps = new Gaps();
  const columns = isLean ? LEAN_COLUMNS : COLUMNS;
  for (const { task, steps, calls } of records) {
    gaps.find(task, task.id, columns.task);
    for (const step of steps) gaps.find(step, task.id, columns.step);
    for (const call of calls) gaps.find(call, task.id, columns.call);
  }
  if (!gaps.isEmpty) await reader.fillGaps(gaps);
  for (const record of records) assertColumns(record, reader.location);
  if (reader.checkTexts) for (const record of records) await reader.checkTexts(record);
}

/** Throws record_damaged if a column holds what its table does not take. */
function assertColumns({ task, steps, calls }: TaskRecord, location: string): void {
  const told = (table: string, wrong: string): TaskonautError =>
    recordDamaged({ location, taskId: task.id, table, what: wrong });
  const ofTask = wrongColumn(TASKS, task);
  if (ofTask !== undefined) throw told("tasks", ofTask);
  for (const step of steps) {
    const wrong = wrongColumn(TASK_STEPS, step);
    if (wrong !== undefined) throw told("task_steps", `step ${step.step_index} (${step.id}): ${wrong}`);
  }
  for (const call of calls) {
    const wrong = wrongColumn(TOOL_CALLS, call);
    if (wrong !== undefined) throw told("tool_calls", `call ${call.idempotency_key}: ${wrong}`);
  }
}

/** Columns of JSON text, which may be stored separately. */
const COLUMNS = { task: TASKS.payloads, step: TASK_STEPS.payloads, call: TOOL_CALLS.payloads };

/** The ones that a summary shows. */
const LEAN_COLUMNS = {
  task: withoutPayloads(COLUMNS.task),
  step: withoutPayloads(COLUMNS.step),
  call: withoutPayloads(COLUMNS.call),
};

function withoutPayloads(names: readonly string[]): readonly string[] {
  return names.filter((name) => !name.endsWith("_payload"));
}

/** A task of which only these columns could be read. */
type Unread = { readonly id: string; readonly created_at: number };

/** Completes the tasks of a list; a damaged task is reported in its place, and the others are still listed. */
export async function toListed(
  tasks: readonly (ReadTask | Unread)[],
  reader: RecordReader,
  reading: Reading,
): Promise<ListedTask[]> {
  const whole = tasks.flatMap((task) => ("record" in task && !task.isBare ? task.record : []));
  const isFilled = await succeeds(fillRecords(whole, reader, reading));
  const listed: ListedTask[] = [];
  for (const task of tasks) {
    if ("record" in task && !task.isBare && isFilled) listed.push({ record: task.record });
    else listed.push(...(await listAlone(task, reader, reading)));
  }
  return listed;
}

/** Empty if it was removed meanwhile. */
async function listAlone(task: ReadTask | Unread, reader: RecordReader, reading: Reading): Promise<ListedTask[]> {
  const { id, created_at } = "record" in task ? task.record.task : task;
  try {
    if (!("record" in task)) {
      throw recordDamaged({ location: reader.location, taskId: id, table: "tasks", what: "its row cannot be read" });
    }
    const record = await completeRecord(task, reader, reading);
    return record ? [{ record }] : [];
  } catch (error) {
    if (hasCode(error, "record_damaged")) return [{ id, created_at, damage: error }];
    throw error;
  }
}

/** False if something is damaged. */
async function succeeds(filling: Promise<void>): Promise<boolean> {
  try {
    await filling;
    return true;
  } catch (error) {
    if (hasCode(error, "record_damaged")) return false;
    throw error;
  }
}

async function readBare(
  first: TaskRow,
  reader: RecordReader,
  { steps: range }: Reading,
): Promise<TaskRecord | undefined> {
  const isPart = range === "last" || (range !== undefined && range.to - range.from < PART_MAX);
  for (let task = first, readings = 1; ; readings++) {
    const below = isPart ? await readPart(task, range, reader) : await readAll(task.id, reader);
    const now = await reader.readRow(task.id);
    if (!now) return undefined;
    if (now.version === task.version || readings === READINGS_MAX) return inOrder({ task, ...below });
    task = now;
  }
}

type Below = Omit<TaskRecord, "task">;

async function readPart({ id, observed_count }: TaskRow, range: StepRange, reader: RecordReader): Promise<Below> {
  const { count, ...rows } = await reader.readPart(id, { range, observed: observed_count });
  return { ...rows, stepCount: count };
}

async function readAll(id: string, reader: RecordReader): Promise<Below> {
  const steps = await readPages(
    (after) => reader.readSteps(id, after),
    FIRST_ID,
    (step) => step.id,
  );
  const calls = await readPages(
    (after) => reader.readCalls(id, after),
    { task_step_id: FIRST_ID, tool_name: "" },
    (call) => call,
  );
  return { steps, calls };
}

async function readPages<Row, Place>(
  read: (after: Place) => Promise<readonly Row[]>,
  first: Place,
  placeOf: (row: Row) => Place,
): Promise<Row[]> {
  const rows: Row[] = [];
  for (let after = first; ;) {
    const page = await read(after);
    rows.push(...page);
    const last = page.at(-1);
    if (!last || page.length < PAGE_ROWS) return rows;
    after = placeOf(last);
    await turnOfLoop();
  }
}

function inOrder({ steps, calls, ...others }: TaskRecord): TaskRecord {
  const indexOf = new Map(steps.map((step) => [step.id, step.step_index]));
  const placeOf = (call: ToolCallRow): number => indexOf.get(call.task_step_id) ?? 0;
  return {
    ...others,
    steps: steps.toSorted((a, b) => a.step_index - b.step_index),
    calls: calls.toSorted((a, b) => a.created_at - b.created_at || placeOf(a) - placeOf(b) || (a.id < b.id ? -1 : 1)),
  };
}
