// The tables `event_journal` and `task_events`. Transactions end in another order than they begin: so a reader
// continues from the first transaction that was still open at its last look, and skips the rows that it has had.

import {
  type EventPage,
  type EventReader,
  type EventRow,
  EVENTS_KEPT,
  EVENTS_PAGE,
  type EventStore,
} from "../event-store.ts";
import type { PostgresClient } from "./connection.ts";
import { milliseconds, type Schema } from "./schema.ts";

type Use = <Result>(use: (client: PostgresClient) => Promise<Result>) => Promise<Result>;

/** Columns of a task's row, in the order of the table of events. */
const OF_TASK = [
  "id",
  "version",
  "flow_name",
  "status",
  "parked_reason",
  "waits",
  "parent_task_id",
  "schedule",
  "priority",
  "tags",
] as const;

/** The columns that a statement has to return of the row `t` of a task, for `noteEvents`. */
export const EVENT_COLUMNS = OF_TASK.map((column) => `t.${column}`).join(", ");

/**
 * A part of a statement: records what happened to the tasks of relation `from`, which has EVENT_COLUMNS. If nobody
 * listens, that relation is not even read.
 */
export function noteEvents(schema: Schema, kind: EventRow["kind"], from: string): string {
  const values = OF_TASK.map((column) => (column === "parked_reason" ? "w.parked_reason is not null" : `w.${column}`));
  return `noted_${from} as (
    insert into ${schema}.task_events (
      kind, about_id, version, flow_name, status, parked, waits, parent_task_id, schedule, priority, tags
    )
    select '${kind}', ${values.join(", ")} from ${from} w
    where exists (select from ${schema}.event_journal where id = 1 and listened_until > now())
  )`;
}

/** How many rows are removed at once; the rest goes the next time. */
const REMOVED_MAX = 20_000;

/** `use`: not the connection for writes, which has no time for it. */
export function eventStore(use: Use, schema: Schema): EventStore {
  return {
    listen: (ms) => use((client) => listen(client, schema, ms)),
    openReader: () => new Reader(use, schema),
  };
}

async function listen(client: PostgresClient, schema: Schema, ms: number): Promise<{ epoch: string }> {
  const [row] = await client.query<{ epoch: string }>(
    `with cut as materialized (
      select xid, id from ${schema}.task_events order by xid desc, id desc offset ${EVENTS_KEPT} limit 1
    ), gone as (
      delete from ${schema}.task_events where ctid = any (array(
        select e.ctid from ${schema}.task_events e where (e.xid, e.id) <= ((select xid from cut), (select id from cut))
        order by e.xid, e.id limit ${REMOVED_MAX}
      ))
    )
    insert into ${schema}.event_journal as j (epoch, began, floor, listened_until)
    select gen_random_uuid(), own.xid, own.xid, now() + $1::float8 * interval '1 ms'
    from (select pg_current_xact_id()::text::bigint as xid) own
    on conflict (id) do update set
      epoch = case when j.listened_until > now() then j.epoch else excluded.epoch end,
      began = case when j.listened_until > now() then j.began else excluded.began end,
      floor = case
        when j.listened_until > now() then greatest(j.floor, coalesce((select xid::text::bigint + 1 from cut), 0))
        else excluded.floor
      end,
      listened_until = greatest(j.listened_until, excluded.listened_until)
    returning j.epoch`,
    [ms],
  );
  if (!row) throw new Error("An upsert gives its row.");
  return row;
}

interface JournalRow {
  readonly epoch: string;
  readonly began: number;
  readonly floor: number;
  readonly horizon: number;
  readonly rows: string | null;
}

type Packed = readonly [
  position: number,
  id: number,
  at: number,
  kind: EventRow["kind"],
  taskId: string,
  version: number,
  flow: string,
  status: string,
  parked: boolean,
  waits: number | null,
  parent: string | null,
  schedule: string | null,
  priority: number,
  tags: string | null,
];

class Reader implements EventReader {
  #from = 0;
  /** Ids of rows after that point that were returned, with their positions. */
  #given = new Map<number, number>();

  constructor(
    private readonly use: Use,
    private readonly schema: Schema,
  ) {}

  async read(): Promise<EventPage> {
    const { schema } = this;
    const [journal] = await this.use((client) =>
      client.read<JournalRow>(
        `select j.epoch, j.began, j.floor, pg_snapshot_xmin(pg_current_snapshot())::text::bigint as horizon, (
          select json_agg(json_build_array(
            e.xid::text::bigint, e.id, ${milliseconds("e.at")}, e.kind, e.about_id, e.version, e.flow_name, e.status, e.parked,
            e.waits, e.parent_task_id, e.schedule, e.priority, e.tags::text
          ))::text from (
            select * from ${schema}.task_events
            where xid >= greatest($1::bigint, j.floor)::text::xid8 and not id = any ((select $2::bigint[])::bigint[])
            order by xid, id limit ${EVENTS_PAGE}
          ) e
        ) as rows
        from ${schema}.event_journal j where j.id = 1`,
        [this.#from, `{${[...this.#given.keys()].join(",")}}`],
      ),
    );
    if (!journal) return { epoch: null, rows: [], floor: 0, next: this.#from, isCut: false, isWhole: false };
    const packed = JSON.parse(journal.rows ?? "[]") as Packed[];
    const isCut = packed.length === EVENTS_PAGE;
    const last = packed.at(-1);
    // some transaction on the server may have been open since before anybody listened: nothing before the floor is read
    const next = Math.max(journal.floor, isCut && last ? Math.min(journal.horizon, last[0]) : journal.horizon);
    for (const [position, id] of packed) this.#given.set(id, position);
    for (const [id, position] of this.#given) if (position < next) this.#given.delete(id);
    this.#from = next;
    return {
      epoch: journal.epoch,
      rows: packed.map(unpack),
      floor: journal.floor,
      next,
      isCut,
      isWhole: journal.horizon > journal.began,
    };
  }
}

function unpack(packed: Packed): EventRow {
  const [position, , at, kind, task_id, version, flow_name, status, parked, waits, parent, schedule, priority, tags] =
    packed;
  return {
    position,
    at,
    kind,
    task_id,
    version,
    flow_name,
    status,
    parked,
    waits,
    parent_task_id: parent,
    schedule,
    priority,
    tags,
  };
}
