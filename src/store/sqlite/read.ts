// Reads whole tasks. Small tasks are read together, from one snapshot; a large task page by page (`../records.ts`).

import { quoteForShell } from "../../core/shell-quote.ts";
import { TaskonautError } from "../../core/errors.ts";
import type { TaskRecord, TaskRow, ToolCallRow } from "../../core/record/record.ts";
import type { RowFilter } from "../../core/record/row-filter.ts";
import { recordDamaged } from "../record-damaged.ts";
import { completeRecord, fillRecords, type ReadTask, type RecordReader, toListed } from "../records.ts";
import { fitTogether, LARGE_BYTES } from "../sizes.ts";
import type { ListedTask, ListPage, Reading, TaskList } from "../store.ts";
import type { SqliteConnection } from "./connection.ts";
import { isCorrupt } from "./failures.ts";
import { assertUtf8, mayBeGarbled } from "./garbled.ts";
import { fillGaps } from "./payloads.ts";
import { searchTasks } from "./search.ts";
import { selectPart, selectStepPage, selectSteps } from "./steps.ts";
import { selectMatching, selectTask, selectTaskKeys, selectTasks } from "./tasks.ts";
import { selectCallPage, selectCalls, selectCallsOf } from "./tool-calls.ts";

export async function readTask(
  connection: SqliteConnection,
  id: string,
  reading?: Reading,
): Promise<TaskRecord | undefined> {
  const reader = recordReader(connection);
  const read = await aboutTask(connection, id, () => {
    const task = selectTask(connection, id);
    return task && completeTasks(connection, [task])[0];
  });
  return read && completeRecord(read, reader, reading);
}

export function readTaskRow(connection: SqliteConnection, id: string): Promise<TaskRow | undefined> {
  return recordReader(connection).readRow(id);
}

/** See `Store.listTasks`. */
export async function listTasks(connection: SqliteConnection, page: ListPage): Promise<TaskList> {
  if (page.filter) return listMatching(connection, page.filter, page);
  const { rows, hasMore } = await readRows(connection, page);
  const last = hasMore ? rows.at(-1) : undefined;
  const tasks = await completeRows(connection, rows, page);
  return { tasks, ...(last && { next: { createdAt: last.created_at, id: last.id } }) };
}

/** Each found row is read again, still under the filter (SF4). */
async function listMatching(connection: SqliteConnection, filter: RowFilter, page: ListPage): Promise<TaskList> {
  const found = await searchTasks(connection, page);
  const rows = await readMatching(connection, found.rows, filter);
  const fitting = rows.slice(0, fitTogether(rows.map(sized)));
  const last = fitting.length < rows.length ? fitting.at(-1) : undefined;
  const next = last ? { createdAt: last.created_at, id: last.id } : found.next;
  return { tasks: await completeRows(connection, fitting, page), ...(next && { next }) };
}

/** If the file is damaged, each task is read separately. */
async function readMatching(
  connection: SqliteConnection,
  keys: readonly UnreadRow[],
  filter: RowFilter,
): Promise<readonly (TaskRow | UnreadRow)[]> {
  const select = (key: UnreadRow): TaskRow | undefined => selectMatching(connection, key.id, filter);
  try {
    return await connection.read(() => keys.flatMap((key) => select(key) ?? []));
  } catch (error) {
    if (!isCorrupt(error)) throw error;
    const rows: (TaskRow | UnreadRow)[] = [];
    for (const key of keys) {
      const row = await connection
        .read(() => select(key))
        .catch((cause: unknown) => {
          if (isCorrupt(cause)) return key;
          throw cause;
        });
      if (row) rows.push(row);
    }
    return rows;
  }
}

async function completeRows(
  connection: SqliteConnection,
  rows: readonly (TaskRow | UnreadRow)[],
  reading: Reading,
): Promise<ListedTask[]> {
  const sound = rows.filter((row) => "flow_name" in row);
  const read = new Map((await readTogether(connection, sound)).map((each) => [each.record.task.id, each]));
  return toListed(
    rows.map((row) => read.get(row.id) ?? row),
    recordReader(connection),
    reading,
  );
}

/** The tasks with their steps and calls, in the same order, large ones bare; within a transaction. */
export function completeTasks(connection: SqliteConnection, tasks: readonly TaskRow[]): ReadTask[] {
  const small = tasks.filter((task) => task.recorded_bytes <= LARGE_BYTES);
  const steps = selectSteps(connection, idsOf(small));
  // A planned task without changes has no calls.
  const driven = small.filter(({ status, version }) => status !== "PLANNED" || version > 1);
  const calls = driven.length === 0 ? NONE : selectCalls(connection, idsOf(driven));
  if (small.length === tasks.length) {
    return tasks.map((task, place) => ({
      record: { task, steps: steps[place] ?? [], calls: calls.get(task.id) ?? [] },
      isBare: false,
    }));
  }
  let place = 0;
  return tasks.map((task) => {
    if (task.recorded_bytes > LARGE_BYTES) return bare(task);
    return { record: { task, steps: steps[place++] ?? [], calls: calls.get(task.id) ?? [] }, isBare: false };
  });
}

export function bare(task: TaskRow): ReadTask {
  return { record: { task, steps: [], calls: [] }, isBare: true };
}

/** Puts the separately stored texts back into tasks that are read whole. */
export function fillTasks(connection: SqliteConnection, records: readonly TaskRecord[]): Promise<void> {
  return fillRecords(records, recordReader(connection));
}

const NONE: ReadonlyMap<string, ToolCallRow[]> = new Map();

/** Its row may be damaged, so this is read from an index. */
interface UnreadRow {
  readonly id: string;
  readonly created_at: number;
}

/** The rows of a page; if the file is damaged, some tasks are read only from the index. */
async function readRows(
  connection: SqliteConnection,
  page: ListPage,
): Promise<{ rows: readonly (TaskRow | UnreadRow)[]; hasMore: boolean }> {
  const more = { ...page, limit: page.limit + 1 };
  try {
    const rows = await connection.read(() => selectTasks(connection, more));
    const count = fitTogether(rows.slice(0, page.limit));
    return { rows: rows.slice(0, count), hasMore: count < rows.length };
  } catch (error) {
    if (!isCorrupt(error)) throw error;
    const keys = await aboutList(connection, () => selectTaskKeys(connection, more));
    const rows: (TaskRow | UnreadRow)[] = [];
    for (const key of keys.slice(0, page.limit)) rows.push(await readRowOrKey(connection, key));
    const count = fitTogether(rows.map(sized));
    return { rows: rows.slice(0, count), hasMore: count < keys.length };
  }
}

function sized(row: TaskRow | UnreadRow): { readonly recorded_bytes: number } {
  return "recorded_bytes" in row ? row : { recorded_bytes: 0 };
}

/** Of a damaged file, only the index for lists is read. */
async function aboutList<Result>(connection: SqliteConnection, read: () => Result): Promise<Result> {
  try {
    return await connection.read(read);
  } catch (cause) {
    if (!isCorrupt(cause)) throw cause;
    throw new TaskonautError(
      "database_unavailable",
      `The database ${connection.path} cannot be used for lists: the index tasks_by_creation of the table tasks is damaged. Rebuild it with \`sqlite3 ${quoteForShell(connection.path)} 'reindex tasks_by_creation'\`, or restore the file from a backup.`,
      { details: { path: connection.path, table: "tasks" }, cause },
    );
  }
}

async function readRowOrKey(connection: SqliteConnection, key: UnreadRow): Promise<TaskRow | UnreadRow> {
  try {
    return (await connection.read(() => selectTask(connection, key.id))) ?? key;
  } catch (error) {
    if (isCorrupt(error)) return key;
    throw error;
  }
}

/** If the file is damaged, each task is read separately later. */
async function readTogether(connection: SqliteConnection, tasks: readonly TaskRow[]): Promise<ReadTask[]> {
  try {
    return await connection.read(() => completeTasks(connection, tasks));
  } catch (error) {
    if (isCorrupt(error)) return tasks.map(bare);
    throw error;
  }
}

function recordReader(connection: SqliteConnection): RecordReader {
  return {
    location: `sqlite:${connection.path}`,
    readRow: (id) => aboutTask(connection, id, () => selectTask(connection, id)),
    readSteps: (id, after) => aboutTask(connection, id, () => selectStepPage(connection, id, after)),
    readCalls: (id, after) => aboutTask(connection, id, () => selectCallPage(connection, id, after)),
    readPart: (id, part) =>
      aboutTask(connection, id, () => {
        const { count, steps } = selectPart(connection, id, part);
        return {
          count,
          steps,
          calls: selectCallsOf(
            connection,
            id,
            steps.map((step) => step.id),
          ),
        };
      }),
    fillGaps: (gaps) => fillGaps(connection, gaps),
    checkTexts: async (record) => {
      if (mayBeGarbled(record)) await assertUtf8(connection, record.task.id);
    },
  };
}

/** A read of one task. Throws record_damaged if the file is damaged there. */
async function aboutTask<Result>(connection: SqliteConnection, taskId: string, read: () => Result): Promise<Result> {
  try {
    return await connection.read(read);
  } catch (error) {
    if (!isCorrupt(error)) throw error;
    const location = `sqlite:${connection.path}`;
    throw recordDamaged({
      location,
      taskId,
      table: "tasks, or one below it",
      what: "the file itself is damaged there",
      cause: error,
    });
  }
}

function idsOf(tasks: readonly TaskRow[]): string[] {
  return tasks.map((task) => task.id);
}
