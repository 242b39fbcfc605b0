// Figures of the store as a whole (`../figure-store.ts`).

import { WAITS_IN_DOUBT } from "../../core/record/waits.ts";
import {
  FIGURE_MAX,
  type FigureStore,
  type FlowFigures,
  type TicketFigure,
  type WorkerFigures,
} from "../figure-store.ts";
import type { PostgresClient } from "./connection.ts";
import { writeArray } from "./row-encoding.ts";
import type { Schema } from "./schema.ts";

type Use = <Result>(use: (client: PostgresClient) => Promise<Result>) => Promise<Result>;

export function figureStore(read: Use, schema: Schema): FigureStore {
  return {
    ofFlows: (names) => read((client) => ofFlows(client, schema, names)),
    ofTickets: () => read((client) => ofTickets(client, schema)),
    ofWorkers: () => read((client) => ofWorkers(client, schema)),
  };
}

/** The index of the queue is searched by priority: tasks that are due later are not read. */
function ofFlows(client: PostgresClient, schema: Schema, names: readonly string[]): Promise<FlowFigures[]> {
  return client.read<FlowFigures>(
    `select f.name as flow_name, least(q.due, ${FIGURE_MAX})::integer as due,
       (date_part('epoch', now() - q.first_at) * 1000)::bigint as oldest_due_ms,
       (
         select count(*) from (
           select from ${schema}.tasks t
           where t.flow_name = f.name and t.waits is not null and t.waits = any ($2::smallint[]) limit ${FIGURE_MAX}
         ) d
       )::integer as in_doubt,
       (
         select count(*) from (
           select from ${schema}.tasks t
           where t.flow_name = f.name and t.parked_reason is not null limit ${FIGURE_MAX}
         ) p
       )::integer as parked
     from unnest($1::text[]) as f (name) cross join lateral (
       select sum(o.due) as due, min(o.first_at) as first_at
       from generate_series(0, 9) as p (priority) cross join lateral (
         select count(*) as due, min(d.due_at) as first_at from (
           select t.due_at from ${schema}.tasks t
           where t.flow_name = f.name and t.priority = p.priority and t.due_at <= now() and t.lease_owner is null
           order by t.due_at limit ${FIGURE_MAX}
         ) d
       ) o
     ) q`,
    [writeArray(names), writeArray(WAITS_IN_DOUBT)],
  );
}

function ofTickets(client: PostgresClient, schema: Schema): Promise<TicketFigure[]> {
  return client.read<TicketFigure>(
    `select l.name as limit_name, (
       select count(*) from (
         select from ${schema}.tickets k where k.limit_name = l.name and k.granted_at is null limit ${FIGURE_MAX}
       ) w
     )::integer as waiting
     from ${schema}.limits l where l.kind = 'tool' order by l.name collate "C"`,
  );
}

async function ofWorkers(client: PostgresClient, schema: Schema): Promise<WorkerFigures> {
  const [figures] = await client.read<WorkerFigures>(
    `select count(*)::integer as workers, coalesce(sum(w.concurrency), 0)::integer as slots
     from ${schema}.workers w where w.concurrency > 0 and w.lease_until > now()`,
  );
  if (!figures) throw new Error("A sum is one row.");
  return figures;
}
