// What every store must hold to of sessions. Their times are the store's.

import { afterEach, beforeEach, describe, expect, test } from "bun:test";

import { openStore } from "../../src/store/open.ts";
import type { Store } from "../../src/store/store.ts";
import { draftOf } from "./audit-rows.ts";
import { migrate, type Place } from "./place.ts";

const HOUR_MS = 3_600_000;
const HASH = "a".repeat(64);

export function sessionsContract(dialect: string, create: () => Promise<Place>): void {
  describe(`${dialect}: sessions`, () => {
    let place: Place;
    let store: Store;

    beforeEach(async () => {
      place = await create();
      await migrate(place.address);
      store = await openStore(place.address);
    });

    afterEach(async () => {
      await store.close();
      await place.drop();
    });

    const insert = (hash: string, token_id: string | null = null, idleMs = HOUR_MS): Promise<void> =>
      store.sessions.insert(
        { hash, token_id, secret_hash: token_id === null ? null : HASH },
        { idleMs, audit: draftOf(hash, { action: "log in", target_kind: "session" }) },
      );

    test("one that was inserted is read as it was given, with the store's time and its entry", async () => {
      const before = await store.now();
      await insert("one");
      const row = await store.sessions.read("one");
      expect(row).toMatchObject({ hash: "one", token_id: null, secret_hash: null });
      expect(row?.created_at).toBeGreaterThanOrEqual(before);
      expect(row?.used_at).toBe(row?.created_at as number);
      expect(await store.sessions.read("two")).toBeUndefined();
      expect(await store.audit.walk(0, 10)).toMatchObject([{ seq: 1, action: "log in", target: "one" }]);
    });

    test("a use is noted", async () => {
      await insert("one");
      const before = await store.sessions.read("one");
      while ((await store.now()) <= (before?.used_at ?? 0)) await Promise.resolve();
      await store.sessions.noteUse("one");
      const after = await store.sessions.read("one");
      expect(after?.used_at).toBeGreaterThan(before?.used_at ?? 0);
      expect(after?.created_at).toBe(before?.created_at as number);
    });

    test("it is removed once, with its entry", async () => {
      await insert("one");
      const audit = draftOf("one", { action: "log out", target_kind: "session" });
      expect(await store.sessions.remove("one", { audit })).toBe(true);
      expect(await store.sessions.remove("one", { audit })).toBe(false);
      expect(await store.sessions.read("one")).toBeUndefined();
      expect((await store.audit.walk(0, 10)).map(({ action }) => action)).toEqual(["log in", "log out"]);
    });

    test("with a new one those go that were not used for long, and no others", async () => {
      await insert("old");
      const { used_at = 0 } = (await store.sessions.read("old")) ?? {};
      while ((await store.now()) <= used_at) await Promise.resolve();
      await insert("new");
      expect(await store.sessions.read("old")).toBeDefined();
      await insert("newer", null, 0);
      expect(await store.sessions.read("old")).toBeUndefined();
    });
  });
}
