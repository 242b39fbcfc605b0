// The table `task_inbox`: what outsiders leave for a task, and the parts of the statements in `commit.ts` about it.

import { hasCode } from "../../core/errors.ts";
import { canonicalJson } from "../../core/record/json.ts";
import type { InboxRow } from "../../core/record/record.ts";
import { INBOX_FOUND_MAX, toInboxPage } from "../inbox-page.ts";
import { Gaps, KeptApart } from "../payloads.ts";
import type { Audited } from "../audit-store.ts";
import type { Change, InboxPage, InboxPost, InboxQuery, PostResult } from "../store.ts";
import { TASK_INBOX } from "../tables.ts";
import { auditInsertsAfter, storableDraft } from "./audit.ts";
import { asJson, byColumns, writeArray } from "./row-encoding.ts";
import { type Columns, columnsOf } from "./columns.ts";
import type { PostgresClient } from "./connection.ts";
import { columnList, type Fields, fieldsOf, isWon, type Part } from "./fields.ts";
import { fillGaps, payloadInserts, toPayloadInserts, wholeText } from "./payloads.ts";
import { EVENT_COLUMNS, noteEvents } from "./events.ts";
import type { Schema } from "./schema.ts";

interface ConsumedRow {
  readonly task_id: string;
  readonly seq: number;
}

interface PostRow extends InboxPost {
  /** Its number among all posts of the statement. */
  readonly place: number;
  /** The task whose change it belongs to. */
  readonly from_id: string;
}

const CONSUMED = { task_id: "uuid", seq: "bigint" } as const satisfies Fields<ConsumedRow>;

/** What the database itself gives a post. */
const GIVEN: Partial<Columns<InboxRow>> = { seq: "w.before + p.number", created_at: "now()" };

const { seq: _seq, created_at: _createdAt, ...SENT } = fieldsOf(TASK_INBOX);

const POSTED: Fields<PostRow> = { from_id: "uuid", place: "integer", ...SENT };

/** Consumes inbox rows of the tasks in `won`. */
export const consumeInbox: Part<ConsumedRow> = {
  fields: CONSUMED,
  read: (schema, rows) => `consumed as (
    update ${schema}.task_inbox t set consumed_at = now()
    from ${rows("c")}
    where ${isWon("c.task_id")} and t.task_id = c.task_id and t.seq = c.seq
  )`,
};

/**
 * Posts of the changes in `won` (`from_id`). Several may go to one task: it is updated once, and they share the
 * numbers. A signal does not start a task that waits to be started; a parked task stays parked.
 */
export const insertPosts: Part<PostRow> = {
  fields: POSTED,
  read: (schema, rows) => `posts as (
    select p.*, row_number() over (partition by p.task_id order by p.place) as number
    from ${rows("p")}
    where ${isWon("p.from_id")}
  ), woken as (
    update ${schema}.tasks t set
      wake_seq = t.wake_seq + p.number,
      due_at = case
        when t.parked_reason is not null or (t.status = 'PLANNED' and not p.cancels) then t.due_at
        else least(t.due_at, now())
      end
    from (select task_id, count(*) as number, bool_or(kind = 'cancel') as cancels from posts group by task_id) p
    where t.id = p.task_id and coalesce(t.finished_at, 'infinity') = 'infinity'
    returning ${EVENT_COLUMNS}, t.wake_seq - p.number as before
  ), ${noteEvents(schema, "changed", "woken")}, posted as (
    insert into ${schema}.task_inbox (${columnList(TASK_INBOX)})
    select ${TASK_INBOX.names.map((name) => GIVEN[name] ?? `p.${name}`).join(", ")}
    from posts p join woken w on w.id = p.task_id
    returning task_id
  )`,
};

/** What `consumeInbox` reads. */
export function consumedRows({ taskId, consumed }: Change): ConsumedRow[] {
  return consumed.map((seq) => ({ task_id: taskId, seq }));
}

/** What `insertPosts` reads. */
export function postRows(changes: readonly Change[]): PostRow[] {
  return changes
    .flatMap((change) => change.posts.map((post) => ({ ...post, from_id: change.taskId })))
    .map((post, place) => ({ ...post, place }));
}

export async function postToTask(
  client: PostgresClient,
  schema: Schema,
  post: InboxPost,
  { audit }: Audited = {},
): Promise<PostResult> {
  const earlier = await findKeyed(client, schema, post);
  if (earlier) return earlier;
  const { task_id: taskId } = post;
  try {
    const apart = new KeptApart();
    const row = apart.row(post, taskId, TASK_INBOX.payloads);
    const parameters = [taskId, ...asJson.write(POSTED, [{ ...row, from_id: taskId, place: 0 }])];
    const parts = [insertPosts.read(schema, (alias) => asJson.read(POSTED, ["$2"], alias))];
    const payloads = apart.take();
    if (payloads.length > 0) {
      const { fields } = payloadInserts;
      parameters.push(...asJson.write(fields, toPayloadInserts(payloads)));
      parts.push(payloadInserts.read(schema, (alias) => asJson.read(fields, ["$3"], alias)));
    }
    if (audit) {
      const entry = auditInsertsAfter("posted");
      parameters.push(...asJson.write(entry.fields, [storableDraft(audit)]));
      const source = `$${parameters.length}`;
      parts.push(entry.read(schema, (alias) => asJson.read(entry.fields, [source], alias)));
    }
    const posted = await client.query(
      `with won as (select id from ${schema}.tasks where id = $1::text::uuid), ${parts.join(", ")} select from posted`,
      parameters,
    );
    return { kind: posted.length > 0 ? "posted" : "refused" };
  } catch (error) {
    // if two come at once with one key, the unique index refuses the second
    const first = await findKeyed(client, schema, post);
    if (first) return first;
    throw error;
  }
}

/**
 * See `Store.postToTasks`. Rows are locked by id, as everywhere. If two callers post under one key at once, the unique
 * index refuses the second: it continues one by one.
 */
export async function postToTasks(
  client: PostgresClient,
  schema: Schema,
  posts: readonly InboxPost[],
): Promise<readonly PostResult["kind"][]> {
  const [first] = posts;
  if (!first) return [];
  const apart = new KeptApart();
  const rows = posts.map((post, place) => ({
    ...apart.row(post, post.task_id, TASK_INBOX.payloads),
    from_id: post.task_id,
    place,
  }));
  const payloads = toPayloadInserts(apart.take());
  const parameters = [writeArray(posts.map(({ task_id }) => task_id)), first.idempotency_key];
  const partOf = <Row>(part: Part<Row>, all: readonly Row[]): string => {
    const written = byColumns.write(part.fields, all);
    const source = written.map((_, place) => `$${parameters.length + place + 1}`);
    parameters.push(...written);
    return part.read(schema, (alias) => byColumns.read(part.fields, source, alias));
  };
  const parts = [partOf(insertPosts, rows), ...(payloads.length > 0 ? [partOf(payloadInserts, payloads)] : [])];
  try {
    const [told] = await client.query<{ posted: string | null; earlier: string | null }>(
      `with locked as materialized (
        select t.id, (
          select i.seq from ${schema}.task_inbox i where i.task_id = t.id and i.idempotency_key = $2
        ) as earlier
        from ${schema}.tasks t where t.id = any ($1::uuid[])
        order by t.id for no key update of t
      ), won as materialized (select id from locked where earlier is null), ${parts.join(", ")}
      select (select string_agg(task_id::text, ',') from posted) as posted,
        (select string_agg(id::text, ',') from locked where earlier is not null) as earlier`,
      parameters,
    );
    const [posted, earlier] = [told?.posted, told?.earlier].map((ids) => new Set(ids?.split(",")));
    return posts.map(({ task_id: id }) => (posted?.has(id) ? "posted" : earlier?.has(id) ? "duplicate" : "refused"));
  } catch (error) {
    if (first.idempotency_key === null || hasCode(error, "database_unavailable")) throw error;
    const kinds: PostResult["kind"][] = [];
    for (const post of posts) kinds.push((await postToTask(client, schema, post)).kind);
    return kinds;
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
  const text = earlier.payload === null ? "null" : await wholeText(client, schema, taskId, earlier.payload);
  const isSame = earlier.name === name && canonicalJson(text) === canonicalJson(payload ?? "null");
  return { kind: "duplicate", same: isSame };
}

export async function readInbox(
  client: PostgresClient,
  schema: Schema,
  taskId: string,
  { names, after }: InboxQuery,
): Promise<InboxPage> {
  const [row] = await client.read<{ wake_seq: number; found: string | null; cancels: string | null }>(
    `select t.wake_seq, (
      select json_agg(${INBOX_ROW})::text from (
        select i.* from (
          (${unread(schema, "name is null", INBOX_FOUND_MAX)})
          union all
          select i.* from unnest((select $2::text[])) as wanted (name)
          cross join lateral (${unread(schema, "name = wanted.name", INBOX_FOUND_MAX)}) i
        ) i order by i.seq limit ${INBOX_FOUND_MAX}
      ) i
    ) as found, (
      select json_agg(${INBOX_ROW})::text from (
        (${unread(schema, "name is null and kind = 'cancel' and payload is null", 1)})
        union all
        (${unread(schema, "name is null and kind = 'cancel' and payload is not null", 1)})
      ) i
    ) as cancels
    from ${schema}.tasks t where t.id = $1`,
    [taskId, writeArray(names), after],
  );
  const found = JSON.parse(row?.found ?? "[]") as InboxRow[];
  const cancels = JSON.parse(row?.cancels ?? "[]") as InboxRow[];
  const page = toInboxPage(row?.wake_seq ?? 0, { found, cancels });
  const gaps = new Gaps();
  for (const each of page.rows) gaps.find(each, taskId, TASK_INBOX.payloads);
  await fillGaps(client, schema, gaps);
  return page;
}

/** For task t, by the index of unread entries: the primary key has no order by `name, seq`. */
function unread(schema: Schema, which: string, limit: number): string {
  return `select * from ${schema}.task_inbox
    where task_id = t.id and consumed_at is null and ${which} and seq > $3 order by name, seq limit ${limit}`;
}

/** For a row `i`. */
const INBOX_ROW = `json_build_object(${Object.entries(columnsOf(TASK_INBOX, "i"))
  .map(([name, sql]) => `'${name}', ${sql}`)
  .join(", ")})`;
