// The table `audit_log`. One process writes to the file at a time, so the chain needs no other lock (AU2).

import { type AuditDraft, type AuditRow, canonicalEntry } from "../../core/record/audit.ts";
import type { AuditHead, AuditMatch, AuditStore } from "../audit-store.ts";
import { storableText } from "../storable-text.ts";
import { AUDIT_LOG } from "../tables.ts";
import type { SqliteConnection } from "./connection.ts";
import { columnList, insertRow, insertsInto } from "./statements.ts";

const INSERTS = insertsInto(AUDIT_LOG);

const COLUMNS = columnList(AUDIT_LOG, "audit_log");

const HEAD = "select seq, hash from audit_head where id = 1";

const MOVE_HEAD = "update audit_head set seq = $seq, hash = $hash where id = 1";

const MATCHES = `
  ($who is null or who = $who) and ($action is null or action = $action) and ($way is null or way = $way)
  and ($since is null or at >= $since) and ($until is null or at < $until)
  and ($before is null or seq < $before)`;

const LIST = `select ${COLUMNS} from audit_log where ${MATCHES} order by seq desc limit $limit`;

const LIST_OF_TARGET = `
  select ${COLUMNS} from audit_log indexed by audit_log_of_target
  where target = $target and ${MATCHES} order by seq desc limit $limit`;

const WALK = `select ${COLUMNS} from audit_log where seq > $after order by seq limit $limit`;

/** AU1. Within a transaction. */
export function appendEntry(connection: SqliteConnection, draft: AuditDraft | undefined, now: number): void {
  if (!draft) return;
  const head = readHead(connection);
  const entry = {
    ...draft,
    who: storableText(draft.who),
    target: storableText(draft.target),
    reason: draft.reason === null ? null : storableText(draft.reason),
    seq: head.seq + 1,
    at: now,
    previous_hash: head.hash,
  };
  const hash = new Bun.CryptoHasher("sha256").update(canonicalEntry(entry)).digest("hex");
  insertRow(connection, INSERTS, { ...entry, hash });
  connection.prepare(MOVE_HEAD).run({ seq: entry.seq, hash });
}

function readHead(connection: SqliteConnection): AuditHead {
  const head = connection.prepare<AuditHead>(HEAD).get({});
  if (!head) throw new Error("The audit log has no head: the table audit_head was emptied.");
  return head;
}

export function auditStore(connection: SqliteConnection): AuditStore {
  return {
    list: (match: AuditMatch, page) =>
      connection.read(() => {
        const { target, ...others } = match;
        if (target === null) return connection.prepare<AuditRow>(LIST).all({ ...others, ...page });
        return connection.prepare<AuditRow>(LIST_OF_TARGET).all({ ...match, ...page });
      }),
    walk: (after, limit) => connection.read(() => connection.prepare<AuditRow>(WALK).all({ after, limit })),
    head: () => connection.read(() => readHead(connection)),
  };
}
