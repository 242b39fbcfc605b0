import type { Judged } from "../../core/record/judged.ts";
import type { TokenRow, TokenStore } from "../token-store.ts";
import { TOKENS } from "../tables.ts";
import { appendEntry } from "./audit.ts";
import type { SqliteConnection } from "./connection.ts";
import { judge } from "../wrong-column.ts";
import { columnList, insertRow, insertsInto } from "./statements.ts";

const INSERTS = insertsInto(TOKENS);

const COLUMNS = columnList(TOKENS, "tokens");

const LIST = `select ${COLUMNS} from tokens order by created_at, id`;

const READ = `select ${COLUMNS} from tokens where id = $id`;

const IS_ANY = "select 1 from tokens where revoked_at is null limit 1";

const ROTATE = `
  update tokens set old_hash = secret_hash, old_until = $now + $graceMs, secret_hash = $hash
  where id = $id and revoked_at is null and (expires_at is null or expires_at > $now)
  returning ${COLUMNS}`;

/** A second call changes nothing, and has no author. */
const REVOKE = "update tokens set revoked_at = $now where id = $id and revoked_at is null";

const NOTE_USE = "update tokens set last_used_at = $now where id = $id";

const judged = (row: TokenRow): Judged<TokenRow> => judge(TOKENS, row);

const judgedIf = (row: TokenRow | null): Judged<TokenRow> | undefined => (row ? judged(row) : undefined);

export function tokenStore(connection: SqliteConnection, now: () => number): TokenStore {
  return {
    insert({ expiresInMs, ...token }, audited) {
      const created_at = now();
      const row: TokenRow = {
        ...token,
        old_hash: null,
        old_until: null,
        created_at,
        expires_at: expiresInMs === null ? null : created_at + expiresInMs,
        revoked_at: null,
        last_used_at: null,
      };
      return connection.write(() => {
        insertRow(connection, INSERTS, row);
        appendEntry(connection, audited?.audit, created_at);
        return row;
      });
    },
    list: () => connection.read(() => connection.prepare<TokenRow>(LIST).all({}).map(judged)),
    read: (id) => connection.read(() => judgedIf(connection.prepare<TokenRow>(READ).get({ id }))),
    isAny: () => connection.read(() => connection.prepare(IS_ANY).get({}) !== null),
    rotate: (id, change, audited) =>
      connection.write(() => {
        const at = now();
        const row = judgedIf(connection.prepare<TokenRow>(ROTATE).get({ id, ...change, now: at }));
        if (row) appendEntry(connection, audited?.audit, at);
        return row;
      }),
    revoke: (id, audited) =>
      connection.write(() => {
        const at = now();
        if (connection.prepare(REVOKE).run({ id, now: at }).changes > 0) appendEntry(connection, audited?.audit, at);
        return judgedIf(connection.prepare<TokenRow>(READ).get({ id }));
      }),
    async noteUse(id) {
      await connection.write(() => connection.prepare(NOTE_USE).run({ id, now: now() }));
    },
  };
}
