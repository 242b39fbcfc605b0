// The table `task_counts`: rows are only added, so that writers never wait for each other, and compacted now and then.
// Readers add them up.

import type { CountStore, TaskCount } from "../store.ts";
import type { PostgresClient } from "./connection.ts";
import type { Schema } from "./schema.ts";

type Use = <Result>(use: (client: PostgresClient) => Promise<Result>) => Promise<Result>;

/** A part of a statement that has inserted the tasks in `won`. */
export function countInserted(schema: Schema): string {
  return `counted as (
    insert into ${schema}.task_counts (flow_name, status, tasks)
    select flow_name, status, count(*) from won group by flow_name, status
  )`;
}

/** A part of a statement that has changed the tasks in `won`, which has their states before and after. */
export function countChanged(schema: Schema): string {
  return `counted as (
    insert into ${schema}.task_counts (flow_name, status, tasks)
    select w.flow_name, c.status, sum(c.tasks)
    from won w cross join lateral (values (w.status, 1), (w.from_status, -1)) as c (status, tasks)
    where w.status <> w.from_status group by w.flow_name, c.status having sum(c.tasks) <> 0
  )`;
}

/** This many rows for a count need not be compacted. */
const ROWS_FEW = 200;

/** How many rows are compacted at once. */
const FOLDED_MAX = 20_000;

export function countStore(reader: Use, writer: Use, schema: Schema): CountStore {
  return {
    read: () => reader((client) => read(client, schema)),
    fold: () => writer((client) => fold(client, schema)),
  };
}

function read(client: PostgresClient, schema: Schema): Promise<TaskCount[]> {
  return client.read<TaskCount>(
    `select flow_name, status, sum(tasks)::bigint as tasks from ${schema}.task_counts
    group by flow_name, status having sum(tasks) <> 0 order by flow_name collate "C", status collate "C"`,
  );
}

/** One statement: readers see the rows either before or after it. A concurrent call gets none of these rows. */
async function fold(client: PostgresClient, schema: Schema): Promise<void> {
  await client.query(
    `with many as materialized (
      select 1 from (select from ${schema}.task_counts limit ${ROWS_FEW + 1}) c having count(*) > ${ROWS_FEW}
    ), chosen as materialized (
      select c.ctid as place from ${schema}.task_counts c where exists (select from many)
      limit ${FOLDED_MAX} for update skip locked
    ), gone as (
      delete from ${schema}.task_counts where ctid = any (array(select place from chosen))
      returning flow_name, status, tasks
    )
    insert into ${schema}.task_counts (flow_name, status, tasks)
    select flow_name, status, sum(tasks) from gone group by flow_name, status having sum(tasks) <> 0`,
  );
}
