// A step that takes as long as the test wants: the database holds the record of its outcome back.

import postgres from "postgres";
import { until } from "../support/until.ts";
import type { Place } from "./place.ts";

export interface Gate extends AsyncDisposable {
  /** Resolves when a process stands at the gate. */
  reached(): Promise<void>;
  open(): Promise<void>;
}

const KEY = 20_261_123;

/** Closes a gate before the outcome of every step of that name in a PostgreSQL place. */
export async function closeGate(place: Place, stepName: string): Promise<Gate> {
  await place.query(`
    create function wait_at_gate() returns trigger language plpgsql as $$
      begin perform pg_advisory_xact_lock(${KEY}); return new; end
    $$;
    create trigger gate before update on task_steps for each row
      when (new.step_name = '${stepName}' and new.outcome_seq is not null and old.outcome_seq is null)
      execute function wait_at_gate()`);
  const holder = postgres(place.url, { max: 1 });
  await holder`select pg_advisory_lock(${KEY})`;
  return {
    async reached() {
      await until(async () => {
        const [row] = await holder<{ waits: boolean }[]>`
          select exists (
            select from pg_locks where locktype = 'advisory' and objid = ${KEY} and not granted
              and database = (select oid from pg_database where datname = current_database())
          ) as waits`;
        return row?.waits === true;
      });
    },
    async open() {
      await holder`select pg_advisory_unlock(${KEY})`;
    },
    [Symbol.asyncDispose]: () => holder.end({ timeout: 1 }),
  };
}
