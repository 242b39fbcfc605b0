// The table `payloads` (`../payloads.ts`). A search there reads no text, because its key is an index beside the rows.

import { type Gaps, type KeptApart, keyOfReference, type PayloadKey, type PayloadRow } from "../payloads.ts";
import { recordDamaged } from "../record-damaged.ts";
import { PAYLOADS } from "../tables.ts";
import type { SqliteConnection } from "./connection.ts";
import { isCorrupt } from "./failures.ts";
import { insertRow, insertsInto } from "./statements.ts";

const INSERTS = insertsInto(PAYLOADS, "on conflict (task_id, key) do nothing");

const SELECT = `
  select p.task_id, p.key, p.text from json_each($keys) as wanted
  cross join payloads as p on p.task_id = wanted.value ->> 0 and p.key = wanted.value ->> 1`;

const SELECT_ONE = "select text from payloads where task_id = $taskId and key = $key";

/** Writes texts that were taken out of rows of existing tasks; within a transaction. */
export function insertPayloads(connection: SqliteConnection, apart: KeptApart): void {
  for (const row of apart.take()) insertRow(connection, INSERTS, row);
}

/** The text of a column, also if it is stored separately. Within a transaction. */
export function wholeText(connection: SqliteConnection, taskId: string, text: string): string {
  const key = keyOfReference(text);
  if (key === undefined) return text;
  return connection.prepare<{ text: string }>(SELECT_ONE).get({ taskId, key })?.text ?? "null";
}

/** Throws record_damaged. */
export async function fillGaps(connection: SqliteConnection, gaps: Gaps): Promise<void> {
  if (!gaps.isEmpty) await gaps.fill(`sqlite:${connection.path}`, (keys) => readPayloads(connection, keys));
}

/** Throws record_damaged if the file is damaged there. */
async function readPayloads(connection: SqliteConnection, keys: readonly PayloadKey[]): Promise<PayloadRow[]> {
  const wanted = JSON.stringify(keys.map(({ task_id, key }) => [task_id, key]));
  try {
    return await connection.read(() => connection.prepare<PayloadRow>(SELECT).all({ keys: wanted }));
  } catch (cause) {
    const [first] = keys;
    if (!isCorrupt(cause) || !first) throw cause;
    if (keys.length > 1) return (await Promise.all(keys.map((key) => readPayloads(connection, [key])))).flat();
    const [location, what] = [`sqlite:${connection.path}`, "the file itself is damaged there"];
    throw recordDamaged({ location, taskId: first.task_id, table: "payloads", what, cause });
  }
}
