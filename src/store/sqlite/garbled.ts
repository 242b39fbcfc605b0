// Texts whose bytes are not UTF-8. SQLite accepts them, and the runtime reads U+FFFD in their place: another text,
// which looks like a changed flow.

import type { TaskRecord } from "../../core/record/record.ts";
import { recordDamaged } from "../record-damaged.ts";
import { TASK_STEPS, TASKS, TOOL_CALLS } from "../tables.ts";
import { turnOfLoop } from "../../turn-of-loop.ts";
import type { SqliteConnection } from "./connection.ts";

const REPLACED = "\u{FFFD}";

/**
 * Whether a text of the record may be garbled. Cheap: few texts have this character, and a text of Latin letters
 * cannot.
 */
export function mayBeGarbled({ task, steps, calls }: TaskRecord): boolean {
  return (
    hasReplaced(task, TASKS.payloads) ||
    steps.some((step) => hasReplaced(step, TASK_STEPS.payloads)) ||
    calls.some((call) => hasReplaced(call, TOOL_CALLS.payloads))
  );
}

function hasReplaced<Row>(row: Row, columns: readonly (keyof Row)[]): boolean {
  for (const column of columns) {
    const text = row[column];
    if (typeof text === "string" && text.includes(REPLACED)) return true;
  }
  return false;
}

interface Texts {
  readonly table: string;
  /** The column that names the task. */
  readonly task: string;
  /** The column that tells its rows of one task apart, and its name for people. */
  readonly key: string;
  readonly row: string;
  readonly columns: readonly string[];
}

const TEXTS: readonly Texts[] = [
  { table: "tasks", task: "id", key: "id", row: "task", columns: TASKS.payloads },
  { table: "task_steps", task: "task_id", key: "id", row: "step", columns: TASK_STEPS.payloads },
  { table: "tool_calls", task: "task_id", key: "task_step_id", row: "call", columns: TOOL_CALLS.payloads },
  { table: "payloads", task: "task_id", key: "key", row: "text", columns: ["text"] },
];

/** How many rows are read in one go. */
const PAGE = 20;

/** Reads the bytes of all texts of a task. Throws record_damaged if some are not UTF-8. */
export async function assertUtf8(connection: SqliteConnection, taskId: string): Promise<void> {
  for (const texts of TEXTS) {
    for (const column of texts.columns) {
      const key = await findGarbled(connection, taskId, texts, column);
      if (key === undefined) continue;
      const { table, row } = texts;
      const what = `${row} ${key}: its ${column} is not UTF-8`;
      throw recordDamaged({ location: `sqlite:${connection.path}`, taskId, table, what });
    }
  }
}

async function findGarbled(
  connection: SqliteConnection,
  taskId: string,
  { table, task, key }: Texts,
  column: string,
): Promise<string | undefined> {
  const select = `
    select ${key} as key, cast(${column} as blob) as bytes from ${table}
    where ${task} = $taskId and ${key} > $after order by ${key} limit ${PAGE}`;
  for (let after = ""; ;) {
    const rows = await connection.read(() =>
      connection.prepare<{ key: string; bytes: Uint8Array | null }>(select).all({ taskId, after }),
    );
    const garbled = rows.find(({ bytes }) => bytes && !isUtf8(bytes));
    const last = rows.at(-1);
    if (garbled || !last || rows.length < PAGE) return garbled?.key;
    after = last.key;
    await turnOfLoop();
  }
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}
