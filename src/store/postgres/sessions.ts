import type { SessionRow, SessionStore } from "../session-store.ts";
import { SESSIONS } from "../tables.ts";
import { queryAudited } from "./audit.ts";
import { columnsOf, selectList } from "./columns.ts";
import type { PostgresClient } from "./connection.ts";
import type { Schema } from "./schema.ts";

type Use = <Result>(use: (client: PostgresClient) => Promise<Result>) => Promise<Result>;

const COLUMNS = selectList(columnsOf(SESSIONS, "s"));

/** How many old sessions are removed with each new one. */
const REMOVED_MAX = 1000;

export function sessionStore(
  schema: Schema,
  { read, write }: { readonly read: Use; readonly write: Use },
): SessionStore {
  const table = `${schema}.sessions`;
  return {
    async insert({ hash, token_id, secret_hash }, { idleMs, audit }) {
      await write(async (client) => {
        await client.query(
          `delete from ${table} where ctid = any (array(
             select ctid from ${table} where used_at < now() - $1::float8 * interval '1 ms'
             order by used_at limit ${REMOVED_MAX}
           ))`,
          [idleMs],
        );
        await queryAudited(client, schema, {
          audit,
          text: `insert into ${table} (hash, token_id, secret_hash, created_at, used_at)
            values ($1, $2, $3, now(), now()) returning 1`,
          parameters: [hash, token_id, secret_hash],
        });
      });
    },
    read: (hash) =>
      read(async (client) => {
        const [row] = await client.read<SessionRow>(`select ${COLUMNS} from ${table} s where s.hash = $1`, [hash]);
        return row;
      }),
    async noteUse(hash) {
      await write((client) => client.query(`update ${table} set used_at = now() where hash = $1`, [hash]));
    },
    async remove(hash, audited) {
      const text = `delete from ${table} where hash = $1 returning 1`;
      const removed = await write((client) => queryAudited(client, schema, { text, parameters: [hash], ...audited }));
      return removed.length === 1;
    },
  };
}
