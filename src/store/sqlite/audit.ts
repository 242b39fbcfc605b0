// The table `audit_log`. One process writes to the file at a time, so the chain needs no other lock (AU2).

import { type AuditDraft, type AuditRow, canonicalEntry } from "../../core/record/audit.ts";
import { turnOfLoop } from "../../turn-of-loop.ts";
import {
  type AuditHead,
  type AuditMatch,
  type AuditPlace,
  type AuditStore,
  OLD_MAX,
  REMOVED_AT_ONCE,
} from "../audit-store.ts";
import { storableText } from "../storable-text.ts";
import { noAuditHead } from "../record-damaged.ts";
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

/** How many entries are read in one go. */
const LOOKED_AT = 5_000;

const LIST = `
  select ${COLUMNS} from audit_log where seq >= $from and seq < $before and ${MATCHES} order by seq desc limit $limit`;

const LIST_OF_TARGET = `
  select ${COLUMNS} from audit_log indexed by audit_log_of_target
  where target = $target and ${MATCHES} order by seq desc limit $limit`;

const FIND_OLD = `
  with oldest as (select seq, at, hash from audit_log order by seq limit ${OLD_MAX})
  select seq, hash from oldest
  where seq < coalesce((select min(seq) from oldest where at >= $until), ${Number.MAX_SAFE_INTEGER})
  order by seq desc limit 1`;

const REMOVE_OLD = `
  delete from audit_log where seq in (
    select seq from audit_log where seq <= $through order by seq limit ${REMOVED_AT_ONCE}
  )`;

/** Each in its own subquery: one subquery for both reads the whole table. */
const ENDS = `
  select coalesce((select min(seq) from audit_log), 1) as first, coalesce((select max(seq) from audit_log), 0) as last`;

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
  if (!head) throw noAuditHead(`sqlite:${connection.path}`);
  return head;
}

/** Other work gets its turns, however many entries do not match. */
async function listAll(
  connection: SqliteConnection,
  { target: _any, ...match }: AuditMatch,
  { limit, before }: AuditPlace,
): Promise<AuditRow[]> {
  const found: AuditRow[] = [];
  const ends = connection.prepare<{ first: number; last: number }>(ENDS);
  const { first, last } = (await connection.read(() => ends.get({}))) ?? { first: 1, last: 0 };
  let below = before ?? last + 1;
  while (below > first && found.length < limit) {
    const place = { from: Math.max(first, below - LOOKED_AT), before: below, limit: limit - found.length };
    found.push(...(await connection.read(() => connection.prepare<AuditRow>(LIST).all({ ...match, ...place }))));
    below = place.from;
    await turnOfLoop();
  }
  return found;
}

export function auditStore(connection: SqliteConnection, now: () => number): AuditStore {
  return {
    list: (given, page) => {
      const match = { ...given, who: storableText(given.who), target: storableText(given.target) };
      return match.target === null
        ? listAll(connection, match, page)
        : connection.read(() => connection.prepare<AuditRow>(LIST_OF_TARGET).all({ ...match, ...page }));
    },
    walk: (after, limit) => connection.read(() => connection.prepare<AuditRow>(WALK).all({ after, limit })),
    head: () => connection.read(() => readHead(connection)),
    findOld: ({ keptMs, stepMs }) =>
      connection.read(() => {
        const until = Math.floor((now() - keptMs) / stepMs) * stepMs;
        const last = connection.prepare<AuditHead>(FIND_OLD).get({ until });
        return last ? { ...last, until } : undefined;
      }),
    removeOld: ({ through, audit }) =>
      connection.writeUnlinked(() => {
        const { changes } = connection.prepare(REMOVE_OLD).run({ through });
        if (changes > 0) appendEntry(connection, audit, now());
        return changes;
      }),
  };
}
