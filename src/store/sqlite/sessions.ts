import type { SessionRow, SessionStore } from "../session-store.ts";
import { SESSIONS } from "../tables.ts";
import { appendEntry } from "./audit.ts";
import type { SqliteConnection } from "./connection.ts";
import { columnList, insertRow, insertsInto } from "./statements.ts";

const INSERTS = insertsInto(SESSIONS);

const READ = `select ${columnList(SESSIONS, "sessions")} from sessions where hash = $hash`;

const NOTE_USE = "update sessions set used_at = $now where hash = $hash";

const REMOVE = "delete from sessions where hash = $hash";

const REMOVE_IDLE = "delete from sessions where used_at < $before";

export function sessionStore(connection: SqliteConnection, now: () => number): SessionStore {
  return {
    insert: (session, { idleMs, audit }) =>
      connection.write(() => {
        const at = now();
        connection.prepare(REMOVE_IDLE).run({ before: at - idleMs });
        insertRow(connection, INSERTS, { ...session, created_at: at, used_at: at });
        appendEntry(connection, audit, at);
      }),
    read: (hash) => connection.read(() => connection.prepare<SessionRow>(READ).get({ hash }) ?? undefined),
    async noteUse(hash) {
      await connection.write(() => connection.prepare(NOTE_USE).run({ hash, now: now() }));
    },
    remove: (hash, audited) =>
      connection.write(() => {
        if (connection.prepare(REMOVE).run({ hash }).changes === 0) return false;
        appendEntry(connection, audited?.audit, now());
        return true;
      }),
  };
}
