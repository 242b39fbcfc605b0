// A long log is looked through without keeping the process from anything else.

import { expect, test } from "bun:test";

import { Acting } from "../../acting.ts";
import { type AuditRow, canonicalEntry } from "../../core/record/audit.ts";
import type { AuditStore } from "../../store/audit-store.ts";
import { AuditDoor } from "./audit.ts";

const ROWS = 2_000;

/** Hashes that are computed between two turns of the event loop at most: about 25 ms. */
const HASHES_MAX = 2_000;

test.each([0, ROWS])("a look at entries, %d of which were changed, gives the event loop its turns", async (changed) => {
  const rows: AuditRow[] = [];
  let hash = "";
  for (let seq = 1; seq <= ROWS; seq++) {
    const row = { ...ENTRY, seq, at: seq, previous_hash: hash };
    hash = new Bun.CryptoHasher("sha256").update(canonicalEntry(row)).digest("hex");
    rows.push({ ...row, hash, ...(seq <= changed && { reason: "another" }) });
  }
  let hashes = 0;
  let most = 0;
  // each hash reads it once
  for (const row of rows) {
    const { action } = row;
    Object.defineProperty(row, "action", {
      enumerable: true,
      get: () => {
        hashes += 1;
        most = Math.max(most, hashes);
        return action;
      },
    });
  }
  const store: AuditStore = {
    list: () => Promise.resolve([]),
    walk: (after, limit) => Promise.resolve(rows.slice(after, after + limit)),
    head: () => Promise.resolve({ seq: ROWS, hash }),
    findOld: () => Promise.resolve(undefined),
    removeOld: () => Promise.resolve(0),
  };
  const door = new AuditDoor(
    store,
    new Acting(),
    () => {
      hashes = 0;
      return Promise.resolve();
    },
    "memory",
  );
  const verdict = await door.verify();
  expect(verdict).toMatchObject({ intact: changed === 0, entries: ROWS });
  expect(most).toBeLessThan(HASHES_MAX);
});

const ENTRY = {
  who: "me",
  token_id: null,
  role: "admin",
  way: "cli",
  action: "cancel-task",
  target_kind: "task",
  target: "t",
  reason: null,
  request_id: null,
  address: null,
  state_before: null,
  state_after: null,
} as const;
