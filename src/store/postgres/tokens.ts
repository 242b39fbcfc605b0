import type { Judged } from "../../core/record/judged.ts";
import { storableText } from "../storable-text.ts";
import type { TokenRow, TokenStore } from "../token-store.ts";
import { TOKENS } from "../tables.ts";
import { judge } from "../wrong-column.ts";
import { columnsOf, selectList } from "./columns.ts";
import { queryAudited } from "./audit.ts";
import type { PostgresClient } from "./connection.ts";
import type { Schema } from "./schema.ts";

type Use = <Result>(use: (client: PostgresClient) => Promise<Result>) => Promise<Result>;

const COLUMNS = selectList(columnsOf(TOKENS, "t"));

const judged = (row: TokenRow): Judged<TokenRow> => judge(TOKENS, row);

export function tokenStore(schema: Schema, { read, write }: { readonly read: Use; readonly write: Use }): TokenStore {
  const table = `${schema}.tokens`;
  return {
    insert: (token, audited) =>
      write(async (client) => {
        const [row] = await queryAudited<TokenRow>(client, schema, {
          ...audited,
          text: `insert into ${table} as t (id, name, role, flows, hides_payloads, secret_hash, created_at, expires_at)
           values ($1, $2, $3, $4, $5::smallint, $6, now(), now() + $7::bigint * interval '1 ms') returning ${COLUMNS}`,
          parameters: [
            token.id,
            storableText(token.name),
            token.role,
            token.flows,
            token.hides_payloads,
            token.secret_hash,
            token.expiresInMs,
          ],
        });
        if (!row) throw new Error("An insert gives its row.");
        return row;
      }),
    list: () =>
      read(async (client) =>
        (await client.read<TokenRow>(`select ${COLUMNS} from ${table} t order by t.created_at, t.id`)).map(judged),
      ),
    read: (id) =>
      read(async (client) => {
        const [row] = await client.read<TokenRow>(`select ${COLUMNS} from ${table} t where t.id = $1`, [
          storableText(id),
        ]);
        return row && judged(row);
      }),
    isAny: () =>
      read(async (client) => (await client.read(`select from ${table} where revoked_at is null limit 1`)).length > 0),
    rotate: (id, { hash, graceMs }, audited) =>
      write(async (client) => {
        const [row] = await queryAudited<TokenRow>(client, schema, {
          ...audited,
          text: `update ${table} as t set
             old_hash = t.secret_hash, old_until = now() + $3::bigint * interval '1 ms', secret_hash = $2
           where t.id = $1 and t.revoked_at is null and (t.expires_at is null or t.expires_at > now())
           returning ${COLUMNS}`,
          parameters: [storableText(id), hash, graceMs],
        });
        return row && judged(row);
      }),
    // a second call changes nothing, and has no author
    revoke: (id, audited) =>
      write(async (client) => {
        const [row] = await queryAudited<TokenRow>(client, schema, {
          ...audited,
          text: `update ${table} as t set revoked_at = now() where t.id = $1 and t.revoked_at is null returning ${COLUMNS}`,
          parameters: [storableText(id)],
        });
        if (row) return judged(row);
        const [earlier] = await client.query<TokenRow>(`select ${COLUMNS} from ${table} t where t.id = $1`, [
          storableText(id),
        ]);
        return earlier && judged(earlier);
      }),
    noteUse: (id) =>
      write(async (client) => {
        await client.query(`update ${table} set last_used_at = now() where id = $1`, [id]);
      }),
  };
}
