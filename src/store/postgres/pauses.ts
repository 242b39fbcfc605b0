// The table `pauses`. It is small, and mostly empty.

import type { Judged } from "../../core/record/judged.ts";
import { storableText } from "../storable-text.ts";
import type { Audited } from "../audit-store.ts";
import type { NewPause, PauseRow, PauseStore } from "../pause-store.ts";
import { PAUSES } from "../tables.ts";
import { judge } from "../wrong-column.ts";
import { aggregateColumns, columnsOf, selectList, toRows } from "./columns.ts";
import { queryAudited } from "./audit.ts";
import type { PostgresClient } from "./connection.ts";
import type { Schema } from "./schema.ts";

const PAUSE = columnsOf(PAUSES, "p");

/** All pauses as one JSON text, within a statement. */
export function selectPauses(schema: Schema): string {
  return `(select ${aggregateColumns(PAUSE)} from (select * from ${schema}.pauses order by scope, name) p)`;
}

/** The result of `selectPauses`. */
export function toPauses(text: string): Judged<PauseRow>[] {
  return toRows<PauseRow>(PAUSE, text).map((row) => judge(PAUSES, row));
}

/** Whether the flow of this name (as SQL) is paused. */
export function isPaused(schema: Schema, flow: string): string {
  return `exists (
    select from ${schema}.pauses p where p.scope = 'all' or (p.scope = 'flow' and p.name = ${flow})
  )`;
}

interface Clients {
  readonly read: <Result>(use: (client: PostgresClient) => Promise<Result>) => Promise<Result>;
  readonly write: <Result>(use: (client: PostgresClient) => Promise<Result>) => Promise<Result>;
}

export function pauseStore({ read, write }: Clients, schema: Schema): PauseStore {
  return {
    async read(workerId) {
      const [row] = await read((client) =>
        client.read<{ pauses: string; seen: string | null }>(
          `select ${selectPauses(schema)} as pauses,
             (select w.pauses_seen from ${schema}.workers w where w.id = $1::uuid) as seen`,
          [workerId],
        ),
      );
      if (!row) throw new Error("A look at the pauses gives one row.");
      return { pauses: toPauses(row.pauses), seen: row.seen };
    },
    put: (pause, audited) => write((client) => putPause(client, schema, pause, audited)),
    async remove(scope, name, audited) {
      const text = `delete from ${schema}.pauses where scope = $1 and name = $2 returning 1`;
      const removed = await write((client) =>
        queryAudited(client, schema, { text, parameters: [scope, name], ...audited }),
      );
      return removed.length === 1;
    },
    async acknowledge(workerId, seen) {
      await write((client) =>
        client.query(`update ${schema}.workers set pauses_seen = $2 where id = $1::uuid`, [workerId, seen]),
      );
    },
    findUnaware: (pauseId) =>
      read((client) =>
        client.read(
          `select id, name, concurrency from ${schema}.workers
           where position($1 in pauses_seen) = 0 order by started_at, id`,
          [pauseId],
        ),
      ),
  };
}

async function putPause(
  client: PostgresClient,
  schema: Schema,
  pause: NewPause,
  audited: Audited | undefined,
): Promise<PauseRow> {
  const { scope, name, id, reason, made_by, aborts } = pause;
  const [row] = await queryAudited<PauseRow>(client, schema, {
    text: `insert into ${schema}.pauses as p (scope, name, id, reason, made_by, aborts, since)
     values ($1, $2, $3::uuid, $4, $5, $6::smallint, now())
     on conflict (scope, name) do update set
       id = excluded.id, reason = excluded.reason, made_by = excluded.made_by, aborts = excluded.aborts,
       since = excluded.since
     returning ${selectList(PAUSE)}`,
    parameters: [scope, name, id, reason === null ? null : storableText(reason), storableText(made_by), aborts],
    ...audited,
  });
  if (!row) throw new Error("A pause that is written is given.");
  return row;
}
