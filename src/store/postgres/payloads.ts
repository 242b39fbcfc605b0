// The table `payloads` (`../payloads.ts`): a part of the statements in `commit.ts` and `inbox.ts`, and how it is read.

import { type Gaps, keyOfReference, type PayloadKey, type PayloadRow } from "../payloads.ts";
import { PAYLOADS } from "../tables.ts";
import type { PostgresClient } from "./connection.ts";
import { columnList, fieldsOf, isWon, type Part } from "./fields.ts";
import type { Schema } from "./schema.ts";

interface PayloadInsert extends PayloadRow {
  /** The task whose change it belongs to. */
  readonly from_id: string;
}

/** For the changes in `won`; nothing is written for a task that was removed meanwhile. */
export const payloadInserts: Part<PayloadInsert> = {
  fields: { from_id: "uuid", ...fieldsOf(PAYLOADS) },
  read: (schema, rows) => `kept_apart as (
    insert into ${schema}.payloads (${columnList(PAYLOADS)})
    select ${columnList(PAYLOADS, "p")} from ${rows("p")}
    where ${isWon("p.from_id")} and (
      p.from_id = p.task_id or exists (select from ${schema}.tasks t where t.id = p.task_id)
    )
    on conflict do nothing
  )`,
};

/** The parameters of `payloadInserts`; `fromId`: the task whose change it is, by default the task of the text. */
export function toPayloadInserts(rows: readonly PayloadRow[], fromId?: string): PayloadInsert[] {
  return rows.map((row) => ({ from_id: fromId ?? row.task_id, ...row }));
}

/** Throws record_damaged. */
export async function fillGaps(client: PostgresClient, schema: Schema, gaps: Gaps): Promise<void> {
  if (!gaps.isEmpty) await gaps.fill(client.location, (keys) => readPayloads(client, schema, keys));
}

/** The text of a column, also if it is stored separately. */
export async function wholeText(client: PostgresClient, schema: Schema, taskId: string, text: string): Promise<string> {
  const key = keyOfReference(text);
  if (key === undefined) return text;
  const [row] = await readPayloads(client, schema, [{ task_id: taskId, key }]);
  return row?.text ?? "null";
}

/** `k.task_id = k.same`, which always holds, makes the planner expect one row (as in `row-encoding.ts`). */
function readPayloads(client: PostgresClient, schema: Schema, keys: readonly PayloadKey[]): Promise<PayloadRow[]> {
  return client.query<PayloadRow>(
    `select p.task_id, p.key, p.text from (
      select (k ->> 0)::uuid as task_id, (k ->> 0)::uuid as same, k ->> 1 as key
      from json_array_elements($1::text::json) as keys (k) offset 0
    ) k cross join lateral (
      select p.* from ${schema}.payloads p where p.task_id = k.task_id and p.key = k.key offset 0
    ) p where k.task_id = k.same`,
    [JSON.stringify(keys.map(({ task_id, key }) => [task_id, key]))],
  );
}
