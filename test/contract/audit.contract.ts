// What every store must hold to of the audit log: AU1 and AU2 of `audit-store.ts`, and that whoever alters it is found out.

import { describe, expect, test } from "bun:test";
import { join } from "node:path";

import { turnOfLoop } from "../../src/turn-of-loop.ts";
import { Acting } from "../../src/acting.ts";
import type { AuditFault } from "../../src/core/api/audit.ts";
import { type AuditDraft, canonicalEntry } from "../../src/core/record/audit.ts";
import { AuditDoor } from "../../src/engine/doors/audit.ts";
import type { Store } from "../../src/store/store.ts";
import { draftOf } from "./audit-rows.ts";
import type { Place } from "./place.ts";
import { taskBench } from "./task-bench.ts";

const PROCESSES = 4;
const EACH = 25;

const CHILD = join(import.meta.dir, "audit-child.ts");

export function auditContract(dialect: string, create: () => Promise<Place>): void {
  describe(`${dialect}: audit log`, () => {
    const bench = taskBench(create);

    const write = (target: string, more?: Partial<AuditDraft>): Promise<unknown> =>
      bench.store.pauses.put(
        { scope: "tool", name: target, id: crypto.randomUUID(), reason: null, made_by: "Ada", aborts: 0 },
        { audit: draftOf(target, more) },
      );

    const faults = async (): Promise<readonly Pick<AuditFault, "kind" | "first" | "last">[]> =>
      (await new AuditDoor(bench.store.audit, new Acting(), turnOfLoop, "here").verify()).faults.map(
        ({ kind, first, last }) => ({
          kind,
          first,
          last,
        }),
      );

    test("an entry is read as it was given, whatever is in it, with its place and the store's time", async () => {
      const before = await bench.store.now();
      const odd = draftOf("täglich 7:5;", {
        who: "-;3:abc;",
        token_id: "",
        reason: 'a "quoted" \\ line\nand \u0001 ☃ 😀',
        state_before: '{"a":"\\u0000"}',
        request_id: "r",
        address: "::1",
      });
      await write("first");
      await write("second", odd);
      const [second, first] = await bench.store.audit.list(
        { who: null, action: null, target: null, way: null, since: null, until: null },
        { limit: 10, before: null },
      );
      expect(first).toMatchObject({ ...draftOf("first"), seq: 1, previous_hash: "" });
      expect(second).toMatchObject({ ...odd, seq: 2, previous_hash: first?.hash as string });
      expect(second?.at).toBeGreaterThanOrEqual(before);
      expect(await faults()).toEqual([]);
      expect(await bench.store.audit.head()).toEqual({ seq: 2, hash: second?.hash as string });
    });

    test("a write that comes to nothing has no entry", async () => {
      await bench.store.pauses.remove("tool", "nothing", { audit: draftOf("nothing") });
      await bench.store.tokens.revoke("nothing", { audit: draftOf("nothing") });
      await bench.store.schedules.remove("nothing", 1, { audit: draftOf("nothing") });
      await bench.store.limits.reset({ kind: "tool", name: "nothing" }, { audit: draftOf("nothing") });
      await bench.store.removal.removeTasks({ ids: [crypto.randomUUID()], audit: draftOf("nothing") });
      expect(await bench.store.audit.head()).toMatchObject({ seq: 0 });
    });

    test("filters let through what they say, the newest first, page by page", async () => {
      for (const [index, way] of (["cli", "http", "dashboard", "cli"] as const).entries()) {
        await write(`tool ${index}`, {
          way,
          who: index === 0 ? "Bob" : "Ada",
          action: index === 3 ? "unpause" : "pause",
        });
      }
      const none = { who: null, action: null, target: null, way: null, since: null, until: null };
      const list = async (
        match: Partial<Parameters<Store["audit"]["list"]>[0]>,
        limit = 10,
        before: number | null = null,
      ) => (await bench.store.audit.list({ ...none, ...match }, { limit, before })).map(({ seq }) => seq);
      expect(await list({})).toEqual([4, 3, 2, 1]);
      expect(await list({}, 2, 4)).toEqual([3, 2]);
      expect(await list({ who: "Ada" })).toEqual([4, 3, 2]);
      expect(await list({ action: "unpause" })).toEqual([4]);
      expect(await list({ way: "cli" })).toEqual([4, 1]);
      expect(await list({ target: "tool 1" })).toEqual([2]);
      expect(await list({ target: "tool 1", who: "Bob" })).toEqual([]);
      // no column takes such a text
      for (const odd of ["tool\0", "\ud800"]) {
        for (const field of ["who", "action", "target"]) expect(await list({ [field]: odd })).toEqual([]);
      }
      const now = await bench.store.now();
      expect(await list({ since: now + 60_000 })).toEqual([]);
      expect(await list({ since: now - 60_000, until: now + 60_000 })).toEqual([4, 3, 2, 1]);
      expect(await list({ until: now - 60_000 })).toEqual([]);
    });

    test.each([
      ["who", "update audit_log set who = 'Eve' where seq = 3"],
      ["what was there before", "update audit_log set state_before = '{}' where seq = 3"],
      ["that there was a reason", "update audit_log set reason = '' where seq = 3"],
      ["the hash", "update audit_log set hash = 'abc' where seq = 3"],
    ])("an entry in which %s was changed is named", async (_what, script) => {
      for (let index = 1; index <= 5; index++) await write(`tool ${index}`);
      expect(await faults()).toEqual([]);
      await bench.place.execute(script);
      expect(await faults()).toEqual([{ kind: "changed", first: 3, last: 3 }]);
    });

    test("entries that were removed are named, at the beginning, in between and at the end", async () => {
      for (let index = 1; index <= 7; index++) await write(`tool ${index}`);
      await bench.place.execute("delete from audit_log where seq = 1 or seq = 3 or seq = 4 or seq = 7");
      expect(await faults()).toEqual([
        { kind: "removed", first: 1, last: 1 },
        { kind: "removed", first: 3, last: 4 },
        { kind: "cut", first: 7, last: 7 },
      ]);
    });

    test("entries that changed places are named", async () => {
      for (let index = 1; index <= 5; index++) await write(`tool ${index}`);
      for (const [from, to] of [
        [2, 99],
        [4, 2],
        [99, 4],
      ]) {
        await bench.place.execute(`update audit_log set seq = ${to} where seq = ${from}`);
      }
      expect(await faults()).toEqual([
        { kind: "moved", first: 2, last: 2 },
        { kind: "moved", first: 4, last: 4 },
      ]);
    });

    test("an entry that was written anew with a hash of its own does not fit the next one", async () => {
      for (let index = 1; index <= 3; index++) await write(`tool ${index}`);
      const [, row] = await bench.store.audit.walk(0, 2);
      if (!row) throw new Error("There are three entries.");
      const text = canonicalEntry({ ...row, who: "Eve" });
      const hash = new Bun.CryptoHasher("sha256").update(text).digest("hex");
      await bench.place.execute(`update audit_log set who = 'Eve', hash = '${hash}' where seq = 2`);
      expect(await faults()).toEqual([{ kind: "changed", first: 2, last: 3 }]);
    });

    test("after entries were cut off from the end, what is written goes on from what there was", async () => {
      for (let index = 1; index <= 3; index++) await write(`tool ${index}`);
      await bench.place.execute("delete from audit_log where seq = 3");
      await write("tool 4");
      expect(await faults()).toEqual([{ kind: "removed", first: 3, last: 3 }]);
    });

    test("a process that is killed leaves what it did with its entry, or neither of them", async () => {
      for (let round = 1; round <= 5; round++) {
        const child = Bun.spawn([process.execPath, CHILD, JSON.stringify(bench.place.address), "1000", "killed"], {
          stdin: "pipe",
          stdout: "pipe",
          stderr: "inherit",
        });
        const told = child.stdout.getReader();
        await told.read();
        const { seq } = await bench.store.audit.head();
        await child.stdin.end();
        // somewhere in one of its writes
        while ((await bench.store.audit.head()).seq < seq + round) await Promise.resolve();
        child.kill("SIGKILL");
        await child.exited;
        // a server goes on with a statement that it has, also when the process is gone
        for (;;) {
          const { seq: before } = await bench.store.audit.head();
          const { pauses } = await bench.store.pauses.read(crypto.randomUUID());
          const [last] = await bench.store.audit.walk(before - 1, 1);
          if ((await bench.store.audit.head()).seq !== before) continue;
          expect(pauses.map(({ reason }) => reason)).toEqual([last?.reason as string]);
          break;
        }
      }
      expect(await faults()).toEqual([]);
    });

    test(`${PROCESSES} processes that write at once make one chain`, async () => {
      const children = Array.from({ length: PROCESSES }, (_, index) =>
        Bun.spawn([process.execPath, CHILD, JSON.stringify(bench.place.address), String(EACH), `process ${index}`], {
          stdin: "pipe",
          stdout: "pipe",
          stderr: "inherit",
        }),
      );
      // each has opened its store, so that they write beside each other
      await Promise.all(children.map(({ stdout }) => stdout.getReader().read()));
      for (const { stdin } of children) await stdin.end();
      expect(await Promise.all(children.map(({ exited }) => exited))).toEqual(children.map(() => 0));
      expect(await faults()).toEqual([]);
      expect(await bench.store.audit.head()).toMatchObject({ seq: PROCESSES * EACH });
    });
  });
}
