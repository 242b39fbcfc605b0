// The table `audit_log`. A trigger gives each entry its place, its time and its hash (`seal_audit_entry`).
//
// Lock order: the row of `audit_head` last of all. The inserting part reads what the statement has written, so it comes
// after that, and then nothing of the statement waits for another lock.

import { PAGE_MAX } from "../../core/limits.ts";
import type { AuditDraft, AuditRow } from "../../core/record/audit.ts";
import {
  type Audited,
  type AuditHead,
  type AuditMatch,
  type AuditPlace,
  type AuditStore,
  OLD_MAX,
  type OldEntries,
  REMOVED_AT_ONCE,
} from "../audit-store.ts";
import { storableText } from "../storable-text.ts";
import { soundHead } from "../record-damaged.ts";
import { AUDIT_LOG } from "../tables.ts";
import { judge } from "../wrong-column.ts";
import { columnsOf, selectList } from "./columns.ts";
import type { Parameter, PostgresClient } from "./connection.ts";
import { type Fields, isWon, type Part } from "./fields.ts";
import { milliseconds, timestamp, type Schema } from "./schema.ts";

const DRAFT: Fields<AuditDraft> = {
  who: "text",
  token_id: "text",
  role: "text",
  way: "text",
  action: "text",
  target_kind: "text",
  target: "text",
  reason: "text",
  request_id: "text",
  address: "text",
  state_before: "text",
  state_after: "text",
};

const NAMES = Object.keys(DRAFT) as (keyof AuditDraft)[];

const COLUMNS = selectList(columnsOf(AUDIT_LOG, "a"));

/** An entry, and the task whose write it belongs to. */
interface EntryOfTask extends AuditDraft {
  readonly of_task: string;
}

/** AU1: only with tasks that are in `won`. */
export const auditInserts: Part<EntryOfTask> = {
  fields: { of_task: "uuid", ...DRAFT },
  read: (schema, rows) => insertEntries(schema, rows("a"), isWon("a.of_task")),
};

/** The same if only the entry's statement decides: with the rows of `done`. */
export function auditInsertsAfter(done: string): Part<AuditDraft> {
  return {
    fields: DRAFT,
    read: (schema, rows) => insertEntries(schema, rows("a"), `exists (select from ${done})`),
  };
}

function insertEntries(schema: Schema, from: string, condition: string): string {
  return `audited as (
    insert into ${schema}.audit_log (${NAMES.join(", ")})
    select ${NAMES.map((name) => `a.${name}`).join(", ")} from ${from} where ${condition}
  )`;
}

/** Usually there are none, however many writes there are. */
export function entriesOf<Write extends Audited>(
  writes: readonly Write[],
  taskOf: (write: Write) => string,
): EntryOfTask[] {
  const entries: EntryOfTask[] = [];
  for (const write of writes) {
    if (write.audit) entries.push({ of_task: taskOf(write), ...storableDraft(write.audit) });
  }
  return entries;
}

export function storableDraft(draft: AuditDraft): AuditDraft {
  return {
    ...draft,
    who: storableText(draft.who),
    target: storableText(draft.target),
    reason: draft.reason === null ? null : storableText(draft.reason),
  };
}

/**
 * Runs a statement that returns a row for what it has written, together with the entry about it. Without an entry the
 * statement runs as it is.
 */
export function queryAudited<Row>(
  client: PostgresClient,
  schema: Schema,
  {
    text,
    parameters,
    audit,
  }: { readonly text: string; readonly parameters: readonly Parameter[]; readonly audit?: AuditDraft | undefined },
): Promise<readonly Row[]> {
  if (!audit) return client.query<Row>(text, parameters);
  const columns = NAMES.map((name) => `${name} text`).join(", ");
  const from = `json_to_record($${parameters.length + 1}::text::json) as a (${columns})`;
  return client.query<Row>(
    `with done as (${text}), ${insertEntries(schema, from, "exists (select from done)")} select * from done`,
    [...parameters, JSON.stringify(storableDraft(audit))],
  );
}

type Use = <Result>(use: (client: PostgresClient) => Promise<Result>) => Promise<Result>;

/** The query's values are in the text, so that the planner sees which index finds them. */
function listEntries(
  client: PostgresClient,
  schema: Schema,
  { who, action, target, way, since, until }: AuditMatch,
  { limit, before }: AuditPlace,
): Promise<AuditRow[]> {
  const asked: readonly (readonly [value: string | number | null, condition: (parameter: string) => string])[] = [
    [storableText(who), (value) => `a.who = ${value}`],
    [storableText(action), (value) => `a.action = ${value}`],
    [storableText(target), (value) => `a.target = ${value}`],
    [way, (value) => `a.way = ${value}`],
    [since, (value) => `a.at >= ${timestamp(`${value}::float8`)}`],
    [until, (value) => `a.at < ${timestamp(`${value}::float8`)}`],
    [before, (value) => `a.seq < ${value}::bigint`],
  ];
  const parameters: (string | number)[] = [limit];
  const conditions = ["a.seq > 0"];
  for (const [value, condition] of asked) {
    if (value !== null) conditions.push(condition(`$${parameters.push(value)}`));
  }
  return client.read<AuditRow>(
    `select ${COLUMNS} from (
       select * from ${schema}.audit_log a where ${conditions.join(" and ")} order by a.seq desc limit ${PAGE_MAX + 1}
     ) a order by a.seq desc limit $1`,
    parameters,
  );
}

export function auditStore(schema: Schema, read: Use): AuditStore {
  return {
    list: async (match, page) =>
      (await read((client) => listEntries(client, schema, match, page))).map((row) => judge(AUDIT_LOG, row)),
    walk: (after, limit) =>
      read((client) =>
        client.read<AuditRow>(
          `select ${COLUMNS} from (
             select * from ${schema}.audit_log a where a.seq > $1::bigint order by a.seq limit ${PAGE_MAX}
           ) a order by a.seq limit $2`,
          [after, limit],
        ),
      ),
    head: () =>
      read(async (client) => {
        const [head] = await client.read<AuditHead>(`select seq, hash from ${schema}.audit_head where id = 1`);
        return soundHead(head, client.location);
      }),
    findOld: ({ keptMs, stepMs }) =>
      read(async (client) => {
        const [last] = await client.read<OldEntries>(
          `with age as materialized (
            select floor((${milliseconds("now()")} - $1::float8) / $2::float8) * $2::float8 as until
          ), oldest as materialized (
            select seq, at, hash from ${schema}.audit_log where seq > 0 order by seq limit ${OLD_MAX}
          ), young as materialized (
            select min(o.seq) as seq from oldest o, age where o.at >= ${timestamp("age.until")}
          )
          select o.seq, o.hash, age.until from oldest o, age, young
          where o.seq < coalesce(young.seq, ${Number.MAX_SAFE_INTEGER})
          order by o.seq desc limit 1`,
          [keptMs, stepMs],
        );
        return last;
      }),
    removeOld: ({ through, audit }) =>
      read(async (client) => {
        const gone = `delete from ${schema}.audit_log where seq = any (array(
          select seq from ${schema}.audit_log where seq <= $1 order by seq limit ${REMOVED_AT_ONCE}
        )) returning seq`;
        const removed = await queryAudited<{ seq: number }>(client, schema, {
          text: gone,
          parameters: [through],
          audit,
        });
        return removed.length;
      }),
  };
}
