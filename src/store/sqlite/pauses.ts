// The table `pauses`. It is small, and mostly empty.

import type { Judged } from "../../core/record/judged.ts";
import { storableText } from "../storable-text.ts";
import type { PauseRow, PauseStore, UnawareWorker } from "../pause-store.ts";
import { PAUSES } from "../tables.ts";
import { appendEntry } from "./audit.ts";
import type { SqliteConnection } from "./connection.ts";
import { judge } from "../wrong-column.ts";
import { columnList, insertRow, insertsInto } from "./statements.ts";

const SELECT = `select ${columnList(PAUSES, "pauses")} from pauses order by scope, name`;

const SEEN = "select pauses_seen as seen from workers where id = $workerId";

const PUT = insertsInto(
  PAUSES,
  `on conflict (scope, name) do update set ${PAUSES.names.map((name) => `${name} = excluded.${name}`).join(", ")}`,
);

const REMOVE = "delete from pauses where scope = $scope and name = $name";

const ACKNOWLEDGE = "update workers set pauses_seen = $seen where id = $workerId";

const UNAWARE = `
  select id, name, concurrency from workers where instr(pauses_seen, $pauseId) = 0 order by started_at, id`;

/** Within a transaction. */
export function selectPauses(connection: SqliteConnection): Judged<PauseRow>[] {
  const rows = connection.prepare<PauseRow>(SELECT).all();
  return rows.map((row) => judge(PAUSES, row));
}

export function pauseStore(connection: SqliteConnection, now: () => number): PauseStore {
  return {
    read: (workerId) =>
      connection.read(() => ({
        pauses: selectPauses(connection),
        seen: connection.prepare<{ seen: string }>(SEEN).get({ workerId })?.seen ?? null,
      })),
    put: (pause, audited) =>
      connection.write(() => {
        const row = {
          ...pause,
          reason: pause.reason === null ? null : storableText(pause.reason),
          made_by: storableText(pause.made_by),
          since: now(),
        };
        insertRow(connection, PUT, row);
        appendEntry(connection, audited?.audit, row.since);
        return row;
      }),
    remove: (scope, name, audited) =>
      connection.write(() => {
        if (connection.prepare(REMOVE).run({ scope, name }).changes === 0) return false;
        appendEntry(connection, audited?.audit, now());
        return true;
      }),
    acknowledge: async (workerId, seen) => {
      await connection.write(() => connection.prepare(ACKNOWLEDGE).run({ workerId, seen }));
    },
    findUnaware: (pauseId) => connection.read(() => connection.prepare<UnawareWorker>(UNAWARE).all({ pauseId })),
  };
}
