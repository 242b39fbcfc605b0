// The table `task_inbox`: what outsiders leave for a task, and the parts of the statements in `commit.ts` about it.

import { canonicalJson } from "../../core/json.ts";
import type { InboxRow } from "../../core/record.ts";
import type { Change, InboxPost, PostResult } from "../store.ts";
import type { PostgresClient } from "./connection.ts";
import { milliseconds, type Schema } from "./schema.ts";

/** The inbox rows in the JSON text of parameter `source`, of the tasks in `won`: dealt with. */
export function consumeInbox(schema: Schema, source: string): string {
  return `consumed as (
    update ${schema}.task_inbox t set consumed_at = now()
    from json_to_recordset(${source}::text::json) as c (task_id uuid, seq bigint)
    join won on won.id = c.task_id
    where t.task_id = c.task_id and t.seq = c.seq
  )`;
}

/**
 * The posts in the JSON text of parameter `source`, of the changes in `won` (`from_id`). Several may go to one task: it
 * is updated once, and they share out the numbers. A task that waits to be started is not started by a signal; one
 * that is parked stays so.
 */
export function insertPosts(schema: Schema, source: string): string {
  return `posts as (
    select p.*, row_number() over (partition by p.task_id order by p.place) as number
    from json_to_recordset(${source}::text::json) as p (
      place integer, from_id uuid, task_id uuid, kind text, name text, step_id uuid, payload text, error text,
      idempotency_key text
    )
    join won on won.id = p.from_id
  ), woken as (
    update ${schema}.tasks t set
      wake_seq = t.wake_seq + p.number,
      due_at = case
        when t.parked_reason is not null or (t.status = 'PLANNED' and not p.cancels) then t.due_at
        else now()
      end
    from (select task_id, count(*) as number, bool_or(kind = 'cancel') as cancels from posts group by task_id) p
    where t.id = p.task_id and t.finished_at is null
    returning t.id, t.wake_seq - p.number as before
  ), posted as (
    insert into ${schema}.task_inbox (task_id, seq, kind, name, step_id, payload, error, idempotency_key, created_at)
    select
      p.task_id, w.before + p.number, p.kind, p.name, p.step_id, p.payload::json, p.error::json, p.idempotency_key, now()
    from posts p join woken w on w.id = p.task_id
    returning 1
  )`;
}

/** Rows of `source` in `consumeInbox`. */
export function consumedRows({ taskId, consumed }: Change): object[] {
  return consumed.map((seq) => ({ task_id: taskId, seq }));
}

/** Rows of `source` in `insertPosts`. */
export function postRows(changes: readonly Change[]): { readonly task_id: string }[] {
  return changes
    .flatMap((change) => change.posts.map((post) => ({ from_id: change.taskId, ...post })))
    .map((post, place) => ({ place, ...post }));
}

export async function postToTask(client: PostgresClient, schema: Schema, post: InboxPost): Promise<PostResult> {
  const earlier = await findKeyed(client, schema, post);
  if (earlier) return earlier;
  const { task_id: taskId } = post;
  try {
    const posted = await client.query<{ seq: number }>(
      `with won as (select $1::text::uuid as id), ${insertPosts(schema, "$2")} select 1 as seq from posted`,
      [taskId, JSON.stringify([{ place: 0, from_id: taskId, ...post }])],
    );
    return { kind: posted.length > 0 ? "posted" : "refused" };
  } catch (error) {
    // of two that come at once with one key, the unique index refuses the second
    const first = await findKeyed(client, schema, post);
    if (first) return first;
    throw error;
  }
}

async function findKeyed(client: PostgresClient, schema: Schema, post: InboxPost): Promise<PostResult | undefined> {
  const { task_id: taskId, idempotency_key: key, name, payload } = post;
  if (key === null) return undefined;
  const [earlier] = await client.query<Pick<InboxRow, "name" | "payload">>(
    `select name, payload::text from ${schema}.task_inbox where task_id = $1 and idempotency_key = $2`,
    [taskId, key],
  );
  if (!earlier) return undefined;
  const isSame = earlier.name === name && canonicalJson(earlier.payload ?? "null") === canonicalJson(payload ?? "null");
  return { kind: "duplicate", same: isSame };
}

export async function readInbox(
  client: PostgresClient,
  schema: Schema,
  taskId: string,
): Promise<{ wakeSeq: number; rows: InboxRow[] }> {
  const [row] = await client.query<{ wake_seq: number; rows: string | null }>(
    `select t.wake_seq, (
      select json_agg(i)::text from (
        select
          task_id, seq, kind, name, step_id, payload::text, error::text, idempotency_key,
          ${milliseconds("created_at")} as created_at
        from ${schema}.task_inbox where task_id = t.id and consumed_at is null order by seq
      ) i
    ) as rows from ${schema}.tasks t where t.id = $1`,
    [taskId],
  );
  return { wakeSeq: row?.wake_seq ?? 0, rows: row?.rows ? (JSON.parse(row.rows) as InboxRow[]) : [] };
}
