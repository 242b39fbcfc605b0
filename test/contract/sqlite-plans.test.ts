// What the parts of the store ask of SQLite looks rows up, however many there are.

import { Database } from "bun:sqlite";
import { expect, spyOn, test } from "bun:test";

import { openStore } from "../../src/store/open.ts";
import { callsOfParts } from "./part-calls.ts";
import { SQLITE } from "./place.ts";

/** Tables that stay small, and relations that are no tables (`l` are the limits). */
const FEW_ROWS = /^SCAN (workers|pauses|l|tokens|schedule_sources|event_journal|sqlite_sequence|task_counts)$/;
const NO_TABLE = /^SCAN (CONSTANT ROW|\(subquery-\d+\)|flows|below|oldest|names|.+ VIRTUAL TABLE .+)$/;

/** The first entries, of which it takes so many; and what comes with other code of a flow. */
const MAY_SCAN = ["audit.findOld: SCAN audit_log", "schedules.declare: SCAN schedules"];

test("no statement of the parts of the store reads a whole table", async () => {
  const place = await SQLITE.migrated();
  const store = await openStore(place.address);
  const asked = new Map<string, string>();
  let now = "";
  const prepare: (this: Database, text: string) => unknown = Reflect.get(Database.prototype, "prepare");
  const spy = spyOn(Database.prototype, "prepare").mockImplementation(function (this: Database, text: string) {
    if (!asked.has(text)) asked.set(text, now);
    return prepare.call(this, text);
  } as never);
  try {
    const calls = Object.entries(callsOfParts());
    // entries of the audit log are there once others have made some
    const again = calls.filter(([what]) => what.startsWith("audit.list"));
    for (const [what, ask] of [...calls, ...again]) {
      now = what;
      await ask(store);
    }
  } finally {
    spy.mockRestore();
  }
  const database = new Database(place.address.path);
  const scans = new Set<string>();
  /** How entries of the audit log are looked for. */
  const searches = new Set<string>();
  for (const [text, what] of asked) {
    for (const { detail } of database.query<{ detail: string }, []>(`explain query plan ${text}`).all()) {
      if (what.startsWith("audit.list") && /^SEARCH audit_log .*rowid/.test(detail)) searches.add(detail);
      if (!detail.startsWith("SCAN") || FEW_ROWS.test(detail) || NO_TABLE.test(detail)) continue;
      scans.add(`${what}: ${detail}`);
    }
  }
  database.close();
  await store.close();
  await place.drop();
  expect(asked.size).toBeGreaterThan(50);
  expect([...scans]).toEqual(MAY_SCAN);
  // piece by piece: none is read again with the next; where a piece begins is found among so many numbers
  expect([...searches].toSorted()).toEqual([
    "SEARCH audit_log USING INTEGER PRIMARY KEY (rowid<?)",
    "SEARCH audit_log USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)",
  ]);
});
