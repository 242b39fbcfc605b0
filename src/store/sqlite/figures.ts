// Figures of the store as a whole (`../figure-store.ts`). One flow at a time, with turns of the event loop in between.

import { WAITS_IN_DOUBT } from "../../core/record/waits.ts";
import { turnOfLoop } from "../../turn-of-loop.ts";
import {
  FIGURE_MAX,
  type FigureStore,
  type FlowFigures,
  type TicketFigure,
  type WorkerFigures,
} from "../figure-store.ts";
import type { SqliteConnection } from "./connection.ts";

const DUE = `
  select count(*) as due, min(due_at) as first_at from (
    select due_at from tasks
    where flow_name = $flow and priority = $priority and due_at is not null and due_at <= $now and lease_owner is null
    order by due_at limit ${FIGURE_MAX}
  )`;

const IN_DOUBT = `
  select count(*) as count from (
    select 1 from tasks where flow_name = $flow and waits is not null and waits in (${WAITS_IN_DOUBT.join(", ")})
    limit ${FIGURE_MAX}
  )`;

const PARKED = `
  select count(*) as count from (
    select 1 from tasks where flow_name = $flow and parked_reason is not null limit ${FIGURE_MAX}
  )`;

const TICKETS = `
  select l.name as limit_name, (
    select count(*) from (
      select 1 from tickets k where k.limit_name = l.name and k.granted_at is null limit ${FIGURE_MAX}
    )
  ) as waiting
  from limits l where l.kind = 'tool' order by l.name`;

const WORKERS = `
  select count(*) as workers, coalesce(sum(concurrency), 0) as slots from workers
  where concurrency > 0 and lease_until > $now`;

const PRIORITIES = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];

export function figureStore(connection: SqliteConnection, now: () => number): FigureStore {
  return {
    async ofFlows(names) {
      const figures: FlowFigures[] = [];
      for (const flow of names) {
        figures.push(await connection.read(() => ofFlow(connection, flow, now())));
        await turnOfLoop();
      }
      return figures;
    },
    ofTickets: () => connection.read(() => connection.prepare<TicketFigure>(TICKETS).all({})),
    async ofWorkers() {
      const figures = await connection.read(() => connection.prepare<WorkerFigures>(WORKERS).get({ now: now() }));
      if (!figures) throw new Error("A sum is one row.");
      return figures;
    },
  };
}

function ofFlow(connection: SqliteConnection, flow: string, now: number): FlowFigures {
  const count = (text: string): number => connection.prepare<{ count: number }>(text).get({ flow })?.count ?? 0;
  let due = 0;
  let first: number | null = null;
  for (const priority of PRIORITIES) {
    const found = connection.prepare<{ due: number; first_at: number | null }>(DUE).get({ flow, priority, now });
    due += found?.due ?? 0;
    if (found && found.first_at !== null) first = Math.min(found.first_at, first ?? found.first_at);
  }
  return {
    flow_name: flow,
    due: Math.min(due, FIGURE_MAX),
    oldest_due_ms: first === null ? null : now - first,
    in_doubt: count(IN_DOUBT),
    parked: count(PARKED),
  };
}
