import { expect, test } from "bun:test";
import type { Told } from "../../core/api/events.ts";
import { Ear } from "./event-ear.ts";

const quiet = (id: string): Told => ({ kind: "quiet", id });
const batchOf = (count: number, id: string): Told[] => Array.from({ length: count }, () => quiet(id));

test("batches are taken in their order, and who waits is woken by the next one", async () => {
  const ear = new Ear();
  ear.tell([quiet("1")], { round: 0 });
  ear.tell([quiet("2")], { round: 1 });
  expect([await ear.next(), await ear.next()]).toEqual([[quiet("1")], [quiet("2")]]);
  const waiting = ear.next();
  ear.tell([quiet("3")], { round: 2 });
  expect(await waiting).toEqual([quiet("3")]);
});

test("what was told to all before he joined is not told to him again", async () => {
  const ear = new Ear();
  ear.tell([quiet("first")], { round: 7 });
  ear.tell([quiet("had already")], { round: 7 });
  ear.tell([quiet("next")], { round: 8 });
  expect([await ear.next(), await ear.next()]).toEqual([[quiet("first")], [quiet("next")]]);
});

test("what piles up beyond its bound gives way to one resync, after which he hears on", async () => {
  const ear = new Ear();
  ear.tell([quiet("ready")], { round: 0 });
  await ear.next();
  for (let round = 1; round <= 50; round++) ear.tell(batchOf(100, `${round}`), { round });
  expect(await ear.next()).toEqual([{ kind: "resync", id: "41", reason: "the listener was too slow" }]);
  for (let round = 42; round <= 50; round++) expect((await ear.next())?.at(-1)?.id).toBe(`${round}`);
});

test("who waits when it ends is given nothing more", async () => {
  const ear = new Ear();
  const waiting = ear.next();
  ear.end();
  expect(await waiting).toBeUndefined();
  ear.tell([quiet("1")], { round: 1 });
  expect(await ear.next()).toBeUndefined();
});
