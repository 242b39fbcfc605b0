// What every store must hold to of tokens. Their times are the store's.

import { describe, expect, test } from "bun:test";

import type { Place } from "./place.ts";
import { taskBench } from "./task-bench.ts";

const HASH = "a".repeat(64);
const OTHER = "b".repeat(64);

export function tokensContract(dialect: string, create: () => Promise<Place>): void {
  describe(`${dialect}: tokens`, () => {
    const bench = taskBench(create);

    const insert = (id: string, expiresInMs: number | null = null) =>
      bench.store.tokens.insert({
        id,
        name: `name of ${id}`,
        role: "operator",
        flows: '["order"]',
        hides_payloads: 0,
        secret_hash: HASH,
        expiresInMs,
      });

    test("one that was inserted is read as it was given, with the store's time", async () => {
      const before = await bench.store.now();
      const row = await insert("one", 60_000);
      expect(await bench.store.tokens.read("one")).toEqual(row);
      expect(row).toMatchObject({
        id: "one",
        name: "name of one",
        role: "operator",
        flows: '["order"]',
        hides_payloads: 0,
        secret_hash: HASH,
        old_hash: null,
        old_until: null,
        revoked_at: null,
        last_used_at: null,
      });
      expect(row.created_at).toBeGreaterThanOrEqual(before);
      expect(row.expires_at).toBe(row.created_at + 60_000);
      expect(await bench.store.tokens.read("two")).toBeUndefined();
    });

    test("they are listed in the order in which they were made", async () => {
      for (const id of ["b", "a", "c"]) {
        const row = await insert(id);
        while ((await bench.store.now()) <= row.created_at) await Promise.resolve();
      }
      expect((await bench.store.tokens.list()).map(({ id }) => id)).toEqual(["b", "a", "c"]);
    });

    test("the door is shut as long as there is one that was not revoked", async () => {
      expect(await bench.store.tokens.isAny()).toBe(false);
      await insert("one", 0);
      expect(await bench.store.tokens.isAny()).toBe(true);
      await bench.store.tokens.revoke("one");
      expect(await bench.store.tokens.isAny()).toBe(false);
    });

    test("a rotation keeps the hash before, until its grace is over", async () => {
      await insert("one");
      const row = await bench.store.tokens.rotate("one", { hash: OTHER, graceMs: 60_000 });
      expect(row).toMatchObject({ secret_hash: OTHER, old_hash: HASH });
      expect(row?.old_until).toBeGreaterThan(await bench.store.now());
      expect(await bench.store.tokens.read("one")).toEqual(row);
    });

    test("what has expired, was revoked or is not there is not rotated", async () => {
      await insert("expired", 0);
      await insert("revoked");
      await bench.store.tokens.revoke("revoked");
      for (const id of ["expired", "revoked", "none"]) {
        expect(await bench.store.tokens.rotate(id, { hash: OTHER, graceMs: 0 })).toBeUndefined();
      }
      expect((await bench.store.tokens.list()).map(({ secret_hash }) => secret_hash)).toEqual([HASH, HASH]);
    });

    test("an id that no column takes is not there", async () => {
      await insert("one");
      for (const id of ["one\0", "\ud800"]) {
        expect(await bench.store.tokens.read(id)).toBeUndefined();
        expect(await bench.store.tokens.rotate(id, { hash: OTHER, graceMs: 0 })).toBeUndefined();
        expect(await bench.store.tokens.revoke(id)).toBeUndefined();
      }
    });

    test("a second revocation leaves the time of the first", async () => {
      await insert("one");
      const first = await bench.store.tokens.revoke("one");
      while ((await bench.store.now()) <= (first?.revoked_at ?? 0)) await Promise.resolve();
      expect(await bench.store.tokens.revoke("one")).toEqual(first);
      expect(await bench.store.tokens.revoke("none")).toBeUndefined();
    });

    test("its last use is noted", async () => {
      await insert("one");
      const before = await bench.store.now();
      await bench.store.tokens.noteUse("one");
      expect((await bench.store.tokens.read("one"))?.last_used_at).toBeGreaterThanOrEqual(before);
    });
  });
}
