// The table `task_inbox`. These functions run within a transaction of the connection.

import { canonicalJson } from "../../core/record/json.ts";
import type { InboxRow } from "../../core/record/record.ts";
import { INBOX_FOUND_MAX, toInboxPage } from "../inbox-page.ts";
import { Gaps, KeptApart } from "../payloads.ts";
import type { Audited } from "../audit-store.ts";
import type { Change, InboxPage, InboxPost, InboxQuery, PostResult } from "../store.ts";
import { TASK_INBOX } from "../tables.ts";
import { appendEntry } from "./audit.ts";
import type { SqliteConnection } from "./connection.ts";
import { NOTED_COLUMNS, type NotedTask, noteEvents } from "./events.ts";
import { fillGaps, insertPayloads, wholeText } from "./payloads.ts";
import { columnList, insertRow, insertsInto } from "./statements.ts";

/** A signal does not start a task that waits to be started; a parked task stays parked. */
const WAKE = `
  update tasks set
    wake_seq = wake_seq + 1,
    due_at = case when parked_reason is not null or (status = 'PLANNED' and $kind <> 'cancel') then due_at else $now end
  where id = $task_id and finished_at is null
  returning wake_seq, ${NOTED_COLUMNS}`;

const INSERTS = insertsInto(TASK_INBOX);

const CONSUME = "update task_inbox set consumed_at = $now where task_id = $taskId and seq = $seq";

const SELECT_SEQ = "select wake_seq from tasks where id = $taskId";

const unread = (which: string): string => `
  select ${columnList(TASK_INBOX, "task_inbox")}
  from task_inbox indexed by task_inbox_unread
  where task_id = $taskId and consumed_at is null and ${which} and seq > $after order by seq limit $limit`;

const SELECT_SIGNALS = unread("name = $name");

const SELECT_OTHERS = unread("name is null");

const SELECT_CANCELS = ["payload is null", "payload is not null"].map((which) =>
  unread(`name is null and kind = 'cancel' and ${which}`),
);

const SELECT_KEY = "select name, payload from task_inbox where task_id = $taskId and idempotency_key = $key";

/** False if the task has ended, or does not exist. */
export function insertPost(connection: SqliteConnection, post: InboxPost, now: number): boolean {
  const { task_id, kind } = post;
  const task = connection.prepare<NotedTask & { readonly wake_seq: number }>(WAKE).get({ task_id, kind, now });
  if (!task) return false;
  const apart = new KeptApart();
  const given = { seq: task.wake_seq, created_at: now };
  insertRow(connection, INSERTS, { ...apart.row(post, task_id, TASK_INBOX.payloads), ...given });
  insertPayloads(connection, apart);
  noteEvents(connection, "changed", [task], now);
  return true;
}

export function postToTask(
  connection: SqliteConnection,
  post: InboxPost,
  now: number,
  { audit }: Audited = {},
): PostResult {
  const { task_id: taskId, idempotency_key: key } = post;
  const earlier = key === null ? null : connection.prepare<InboxRow>(SELECT_KEY).get({ taskId, key });
  if (earlier) {
    const payload = earlier.payload === null ? "null" : wholeText(connection, taskId, earlier.payload);
    const same = earlier.name === post.name && canonicalJson(payload) === canonicalJson(post.payload ?? "null");
    return { kind: "duplicate", same };
  }
  if (!insertPost(connection, post, now)) return { kind: "refused" };
  appendEntry(connection, audit, now);
  return { kind: "posted" };
}

export function consumeInbox(connection: SqliteConnection, { taskId, consumed }: Change, now: number): void {
  for (const seq of consumed) connection.prepare(CONSUME).run({ taskId, seq, now });
}

/** See `Store.readInbox`. */
export async function readInbox(connection: SqliteConnection, taskId: string, query: InboxQuery): Promise<InboxPage> {
  const page = await connection.read(() => selectInbox(connection, taskId, query));
  const gaps = new Gaps();
  for (const row of page.rows) gaps.find(row, taskId, TASK_INBOX.payloads);
  await fillGaps(connection, gaps);
  return page;
}

function selectInbox(connection: SqliteConnection, taskId: string, { names, after }: InboxQuery): InboxPage {
  const task = connection.prepare<{ wake_seq: number }>(SELECT_SEQ).get({ taskId });
  const which = { taskId, after, limit: INBOX_FOUND_MAX };
  const found = connection.prepare<InboxRow>(SELECT_OTHERS).all(which);
  const signals = connection.prepare<InboxRow>(SELECT_SIGNALS);
  for (const name of names) found.push(...signals.all({ ...which, name }));
  const cancels = SELECT_CANCELS.flatMap((select) => connection.prepare<InboxRow>(select).all({ ...which, limit: 1 }));
  return toInboxPage(task?.wake_seq ?? 0, { found, cancels });
}
