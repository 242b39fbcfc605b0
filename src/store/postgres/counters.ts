// The table `counters` (`../counter-store.ts`).

import {
  APART_MS,
  COUNT_COLUMNS,
  countedRow,
  type CountedRow,
  type CounterStore,
  COUNTERS_FOLDED_MAX,
  type FlowMinute,
  HOURS_KEPT_MS,
  LATE_MS,
  MINUTES_KEPT_MS,
  stepOf,
} from "../counter-store.ts";
import type { PostgresClient } from "./connection.ts";
import { milliseconds, type Schema, timestamp } from "./schema.ts";

type Use = <Result>(use: (client: PostgresClient) => Promise<Result>) => Promise<Result>;

const NAMES = COUNT_COLUMNS.join(", ");
const SUMS = COUNT_COLUMNS.map((name) => `sum(${name})::bigint as ${name}`).join(", ");

export function counterStore({ read, write }: Record<"read" | "write", Use>, schema: Schema): CounterStore {
  return {
    write: (writer, minutes) => write((client) => writeMinutes(client, schema, writer, minutes)),
    read: ({ from, until, stepMs, flow }) =>
      read(async (client) => {
        // each has its own text, and so its own plan
        const ofFlow = flow === null ? "$4::text is null" : "c.flow_name = $4::text";
        const rows = await client.read<CountedRow>(
          `select floor(date_part('epoch', c.begins_at) * 1000 / $3::bigint)::bigint * $3::bigint as at, ${SUMS}
           from ${schema}.counters c
           where c.minutes in (1, 60) and c.begins_at >= ${timestamp("$1::bigint")}
             and c.begins_at < ${timestamp("$2::bigint")} and ${ofFlow}
           group by 1 order by 1`,
          [from, until, stepMs, flow],
        );
        return rows.map(stepOf);
      }),
    async fold() {
      await write((client) => client.query(foldText(schema, APART)));
      await write((client) => client.query(foldText(schema, OLD)));
      await write((client) =>
        client.query(
          `delete from ${schema}.counters where ctid = any (array(
             select ctid from ${schema}.counters
             where minutes = 60 and begins_at < now() - ${HOURS_KEPT_MS} * interval '1 ms' limit ${COUNTERS_FOLDED_MAX}
           ))`,
        ),
      );
    },
  };
}

/** The commit waits for no disk: a crash of the machine loses only the counts of a moment. */
async function writeMinutes(
  client: PostgresClient,
  schema: Schema,
  writer: string,
  minutes: readonly FlowMinute[],
): Promise<number> {
  const columns = COUNT_COLUMNS.map((name) => `${name} bigint`).join(", ");
  const [told] = await client.query<{ now: number }>(
    `with quick as materialized (
      select set_config('synchronous_commit', 'off', true)
    ), written as (
      insert into ${schema}.counters as c (minutes, begins_at, flow_name, writer, ${NAMES})
      select 1, coalesce(${timestamp("r.begins_at")}, date_trunc('minute', now(), 'UTC')), r.flow_name, case when r.begins_at is null then '' else $2 end, ${COUNT_COLUMNS.map((name) => `coalesce(r.${name}, 0)`).join(", ")}
      from quick cross join json_to_recordset($1::text::json) as r (begins_at bigint, flow_name text, ${columns})
      where r.begins_at is null or ${timestamp("r.begins_at")} > now() - ${LATE_MS} * interval '1 ms'
      on conflict (minutes, begins_at, flow_name, writer) do update set
        ${COUNT_COLUMNS.map((name) => `${name} = case c.writer when '' then c.${name} else 0 end + excluded.${name}`).join(", ")}
    )
    select ${milliseconds("now()")} as now`,
    [JSON.stringify(minutes.map(countedRow)), writer],
  );
  if (!told) throw new Error("The server told no time.");
  return told.now;
}

interface Folding {
  readonly chosen: string;
  readonly minutes: number;
  readonly beginsAt: string;
}

const APART: Folding = {
  chosen: `writer <> '' and begins_at < now() - ${APART_MS} * interval '1 ms'`,
  minutes: 1,
  beginsAt: "begins_at",
};

const OLD: Folding = {
  chosen: `minutes = 1 and writer = '' and begins_at < date_trunc('hour', now() - ${MINUTES_KEPT_MS} * interval '1 ms', 'UTC')`,
  minutes: 60,
  beginsAt: "date_trunc('hour', begins_at, 'UTC')",
};

/** A concurrent call gets none of these rows. */
function foldText(schema: Schema, { chosen, minutes, beginsAt }: Folding): string {
  return `with chosen as materialized (
    select ctid as place from ${schema}.counters where ${chosen} limit ${COUNTERS_FOLDED_MAX} for update skip locked
  ), gone as (
    delete from ${schema}.counters where ctid = any (array(select place from chosen)) returning *
  )
  insert into ${schema}.counters as c (minutes, begins_at, flow_name, writer, ${NAMES})
  select ${minutes}, ${beginsAt}, flow_name, '', ${SUMS} from gone group by 2, flow_name order by 2, flow_name
  on conflict (minutes, begins_at, flow_name, writer) do update set
    ${COUNT_COLUMNS.map((name) => `${name} = c.${name} + excluded.${name}`).join(", ")}`;
}
