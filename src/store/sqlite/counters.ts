// The table `counters` (`../counter-store.ts`).

import {
  APART_MS,
  COUNT_COLUMNS,
  countedRow,
  type CountedRow,
  type CountedStep,
  type CounterStore,
  COUNTERS_FOLDED_MAX,
  HOURS_KEPT_MS,
  LATE_MS,
  MINUTES_KEPT_MS,
  stepOf,
} from "../counter-store.ts";
import { turnOfLoop } from "../../turn-of-loop.ts";
import { parametersOf, type SqliteConnection } from "./connection.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** How much is read before the event loop has a turn, for minutes. */
const READ_MS = 3 * HOUR_MS;

const NAMES = COUNT_COLUMNS.join(", ");
const SUMS = COUNT_COLUMNS.map((name) => `sum(${name}) as ${name}`).join(", ");

const WRITE = `
  insert into counters (minutes, begins_at, flow_name, writer, ${NAMES})
  values (1, $begins_at, $flow_name, $writer, ${COUNT_COLUMNS.map((name) => `$${name}`).join(", ")})
  on conflict (minutes, begins_at, flow_name, writer) do update set
    ${COUNT_COLUMNS.map((name) => `${name} = iif(writer = '', ${name}, 0) + excluded.${name}`).join(", ")}`;

const RANGE = `
  select (select min(begins_at) from counters where minutes = 1) as first,
    (select max(begins_at) from counters where minutes = 1) as last`;

const READ = `
  select begins_at / $stepMs * $stepMs as at, ${SUMS} from counters
  where minutes = $minutes and begins_at >= $from and begins_at < $until and ($flow is null or flow_name = $flow)
  group by 1 order by 1`;

const ADD = `
  insert into counters (minutes, begins_at, flow_name, writer, ${NAMES})
  values ($minutes, $begins_at, $flow_name, '', ${COUNT_COLUMNS.map((name) => `$${name}`).join(", ")})
  on conflict (minutes, begins_at, flow_name, writer) do update set
    ${COUNT_COLUMNS.map((name) => `${name} = ${name} + excluded.${name}`).join(", ")}`;

const CHOOSE_APART = `
  select minutes, begins_at, flow_name, writer from counters where writer <> '' and begins_at < $before order by begins_at limit ${COUNTERS_FOLDED_MAX}`;

const CHOOSE_OLD = `
  select minutes, begins_at, flow_name, writer from counters where minutes = 1 and writer = '' and begins_at < $before
  order by minutes, begins_at limit ${COUNTERS_FOLDED_MAX}`;

const REMOVE = `
  delete from counters
  where minutes = $minutes and begins_at = $begins_at and flow_name = $flow_name and writer = $writer returning *`;

const REMOVE_OLD = `
  delete from counters where (minutes, begins_at, flow_name, writer) in (
    select minutes, begins_at, flow_name, writer from counters
    where minutes = 60 and begins_at < $before limit ${COUNTERS_FOLDED_MAX}
  )`;

export function counterStore(connection: SqliteConnection, now: () => number): CounterStore {
  return {
    write: (writer, minutes) =>
      connection.writeLightly(() => {
        const at = now();
        const minute = Math.floor(at / MINUTE_MS) * MINUTE_MS;
        const insert = connection.prepare(WRITE);
        for (const each of minutes) {
          const of =
            each.begins_at === null ? { begins_at: minute, writer: "" } : { begins_at: each.begins_at, writer };
          if (of.begins_at > at - LATE_MS) insert.run(parametersOf({ ...countedRow(each), ...of }));
        }
        return at;
      }),
    async read({ from, until, stepMs, flow }) {
      const steps = new Map<number, CountedStep>();
      const add = async (range: {
        readonly minutes: number;
        readonly from: number;
        readonly until: number;
      }): Promise<void> => {
        const rows = await connection.read(() => connection.prepare<CountedRow>(READ).all({ ...range, stepMs, flow }));
        for (const step of rows.map(stepOf)) steps.set(step.at, sumOf(steps.get(step.at), step));
        await turnOfLoop();
      };
      await add({ minutes: 60, from, until });
      const [row] = await connection.read(() =>
        connection.prepare<{ first: number | null; last: number }>(RANGE).all(),
      );
      if (row && row.first !== null) {
        const end = Math.min(until, row.last + 1);
        for (let at = Math.max(from, row.first); at < end; at += READ_MS) {
          await add({ minutes: 1, from: at, until: Math.min(end, at + READ_MS) });
        }
      }
      return [...steps.values()].toSorted((a, b) => a.at - b.at);
    },
    async fold() {
      await fold(connection, { choose: CHOOSE_APART, before: now() - APART_MS, minutes: 1, ms: MINUTE_MS });
      const old = Math.floor((now() - MINUTES_KEPT_MS) / HOUR_MS) * HOUR_MS;
      await fold(connection, { choose: CHOOSE_OLD, before: old, minutes: 60, ms: HOUR_MS });
      const before = now() - HOURS_KEPT_MS;
      await connection.writeLightly(() => connection.prepare(REMOVE_OLD).run({ before }));
    },
  };
}

interface Folding {
  readonly choose: string;
  readonly before: number;
  readonly minutes: number;
  readonly ms: number;
}

interface Key {
  readonly minutes: number;
  readonly begins_at: number;
  readonly flow_name: string;
  readonly writer: string;
}

/** How many rows are compacted before the event loop has a turn. */
const SLICE = 200;

async function fold(connection: SqliteConnection, { choose, before, minutes, ms }: Folding): Promise<void> {
  const found = await connection.read(() => connection.prepare<Key>(choose).all({ before }));
  for (let at = 0; at < found.length; at += SLICE) {
    const keys = found.slice(at, at + SLICE);
    await connection.writeLightly(() => {
      for (const key of keys) {
        const row = connection.prepare<Key & Readonly<Record<string, number>>>(REMOVE).get(parametersOf(key));
        if (!row) continue; // another process has compacted it meanwhile
        const { writer: _writer, begins_at, ...counts } = row;
        const into = { ...counts, minutes, begins_at: Math.floor(begins_at / ms) * ms };
        connection.prepare(ADD).run(parametersOf(into));
      }
    });
    await turnOfLoop();
  }
}

function sumOf(one: CountedStep | undefined, other: CountedStep): CountedStep {
  if (!one) return other;
  return {
    at: one.at,
    created: one.created + other.created,
    completed: one.completed + other.completed,
    failed: one.failed + other.failed,
    cancelled: one.cancelled + other.cancelled,
    delays: one.delays.map((count, place) => count + (other.delays[place] ?? 0)),
  };
}
