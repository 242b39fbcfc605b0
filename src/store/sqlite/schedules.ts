// The tables `schedules`, `schedule_skips` and `schedule_sources` (`../schedule-store.ts`).

import type { Judged } from "../../core/record/judged.ts";
import { type ScheduleRow, type ScheduleSourceRow, SKIPS_KEPT, type SkipRow } from "../../core/record/schedule.ts";
import {
  DUE_MAX,
  type DueSchedule,
  type DueSchedules,
  type Firing,
  type FiringFlow,
  OPEN_TOLD,
  type ScheduleStore,
} from "../schedule-store.ts";
import { storableSkip } from "../storable-text.ts";
import { SCHEDULE_SKIPS, SCHEDULE_SOURCES, SCHEDULES } from "../tables.ts";
import type { TaskRecord } from "../../core/record/record.ts";
import { judge } from "../wrong-column.ts";
import { findOpen } from "./admission.ts";
import { appendEntry } from "./audit.ts";
import { insertRecords } from "./commit.ts";
import { parametersOf, type SqliteConnection } from "./connection.ts";
import { assignments, columnList, insertRow, insertsInto, isNumber } from "./statements.ts";
import { selectTask } from "./tasks.ts";

export function scheduleStore(connection: SqliteConnection, now: () => number): ScheduleStore {
  const run = (text: string, row: object): number => connection.prepare(text).run(parametersOf(row)).changes;
  return {
    list: ({ limit, after = "" }) =>
      connection.read(() => connection.prepare<ScheduleRow>(SELECT_PAGE).all({ limit, after }).map(judged)),
    read: (name) =>
      connection.read(() => {
        const row = connection.prepare<ScheduleRow>(SELECT).get({ name });
        return row ? judged(row) : undefined;
      }),
    readSkips: (name) =>
      connection.read(() =>
        connection
          .prepare<SkipRow>(SELECT_SKIPS)
          .all({ name })
          .map((row) => judge(SCHEDULE_SKIPS, row)),
      ),
    insert: (row, audited) =>
      connection.write(() => {
        if (insertRow(connection, INSERT_NEW, row) === 0) return false;
        appendEntry(connection, audited?.audit, now());
        return true;
      }),
    remove: (name, version, audited) =>
      connection.write(() => {
        if (run(DELETE, { name, version }) === 0) return false;
        appendEntry(connection, audited?.audit, now());
        return true;
      }),
    readDue: (flows) => connection.read(() => readDue(connection, flows, now())),
    fire: (firings) =>
      connection.write(() => {
        const at = now();
        return firings.map((firing) => fire(connection, firing, at));
      }),
    wakeQueued: (names) =>
      connection.write(() => names.reduce((count, name) => count + run(WAKE, { name, now: now() }), 0)),
    listSources: () =>
      connection.read(() =>
        connection
          .prepare<ScheduleSourceRow>(SELECT_SOURCES)
          .all()
          .map((row) => judge(SCHEDULE_SOURCES, row)),
      ),
    declare: ({ source, rows, names }) =>
      connection.write(() => {
        if (insertRow(connection, DECLARE, source) === 0) return false;
        run(DELETE_OTHERS, { flow_name: source.flow_name, names: JSON.stringify(names) });
        for (const row of rows) insertRow(connection, DECLARE_ROW, row);
        return true;
      }),
    confirm: (flows) =>
      connection.write(() => {
        for (const { name, code } of flows) run(CONFIRM, { name, code, now: now() });
      }),
  };
}

const judged = (row: ScheduleRow): Judged<ScheduleRow> => judge(SCHEDULES, row);

const COLUMNS = columnList(SCHEDULES, "schedules");

const SELECT = `select ${COLUMNS} from schedules where name = $name`;

const SELECT_PAGE = `select ${COLUMNS} from schedules where name > $after order by name limit $limit`;

const SELECT_SKIPS = `
  select ${columnList(SCHEDULE_SKIPS, "schedule_skips")} from schedule_skips where schedule_name = $name
  order by from_at desc limit ${SKIPS_KEPT}`;

const SELECT_SOURCES = `select ${columnList(SCHEDULE_SOURCES, "schedule_sources")} from schedule_sources`;

const INSERT_NEW = insertsInto(SCHEDULES, "on conflict (name) do nothing");

const DELETE = "delete from schedules where name = $name and version = $version";

/** SS2. */
const IS_OWN = `(owner = 'command' or exists (
  select 1 from schedule_sources c where c.flow_name = schedules.flow_name and c.code = $code
))`;

const SELECT_DUE = `
  select ${COLUMNS} from schedules indexed by schedules_due
  where flow_name = $name and next_at <= $now and ${IS_OWN} order by next_at limit ${DUE_MAX}`;

/** What is no number (`isNumber`) is never due: nobody would hear of it. */
const SELECT_TIMELESS = `
  select ${COLUMNS} from schedules indexed by schedules_due
  where flow_name = $name and next_at >= '' and ${IS_OWN} limit ${DUE_MAX}`;

const SELECT_NEXT = `
  select next_at from schedules indexed by schedules_due
  where flow_name = $name and next_at > $now and ${isNumber("next_at")} and ${IS_OWN} order by next_at limit 1`;

const SELECT_OPEN = `
  select id from tasks indexed by tasks_open_of_schedule
  where schedule = $name and schedule is not null and finished_at is null limit ${OPEN_TOLD}`;

const UPDATE = `update schedules set ${assignments(SCHEDULES)} where name = $name and version = $version - 1`;

const SKIP = insertsInto(
  SCHEDULE_SKIPS,
  `on conflict (schedule_name, from_at) do update set
    until_at = excluded.until_at, count = count + excluded.count, reason = excluded.reason,
    recorded_at = excluded.recorded_at`,
);

const CLEAR_SKIPS = `
  delete from schedule_skips where schedule_name = $name and from_at < (
    select from_at from schedule_skips where schedule_name = $name order by from_at desc limit 1 offset ${SKIPS_KEPT - 1}
  )`;

const WAKE = "update schedules set next_at = $now where name = $name and queued_at is not null and next_at > $now";

const DECLARE = insertsInto(
  SCHEDULE_SOURCES,
  `on conflict (flow_name) do update set ${SCHEDULE_SOURCES.changed.map((name) => `${name} = excluded.${name}`).join(", ")}
  where version = excluded.version - 1`,
);

const DELETE_OTHERS = `
  delete from schedules
  where flow_name = $flow_name and owner = 'flow' and name not in (select value from json_each($names))`;

const DECLARE_ROW = insertsInto(
  SCHEDULES,
  `on conflict (name) do update set ${SCHEDULES.changed.map((name) => `${name} = excluded.${name}`).join(", ")}
  where version = excluded.version - 1 and owner = 'flow' and flow_name = excluded.flow_name`,
);

const CONFIRM = "update schedule_sources set confirmed_at = $now where flow_name = $name and code = $code";

function readDue(connection: SqliteConnection, flows: readonly FiringFlow[], now: number): DueSchedules {
  const rows: Judged<ScheduleRow>[] = [];
  let nextAt: number | null = null;
  for (const { name, code } of flows) {
    rows.push(...connection.prepare<ScheduleRow>(SELECT_DUE).all({ name, code, now }).map(judged));
    rows.push(...connection.prepare<ScheduleRow>(SELECT_TIMELESS).all({ name, code }).map(judged));
    const next = connection.prepare<{ next_at: number }>(SELECT_NEXT).get({ name, code, now });
    if (next !== null && (nextAt === null || next.next_at < nextAt)) nextAt = next.next_at;
  }
  const due = rows
    .toSorted((a, b) => (a.next_at ?? 0) - (b.next_at ?? 0))
    .slice(0, DUE_MAX)
    .map((row): DueSchedule => {
      const open = connection.prepare<{ id: string }>(SELECT_OPEN).all({ name: row.name });
      return { row, open: open.map(({ id }) => id) };
    });
  return { now, due, nextAt };
}

/** SS3. */
function isKeyTaken(connection: SqliteConnection, { task }: TaskRecord): boolean {
  const { id, flow_name, unique_key: key } = task;
  if (key === null || selectTask(connection, id)) return false;
  return findOpen(connection, flow_name, key) !== undefined;
}

/** SS1. */
function fire(connection: SqliteConnection, { row, tasks, skips, audit }: Firing, now: number): boolean {
  if (tasks.some((record) => isKeyTaken(connection, record))) return false;
  if (connection.prepare(UPDATE).run(parametersOf(row)).changes === 0) return false;
  insertRecords(connection, tasks, now);
  for (const skip of skips) insertRow(connection, SKIP, storableSkip(skip));
  if (skips.length > 0) connection.prepare(CLEAR_SKIPS).run({ name: row.name });
  appendEntry(connection, audit, now);
  return true;
}
