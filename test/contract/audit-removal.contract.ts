// What every store must hold to where the oldest entries of the audit log go because a setting says so (AR1, AR2 of
// `audit-retention.ts`): what is left is one chain, and whoever alters it is found out.

import { turnOfLoop } from "../../src/turn-of-loop.ts";
import { describe, expect, test } from "bun:test";

import { Acting } from "../../src/acting.ts";
import type { AuditVerdict } from "../../src/core/api/audit.ts";
import { canonicalEntry } from "../../src/core/record/audit.ts";
import { SILENT } from "../../src/core/log.ts";
import { AuditDoor } from "../../src/engine/doors/audit.ts";
import { auditRetentionDuties } from "../../src/engine/queue/audit-retention.ts";
import { ageEntries } from "./audit-age.ts";
import { draftOf } from "./audit-rows.ts";
import type { Place } from "./place.ts";
import { taskBench } from "./task-bench.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

export function auditRemovalContract(dialect: string, create: () => Promise<Place>): void {
  describe(`${dialect}: entries of the audit log that are too old`, () => {
    const bench = taskBench(create);

    /** Entries of so many days ago, one after the other. */
    async function writeEntries(...days: readonly number[]): Promise<void> {
      for (const [index] of days.entries()) {
        const made = { scope: "tool", name: `tool ${index}`, id: crypto.randomUUID(), reason: null } as const;
        await bench.store.pauses.put({ ...made, made_by: "Ada", aborts: 0 }, { audit: draftOf(made.name) });
      }
      await ageEntries(bench.store, { place: bench.place, ages: days.map((each) => each * DAY_MS) });
    }

    /** What the duty of a worker comes to, when its time has come. */
    async function removeOld(keptDays: number): Promise<void> {
      let now = 0;
      const clock = { now: () => now, elapsed: () => now, sleep: async () => {} };
      const limits = { auditKeptMs: keptDays * DAY_MS };
      for (const duty of auditRetentionDuties({ store: bench.store, clock, log: SILENT, limits })) {
        now += HOUR_MS;
        await duty.do(new AbortController().signal);
      }
    }

    const verify = (): Promise<AuditVerdict> =>
      new AuditDoor(bench.store.audit, new Acting(), turnOfLoop, "here").verify();

    const seqs = async (): Promise<readonly number[]> => (await bench.store.audit.walk(0, 100)).map(({ seq }) => seq);

    test("they go, an entry tells so, and what is kept is verified", async () => {
      await writeEntries(40, 35, 33, 10, 1);
      await removeOld(30);
      expect(await seqs()).toEqual([4, 5, 6]);
      const [told] = await bench.store.audit.walk(5, 1);
      expect(told).toMatchObject({ action: "remove-entries", target_kind: "log", way: "worker", who: "retention" });
      const verdict = await verify();
      expect(verdict).toMatchObject({ intact: true, entries: 3, faults: [], removed: { through: 3, entry: 6 } });
      expect(Date.parse(verdict.removed?.until ?? "") % DAY_MS).toBe(0);
      // nothing else is old enough: no other entry is written, however often it is looked
      await removeOld(30);
      expect(await seqs()).toEqual([4, 5, 6]);
    });

    test("what has removed entries is removed later itself, and the last one tells of all", async () => {
      await writeEntries(40, 35, 10);
      await removeOld(30);
      await removeOld(5);
      expect(await seqs()).toEqual([4, 5]);
      expect(await verify()).toMatchObject({ intact: true, entries: 2, removed: { through: 3, entry: 5 } });
    });

    test("nothing goes that is younger, that comes after something younger, or where no setting says so", async () => {
      await writeEntries(29, 40, 1);
      await removeOld(30);
      expect(await seqs()).toEqual([1, 2, 3]);
      const { store } = bench;
      expect(
        auditRetentionDuties({ store, clock: store as never, log: SILENT, limits: { auditKeptMs: null } }),
      ).toEqual([]);
      expect(await verify()).toMatchObject({ intact: true, removed: null });
    });

    test("a worker that dies between two writes leaves a log that is verified, and another one goes on", async () => {
      await writeEntries(40, 39, 38, 1);
      const [, , last] = await bench.store.audit.walk(0, 3);
      const told = { through: 3, hash: last?.hash, until: Date.now(), kept_ms: 1 };
      const audit = draftOf("audit-log", {
        action: "remove-entries",
        target_kind: "log",
        way: "worker",
        state_after: JSON.stringify(told),
      });
      expect(await bench.store.audit.removeOld({ through: 1, audit })).toBe(1);
      expect(await verify()).toMatchObject({ intact: true, entries: 4, removed: { through: 1, entry: 5 } });
      await removeOld(30);
      expect(await seqs()).toEqual([4, 5]);
      expect(await verify()).toMatchObject({ intact: true, removed: { through: 3, entry: 5 } });
    });

    test.each([
      ["others are removed after them", "delete from audit_log where seq = 3", { kind: "removed", first: 3, last: 3 }],
      [
        "one that is kept is changed",
        "update audit_log set who = 'Eve' where seq = 4",
        { kind: "changed", first: 4, last: 4 },
      ],
      [
        "what tells of them is changed",
        "update audit_log set who = 'Eve' where seq = 6",
        { kind: "removed", first: 1, last: 2 },
      ],
      ["what tells of them is removed", "delete from audit_log where seq = 6", { kind: "removed", first: 1, last: 2 }],
    ])("it is found out where %s", async (_what, script, fault) => {
      await writeEntries(40, 35, 3, 2, 1);
      await removeOld(30);
      await bench.place.execute(script);
      const { intact, faults } = await verify();
      expect([intact, faults.map(({ kind, first, last }) => ({ kind, first, last }))[0]]).toEqual([
        false,
        fault as never,
      ]);
    });

    test("the first one that is kept is chained to the last one that went", async () => {
      await writeEntries(40, 35, 3, 2);
      await removeOld(30);
      const tell = 'replace(state_after, \'"hash":"\', \'"hash":"0\')';
      await bench.place.execute(`update audit_log set state_after = ${tell} where seq = 5`);
      // who writes the log anew has to write what tells of the removal anew as well, and the first entry with it
      await chainAnew();
      expect((await verify()).faults[0]).toMatchObject({ kind: "changed", first: 3, last: 3 });
    });

    /** Chains what is there anew, as somebody would who may write to the database. */
    async function chainAnew(): Promise<void> {
      const rows = await bench.store.audit.walk(0, 100);
      let before = rows[0]?.previous_hash ?? "";
      for (const row of rows) {
        const text = canonicalEntry({ ...row, previous_hash: before });
        const hash = new Bun.CryptoHasher("sha256").update(text).digest("hex");
        await bench.place.execute(
          `update audit_log set previous_hash = '${before}', hash = '${hash}' where seq = ${row.seq}`,
        );
        before = hash;
      }
      await bench.place.execute(`update audit_head set hash = '${before}' where id = 1`);
    }
  });
}
