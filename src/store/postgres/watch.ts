// News of the queue between processes: LISTEN and NOTIFY on a channel per schema. A notification says only that there
// is something; it may be lost with its connection, so each new connection counts as news.

import type { Watch } from "../store.ts";
import type { PostgresClient } from "./connection.ts";
import { type LastingOptions, LastingSession } from "./lasting-session.ts";
import type { Schema } from "./schema.ts";

export async function announce(client: PostgresClient, schema: Schema): Promise<void> {
  await client.query("select pg_notify($1, '')", [channelOf(schema)]);
}

/** Watches on a connection of its own; `other` is one that sends the trial (L3 in `lasting-session.ts`). */
export async function watch(
  options: LastingOptions,
  { schema, other, onNews }: { readonly schema: Schema; readonly other: PostgresClient; readonly onNews: () => void },
): Promise<Watch> {
  const session = new LastingSession(options, {
    async setUp(client) {
      await client.query(`listen ${channelOf(schema)}`);
      onNews();
    },
    onNotify: onNews,
  });
  try {
    if (await session.isOwn(other)) {
      await session.start();
      return { kind: "notified", close: () => session.close() };
    }
  } catch (error) {
    await session.close();
    throw error;
  }
  await session.close();
  return { kind: "polling", close: async () => {} };
}

/** A schema's name may be as long as a channel's, so the channel is named by its hash. */
function channelOf(schema: Schema): string {
  return `taskonaut_${new Bun.CryptoHasher("sha256").update(schema).digest("hex").slice(0, 32)}`;
}
