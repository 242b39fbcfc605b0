// Tasks that may not begin (`admission-store.ts`).

import type { AdmissionStore } from "../admission-store.ts";
import type { SqliteConnection } from "./connection.ts";
import { isNumber } from "./statements.ts";

const OPEN = `
  select id from tasks indexed by tasks_unique
  where flow_name = $flow and unique_key = $uniqueKey and unique_key is not null and finished_at is null`;

const EXPIRED = `
  select id from tasks indexed by tasks_expiring
  where expires_at is not null and expires_at <= $now and lease_owner is null order by expires_at limit $limit`;

const NEXT = `
  select expires_at as next_at from tasks indexed by tasks_expiring
  where expires_at is not null and expires_at > $now and ${isNumber("expires_at")}
  order by expires_at limit 1`;

export function findOpen(connection: SqliteConnection, flow: string, uniqueKey: string): string | undefined {
  return connection.prepare<{ id: string }>(OPEN).get({ flow, uniqueKey })?.id;
}

export function admissionStore(connection: SqliteConnection, now: () => number): AdmissionStore {
  return {
    findOpen: (flow, uniqueKey) => connection.read(() => findOpen(connection, flow, uniqueKey)),
    findExpired: (limit) =>
      connection.read(() => {
        const at = now();
        const ids = connection.prepare<{ id: string }>(EXPIRED).all({ now: at, limit });
        const next = connection.prepare<{ next_at: number }>(NEXT).get({ now: at });
        return { ids: ids.map(({ id }) => id), nextAt: next?.next_at ?? null };
      }),
  };
}
