// What every store must hold to of sessions. Their times are the store's.

import { describe, expect, test } from "bun:test";

import { draftOf } from "./audit-rows.ts";
import type { Place } from "./place.ts";
import { taskBench } from "./task-bench.ts";

const HOUR_MS = 3_600_000;
const HASH = "a".repeat(64);

export function sessionsContract(dialect: string, create: () => Promise<Place>): void {
  describe(`${dialect}: sessions`, () => {
    const bench = taskBench(create);

    const insert = (hash: string, token_id: string | null = null, idleMs = HOUR_MS): Promise<void> =>
      bench.store.sessions.insert(
        { hash, token_id, secret_hash: token_id === null ? null : HASH },
        { idleMs, audit: draftOf(hash, { action: "log in", target_kind: "session" }) },
      );

    test("one that was inserted is read as it was given, with the store's time and its entry", async () => {
      const before = await bench.store.now();
      await insert("one");
      const row = await bench.store.sessions.read("one");
      expect(row).toMatchObject({ hash: "one", token_id: null, secret_hash: null });
      expect(row?.created_at).toBeGreaterThanOrEqual(before);
      expect(row?.used_at).toBe(row?.created_at as number);
      expect(await bench.store.sessions.read("two")).toBeUndefined();
      expect(await bench.store.audit.walk(0, 10)).toMatchObject([{ seq: 1, action: "log in", target: "one" }]);
    });

    test("a use is noted", async () => {
      await insert("one");
      const before = await bench.store.sessions.read("one");
      while ((await bench.store.now()) <= (before?.used_at ?? 0)) await Promise.resolve();
      await bench.store.sessions.noteUse("one");
      const after = await bench.store.sessions.read("one");
      expect(after?.used_at).toBeGreaterThan(before?.used_at ?? 0);
      expect(after?.created_at).toBe(before?.created_at as number);
    });

    test("it is removed once, with its entry", async () => {
      await insert("one");
      const audit = draftOf("one", { action: "log out", target_kind: "session" });
      expect(await bench.store.sessions.remove("one", { audit })).toBe(true);
      expect(await bench.store.sessions.remove("one", { audit })).toBe(false);
      expect(await bench.store.sessions.read("one")).toBeUndefined();
      expect((await bench.store.audit.walk(0, 10)).map(({ action }) => action)).toEqual(["log in", "log out"]);
    });

    test("with a new one those go that were not used for long, and no others", async () => {
      await insert("old");
      const { used_at = 0 } = (await bench.store.sessions.read("old")) ?? {};
      while ((await bench.store.now()) <= used_at) await Promise.resolve();
      await insert("new");
      expect(await bench.store.sessions.read("old")).toBeDefined();
      await insert("newer", null, 0);
      expect(await bench.store.sessions.read("old")).toBeUndefined();
    });
  });
}
