// The tables `event_journal` and `task_events`. There is one writer at a time, so positions are in the order of
// commits.

import type { TaskRow } from "../../core/record/record.ts";
import {
  type EventPage,
  type EventReader,
  type EventRow,
  EVENTS_KEPT,
  EVENTS_PAGE,
  type EventStore,
} from "../event-store.ts";
import type { SqliteConnection } from "./connection.ts";

/** After the largest position SQLite finds no next one, and says that the disk is full. Only others write such a position. */
const POSITIONS_LEFT = `
  coalesce((select max(position) from task_events), 0) < ${Number.MAX_SAFE_INTEGER}
  and coalesce((select seq from sqlite_sequence where name = 'task_events'), 0) < ${Number.MAX_SAFE_INTEGER}`;

const IS_LISTENED_TO = `select 1 from event_journal where listened_until > $now and ${POSITIONS_LEFT}`;

/** Listeners hear of a new epoch, and look anew. */
const RESTART = [
  "delete from task_events",
  "delete from sqlite_sequence where name = 'task_events'",
  "update event_journal set listened_until = 0",
];

const NOTE = `
  insert into task_events (
    at, kind, about_id, version, flow_name, status, parked, waits, parent_task_id, schedule, priority, tags
  ) values (
    $at, $kind, $id, $version, $flow, $status, $parked, $waits, $parent, $schedule, $priority, $tags
  )`;

const LISTEN = `
  insert into event_journal (id, epoch, floor, listened_until)
  select 1, $epoch, coalesce((select seq from sqlite_sequence where name = 'task_events'), 0) + 1, $until where true
  on conflict (id) do update set
    epoch = case when listened_until > $now then epoch else excluded.epoch end,
    floor = case when listened_until > $now then max(floor, $floor) else excluded.floor end,
    listened_until = max(listened_until, excluded.listened_until)
  returning epoch`;

const SELECT_FLOOR = `
  select coalesce((select max(position) from task_events), 0) - ${EVENTS_KEPT} + 1 as floor`;

const TRIM = "delete from task_events where position < $floor";

const SELECT_JOURNAL = "select epoch, floor from event_journal";

const SELECT_ROWS = `
  select * from task_events where position >= $from order by position limit ${EVENTS_PAGE}`;

/** The source of an event. */
export type NotedTask = Pick<
  TaskRow,
  | "id"
  | "version"
  | "flow_name"
  | "status"
  | "parked_reason"
  | "waits"
  | "parent_task_id"
  | "schedule"
  | "priority"
  | "tags"
>;

/** For a statement that returns what `noteEvents` takes. */
export const NOTED_COLUMNS =
  "id, version, flow_name, status, parked_reason, waits, parent_task_id, schedule, priority, tags";

/** Within a transaction, for tasks that it has written. Nothing is written while nobody listens. */
export function noteEvents(
  connection: SqliteConnection,
  kind: EventRow["kind"],
  tasks: readonly NotedTask[],
  now: number,
): void {
  if (tasks.length === 0 || connection.prepare(IS_LISTENED_TO).get({ now }) === null) return;
  const note = connection.prepare(NOTE);
  for (const task of tasks) {
    note.run({
      at: now,
      kind,
      id: task.id,
      version: task.version,
      flow: task.flow_name,
      status: task.status,
      parked: task.parked_reason === null ? 0 : 1,
      waits: task.waits,
      parent: task.parent_task_id,
      schedule: task.schedule,
      priority: task.priority,
      tags: task.tags,
    });
  }
}

export function eventStore(connection: SqliteConnection, now: () => number): EventStore {
  return {
    listen: (ms) =>
      connection.write(() => {
        const at = now();
        if (connection.prepare(`select 1 where ${POSITIONS_LEFT}`).get({}) === null) {
          for (const statement of RESTART) connection.prepare(statement).run({});
        }
        const floor = connection.prepare<{ floor: number }>(SELECT_FLOOR).get({})?.floor ?? 0;
        connection.prepare(TRIM).run({ floor });
        const row = connection
          .prepare<{ epoch: string }>(LISTEN)
          .get({ epoch: crypto.randomUUID(), until: at + ms, now: at, floor });
        if (!row) throw new Error("An upsert gives its row.");
        return row;
      }),
    openReader: () => new Reader(connection),
  };
}

interface StoredEvent extends Omit<EventRow, "parked" | "task_id"> {
  readonly about_id: string;
  readonly parked: 0 | 1;
}

class Reader implements EventReader {
  #from = 0;

  constructor(private readonly connection: SqliteConnection) {}

  read(): Promise<EventPage> {
    const { connection } = this;
    return connection.read((): EventPage => {
      const journal = connection.prepare<{ epoch: string; floor: number }>(SELECT_JOURNAL).get({});
      if (!journal) return { epoch: null, rows: [], floor: 0, next: this.#from, isCut: false, isWhole: false };
      const { epoch, floor } = journal;
      const stored = connection.prepare<StoredEvent>(SELECT_ROWS).all({ from: Math.max(this.#from, floor) });
      this.#from = (stored.at(-1)?.position ?? Math.max(this.#from, floor) - 1) + 1;
      return {
        epoch,
        rows: stored.map(({ about_id, ...row }) => ({ ...row, task_id: about_id, parked: row.parked === 1 })),
        floor,
        next: this.#from,
        isCut: stored.length === EVENTS_PAGE,
        isWhole: true,
      };
    });
  }
}
