// Tasks that may not begin (`admission-store.ts`).

import type { AdmissionStore } from "../admission-store.ts";
import type { PostgresClient } from "./connection.ts";
import { milliseconds, type Schema } from "./schema.ts";

type Read = <Result>(use: (client: PostgresClient) => Promise<Result>) => Promise<Result>;

export function admissionStore(read: Read, schema: Schema): AdmissionStore {
  return {
    async findOpen(flow, uniqueKey) {
      const [row] = await read((client) =>
        client.read<{ id: string }>(
          `select id from ${schema}.tasks
           where flow_name = $1 and unique_key = $2 and unique_key is not null and finished_at is null`,
          [flow, uniqueKey],
        ),
      );
      return row?.id;
    },
    async findExpired(limit) {
      const rows = await read((client) =>
        client.read<{ id: string | null; next_at: number | null }>(
          `(
             select id, null::bigint as next_at from ${schema}.tasks
             where expires_at is not null and expires_at <= now() and lease_owner is null
             order by expires_at limit $1::integer
           ) union all (
             select null, ${milliseconds("expires_at")} from ${schema}.tasks
             where expires_at is not null and expires_at > now() order by expires_at limit 1
           )`,
          [limit],
        ),
      );
      return { ids: rows.flatMap(({ id }) => id ?? []), nextAt: rows.find(({ id }) => id === null)?.next_at ?? null };
    },
  };
}
