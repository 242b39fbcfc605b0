// The tables `schedules`, `schedule_skips` and `schedule_sources` (`../schedule-store.ts`).
//
// Lock order: sources, then schedules, by name, then tasks: no statement that has locked tasks asks for a schedule.

import type { Judged } from "../../core/record/judged.ts";
import type { ScheduleRow, ScheduleSourceRow, SkipRow } from "../../core/record/schedule.ts";
import { PAGE_MAX } from "../../core/limits.ts";
import { SKIPS_KEPT } from "../../core/record/schedule.ts";
import {
  type Declaration,
  DUE_MAX,
  type DueSchedule,
  type DueSchedules,
  type Firing,
  type FiringFlow,
  OPEN_TOLD,
  type ScheduleStore,
} from "../schedule-store.ts";
import { SCHEDULE_SKIPS, SCHEDULE_SOURCES, SCHEDULES } from "../tables.ts";
import { storableSkip, storableText } from "../storable-text.ts";
import { auditInsertsAfter, queryAudited, storableDraft } from "./audit.ts";
import { columnsOf, selectList } from "./columns.ts";
import { addRecords } from "./commit.ts";
import type { PostgresClient } from "./connection.ts";
import { assignments, columnList, fieldsOf, type Part } from "./fields.ts";
import { asJson, byColumns, writeArray } from "./row-encoding.ts";
import { judge } from "../wrong-column.ts";
import { milliseconds, type Schema } from "./schema.ts";
import { Statement } from "./statement.ts";

type Use = <Result>(use: (client: PostgresClient) => Promise<Result>) => Promise<Result>;

/** `look` is for frequent, short queries. */
export function scheduleStore(
  schema: Schema,
  { read, look, write }: Record<"read" | "look" | "write", Use>,
): ScheduleStore {
  return {
    async list({ limit, after = "" }) {
      const text = `select ${selectList(SCHEDULE)} from (
           select * from ${schema}.schedules s where s.name > $1 order by s.name limit ${PAGE_MAX + 1}
         ) s order by s.name limit $2`;
      return (await read((client) => client.read<ScheduleRow>(text, [storableText(after), limit]))).map(judged);
    },
    async read(name) {
      const text = `select ${selectList(SCHEDULE)} from ${schema}.schedules s where s.name = $1`;
      const [row] = await read((client) => client.read<ScheduleRow>(text, [storableText(name)]));
      return row && judged(row);
    },
    async readSkips(name) {
      const text = `select ${selectList(SKIP)} from ${schema}.schedule_skips k where k.schedule_name = $1
         order by k.from_at desc limit ${SKIPS_KEPT}`;
      const rows = await read((client) => client.read<SkipRow>(text, [storableText(name)]));
      return rows.map((row) => judge(SCHEDULE_SKIPS, row));
    },
    async insert(row, audited) {
      const statement = new Statement(schema, asJson);
      statement.add([row], INSERTED);
      if (audited?.audit) statement.add([storableDraft(audited.audit)], auditInsertsAfter("inserted"));
      return (await write((client) => statement.run(client, "select 1 from inserted"))).length === 1;
    },
    async remove(name, version, audited) {
      const text = `delete from ${schema}.schedules where name = $1 and version = $2 returning 1`;
      const parameters = [storableText(name), version];
      const removed = await write((client) => queryAudited(client, schema, { text, parameters, ...audited }));
      return removed.length === 1;
    },
    readDue: (flows) => look((client) => readDue(client, schema, flows)),
    fire: (firings) => write((client) => fire(client, schema, firings)),
    async wakeQueued(names) {
      const text = `with queued as materialized (
          select s.name from ${schema}.schedules s
          where s.name = any ($1::text[]) and s.queued_at is not null and s.next_at > now()
          order by s.name for no key update
        )
        update ${schema}.schedules s set next_at = now() where s.name = any (array(select name from queued)) returning 1`;
      return (await write((client) => client.query(text, [writeArray(names)]))).length;
    },
    async listSources() {
      const text = `select ${selectList(SOURCE)} from ${schema}.schedule_sources c`;
      const rows = await read((client) => client.read<ScheduleSourceRow>(text));
      return rows.map((row) => judge(SCHEDULE_SOURCES, row));
    },
    declare: (declaration) => write((client) => declare(client, schema, declaration)),
    async confirm(flows) {
      await write((client) =>
        client.query(
          `update ${schema}.schedule_sources c set confirmed_at = now() from ${FLOWS}
           where c.flow_name = f.name and c.code = f.code`,
          [JSON.stringify(flows)],
        ),
      );
    },
  };
}

const SCHEDULE = columnsOf(SCHEDULES, "s");
const SKIP = columnsOf(SCHEDULE_SKIPS, "k");
const SOURCE = columnsOf(SCHEDULE_SOURCES, "c");

const judged = (row: ScheduleRow): Judged<ScheduleRow> => judge(SCHEDULES, row);

const FLOWS = `json_to_recordset($1::text::json) as f (name text, code text)`;

/** For schedule s and flow f: whether a worker with the flow's code fires it (SS2). */
function isOwn(schema: Schema): string {
  return `(s.owner = 'command' or coalesce(
    (select c.code = f.code from ${schema}.schedule_sources c where c.flow_name = s.flow_name), false
  ))`;
}

async function readDue(client: PostgresClient, schema: Schema, flows: readonly FiringFlow[]): Promise<DueSchedules> {
  const row = `json_build_object(${Object.entries<string>(SCHEDULE)
    .map(([name, sql]) => `'${name}', ${sql}`)
    .join(", ")})`;
  const open = `array(
    select t.id::text from ${schema}.tasks t
    where t.schedule = s.name and t.schedule is not null and t.finished_at is null limit ${OPEN_TOLD}
  )`;
  const [found] = await client.read<{ now: number; due: string | null; next_at: number | null }>(
    `with due as materialized (
      select s.* from ${FLOWS} cross join lateral (
        select s.* from ${schema}.schedules s
        where s.flow_name = f.name and s.next_at <= now() and ${isOwn(schema)}
        order by s.next_at limit ${DUE_MAX}
      ) s order by s.next_at limit ${DUE_MAX}
    )
    select ${milliseconds("now()")} as now,
      (select json_agg(json_build_object('row', ${row}, 'open', ${open}) order by s.next_at)::text from due s) as due,
      (select ${milliseconds("min(n.next_at)")} from ${FLOWS} cross join lateral (
        select s.next_at from ${schema}.schedules s
        where s.flow_name = f.name and s.next_at > now() and ${isOwn(schema)}
        order by s.next_at limit 1
      ) n) as next_at`,
    [JSON.stringify(flows)],
  );
  if (!found) throw new Error("A look gives one row.");
  const due = JSON.parse(found.due ?? "[]") as DueSchedule[];
  return { now: found.now, due: due.map((each) => ({ ...each, row: judged(each.row) })), nextAt: found.next_at };
}

async function fire(client: PostgresClient, schema: Schema, firings: readonly Firing[]): Promise<boolean[]> {
  const statement = new Statement(schema, firings.length === 1 ? asJson : byColumns);
  statement.add(
    firings.map(({ row }) => row),
    LOCKED,
  );
  const records = firings.flatMap(({ tasks }) => tasks);
  addRecords(statement, records, "t.schedule in (select name from locked)");
  const keyed = keyedTasks(firings);
  statement.add(keyed, KEYED);
  statement.addFixed(moved(schema, keyed.length > 0 ? isMade(schema) : "true"));
  statement.add(
    firings.flatMap(({ skips }) => skips.map(storableSkip)),
    SKIPPED,
  );
  // a change by hand writes only this one
  for (const { audit } of firings) if (audit) statement.add([storableDraft(audit)], auditInsertsAfter("fired"));
  const [fired] = await statement.run<{ names: string | null }>(
    client,
    "select string_agg(name, ',') as names from fired",
  );
  const names = new Set(fired?.names?.split(","));
  return firings.map(({ row }) => names.has(row.name));
}

/** SS1. Schedules whose versions match are in `locked`. */
const LOCKED: Part<ScheduleRow> = {
  fields: fieldsOf(SCHEDULES),
  read: (schema, rows) => `moves as materialized (
    select * from ${rows("c")} order by name
  ), locked as materialized (
    select m.*, s.place from moves m cross join lateral (
      select s.ctid as place from ${schema}.schedules s where s.name = m.name and s.version = m.version - 1
      for no key update
    ) s
  )`,
};

/** `condition`: about a row `c` of `locked`. */
function moved(schema: Schema, condition: string): string {
  return `fired as (
    update ${schema}.schedules s set ${assignments(SCHEDULES, "c")} from locked c
    where s.ctid = c.place and ${condition} returning s.name
  )`;
}

interface KeyedTask {
  readonly id: string;
  readonly schedule: string;
}

/** SS3. */
function keyedTasks(firings: readonly Firing[]): readonly KeyedTask[] {
  return firings.flatMap(({ row, tasks }) =>
    tasks.filter(({ task }) => task.unique_key !== null).map(({ task }) => ({ id: task.id, schedule: row.name })),
  );
}

const KEYED: Part<KeyedTask> = {
  fields: { id: "uuid", schedule: "text" },
  read: (_schema, rows) => `keyed as materialized (select * from ${rows("k")})`,
};

/** SS3. A task that was not inserted exists already, or another task has its key. */
function isMade(schema: Schema): string {
  return `not exists (
    select from keyed k where k.schedule = c.name and k.id not in (select id from won)
      and (select t.id from ${schema}.tasks t where t.id = k.id) is null
  )`;
}

/** An existing range is extended. Very old ranges are removed. */
const SKIPPED: Part<SkipRow> = {
  fields: fieldsOf(SCHEDULE_SKIPS),
  read: (schema, rows) => `skipped as (
    insert into ${schema}.schedule_skips (${columnList(SCHEDULE_SKIPS)})
    select ${columnList(SCHEDULE_SKIPS, "k")} from ${rows("k")} where k.schedule_name in (select name from fired)
    on conflict (schedule_name, from_at) do update set
      until_at = excluded.until_at, count = schedule_skips.count + excluded.count, reason = excluded.reason,
      recorded_at = excluded.recorded_at
    returning schedule_name
  ), cleared as (
    delete from ${schema}.schedule_skips k where k.ctid = any (array(
      select o.ctid from (select distinct schedule_name as name from skipped) n cross join lateral (
        select k.ctid from ${schema}.schedule_skips k where k.schedule_name = n.name
        order by k.from_at desc offset ${SKIPS_KEPT}
      ) o
    ))
  )`,
};

const INSERTED: Part<ScheduleRow> = {
  fields: fieldsOf(SCHEDULES),
  read: (schema, rows) => `inserted as (
    insert into ${schema}.schedules (${columnList(SCHEDULES)}) select ${columnList(SCHEDULES, "s")} from ${rows("s")}
    on conflict (name) do nothing returning 1
  )`,
};

async function declare(client: PostgresClient, schema: Schema, { source, rows, names }: Declaration): Promise<boolean> {
  const statement = new Statement(schema, asJson);
  statement.add([source], DECLARED);
  statement.add([{ flow_name: source.flow_name, names: JSON.stringify(names) }], REMOVED);
  statement.add(rows, CHANGED);
  return (await statement.run(client, "select 1 from declared")).length === 1;
}

const DECLARED: Part<ScheduleSourceRow> = {
  fields: fieldsOf(SCHEDULE_SOURCES),
  read: (schema, rows) => `declared as (
    insert into ${schema}.schedule_sources (${columnList(SCHEDULE_SOURCES)})
    select ${columnList(SCHEDULE_SOURCES, "c")} from ${rows("c")}
    on conflict (flow_name) do update set ${assignments(SCHEDULE_SOURCES, "excluded")}
    where schedule_sources.version = excluded.version - 1
    returning flow_name
  )`,
};

const REMOVED: Part<{ readonly flow_name: string; readonly names: string }> = {
  fields: { flow_name: "text", names: "json" },
  read: (schema, rows) => `removed as (
    delete from ${schema}.schedules where name = any (array(
      select s.name from ${rows("r")} join ${schema}.schedules s on s.flow_name = r.flow_name
      where s.owner = 'flow' and exists (select from declared)
        and s.name not in (select json_array_elements_text(r.names))
      order by s.name for update of s
    ))
  )`,
};

const CHANGED: Part<ScheduleRow> = {
  fields: fieldsOf(SCHEDULES),
  read: (schema, rows) => `changed as (
    insert into ${schema}.schedules (${columnList(SCHEDULES)})
    select ${columnList(SCHEDULES, "s")} from ${rows("s")} where exists (select from declared) order by s.name
    on conflict (name) do update set ${assignments(SCHEDULES, "excluded")}
    where schedules.version = excluded.version - 1 and schedules.owner = 'flow'
      and schedules.flow_name = excluded.flow_name
  )`,
};
