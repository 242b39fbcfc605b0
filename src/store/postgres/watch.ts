// News of the queue between processes: LISTEN and NOTIFY on a channel per schema (`lifeline.ts` listens). A
// notification says only that there is news; it may be lost with its connection, so each new connection counts as news.

import type { PostgresClient } from "./connection.ts";
import type { Schema } from "./schema.ts";

export async function announce(client: PostgresClient, schema: Schema): Promise<void> {
  // A repeated notification is the same news.
  await client.read("select pg_notify($1, '')", [channelOf(schema)]);
}

/** A schema's name may be as long as a channel's, so the channel is named by its hash. */
export function channelOf(schema: Schema): string {
  return `taskonaut_${new Bun.CryptoHasher("sha256").update(schema).digest("hex").slice(0, 32)}`;
}
