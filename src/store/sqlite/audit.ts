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
import { headDamaged, soundHead } from "../record-damaged.ts";
import { AUDIT_LOG } from "../tables.ts";
import type { SqliteConnection } from "./connection.ts";
import { judge } from "../wrong-column.ts";
import { columnList, insertRow, insertsInto } from "./statements.ts";

const INSERTS = insertsInto(AUDIT_LOG, "on conflict (seq) do nothing");

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

/** Where the next entries to be read begin, whatever numbers are missing; null: there are none. */
const FROM = `
  select min(seq) as "from" from (select seq from audit_log where seq < $before order by seq desc limit ${LOOKED_AT})`;

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
  if (insertRow(connection, INSERTS, { ...entry, hash }) === 0) throw headDamaged(`sqlite:${connection.path}`);
  connection.prepare(MOVE_HEAD).run({ seq: entry.seq, hash });
}

function readHead(connection: SqliteConnection): AuditHead {
  const head = connection.prepare<AuditHead>(HEAD).get({});
  return soundHead(head, `sqlite:${connection.path}`);
}

/** Other work gets its turns, however many entries do not match. */
async function listAll(
  connection: SqliteConnection,
  { target: _any, ...match }: AuditMatch,
  { limit, before }: AuditPlace,
): Promise<AuditRow[]> {
  const found: AuditRow[] = [];
  for (let below = before ?? Number.POSITIVE_INFINITY; found.length < limit;) {
    const page = await connection.read(() => {
      const from = connection.prepare<{ from: number | null }>(FROM).get({ before: below })?.from ?? null;
      if (from === null) return undefined;
      const place = { from, before: below, limit: limit - found.length };
      return { from, rows: connection.prepare<AuditRow>(LIST).all({ ...match, ...place }) };
    });
    // a number that this runtime cannot tell exactly would be read again and again
    if (!page || page.from >= below) break;
    found.push(...page.rows);
    below = page.from;
    await turnOfLoop();
  }
  return found;
}

export function auditStore(connection: SqliteConnection, now: () => number): AuditStore {
  return {
    async list(given, page) {
      const match = { ...given, who: storableText(given.who), target: storableText(given.target) };
      const rows =
        match.target === null
          ? await listAll(connection, match, page)
          : await connection.read(() => connection.prepare<AuditRow>(LIST_OF_TARGET).all({ ...match, ...page }));
      return rows.map((row) => judge(AUDIT_LOG, row));
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
