// The counts of a process, and when it writes them into the store.

import { expect, test } from "bun:test";
import { changeOf, inStatus, plannedRecord } from "../../test/contract/rows.ts";
import type { FlowMinute } from "../store/counter-store.ts";
import { openSqliteStore } from "../store/sqlite/store.ts";
import type { Store } from "../store/store.ts";
import { CounterWriter } from "./counter-writer.ts";
import { observedStore } from "./observed-store.ts";

const MINUTE = 60_000;
/** The store's time. The process's clock is ten minutes slow. */
const T = 1_700_000_040_000;
const SLOW = 600_000;

interface Bench extends AsyncDisposable {
  readonly writer: CounterWriter;
  /** Changes through this store are counted. */
  readonly store: Store;
  readonly plain: Store;
  readonly written: (readonly FlowMinute[])[];
  /** Fails after the write. */
  fails: boolean;
  pass(ms: number): void;
  /** The time to write has come. Returns whether there was anything to write. */
  tick(): Promise<boolean>;
}

async function bench(): Promise<Bench> {
  let now = T;
  const plain = await openSqliteStore({ path: ":memory:", now: () => now });
  let due: (() => void) | undefined;
  const written: (readonly FlowMinute[])[] = [];
  let done = Promise.withResolvers<void>();
  const counters: Store["counters"] = {
    ...plain.counters,
    async write(by, minutes) {
      written.push(minutes);
      const told = await plain.counters.write(by, minutes);
      if (it.fails) throw new Error("the connection is gone");
      return told;
    },
  };
  const writer = new CounterWriter({
    store: { counters },
    writer: "w",
    now: () => now - SLOW,
    later(call) {
      due = call;
      return { stop: () => (due = undefined) };
    },
  });
  const it: Bench = {
    writer,
    plain,
    store: observedStore(plain, [writer]),
    written,
    fails: false,
    pass: (ms) => (now += ms),
    async tick() {
      if (!due) return false;
      const call = due;
      due = undefined;
      done = Promise.withResolvers<void>();
      call();
      setImmediate(() => setImmediate(done.resolve));
      await done.promise;
      return true;
    },
    async [Symbol.asyncDispose]() {
      await plain.close();
    },
  };
  return it;
}

const countsOf = async ({ plain }: Bench): Promise<readonly number[][]> =>
  (await plain.counters.read({ from: 0, until: 9e12, stepMs: MINUTE, flow: null })).map(
    ({ at, created, completed, failed, cancelled }) => [(at - T) / MINUTE, created, completed, failed, cancelled],
  );

test("what is durable is counted in the minute of the store's clock, and where nothing happens nothing is written", async () => {
  await using it = await bench();
  expect(await it.tick()).toBe(false);
  const record = plannedRecord();
  await it.store.insertTasks([record, plannedRecord()]);
  await it.store.insertTasks([record]);
  expect(await countsOf(it)).toEqual([]);
  expect(await it.tick()).toBe(true);
  expect(await countsOf(it)).toEqual([[0, 2, 0, 0, 0]]);
  it.pass(MINUTE);
  const ended = changeOf(record.task, inStatus("CANCELLED"));
  await it.store.commitChanges([ended]);
  await it.store.commitChanges([ended]); // this write has lost its fence
  expect(await it.tick()).toBe(true);
  expect(await countsOf(it)).toEqual([
    [0, 2, 0, 0, 0],
    [1, 0, 0, 0, 1],
  ]);
  expect([await it.tick(), it.written.length]).toEqual([false, 2]);
});

test("a write whose outcome nobody knows is made again, and counts once", async () => {
  await using it = await bench();
  await it.store.insertTasks([plannedRecord()]);
  await it.tick(); // from now on it knows the store's time
  it.fails = true;
  await it.store.insertTasks([plannedRecord()]);
  await it.tick();
  await it.store.insertTasks([plannedRecord()]);
  await it.tick();
  it.fails = false;
  await it.tick();
  expect(it.written).toHaveLength(4);
  expect(await countsOf(it)).toEqual([[0, 3, 0, 0, 0]]);
});

test("what was counted before the store told its time is written once, whatever comes of that", async () => {
  await using it = await bench();
  it.fails = true;
  await it.store.insertTasks([plannedRecord()]);
  await it.tick();
  it.fails = false;
  await it.tick();
  expect(it.written).toHaveLength(1);
  expect(await countsOf(it)).toEqual([[0, 1, 0, 0, 0]]);
});

test("delays of claims are counted, but those of tasks that were taken over are not", async () => {
  await using it = await bench();
  const { task, ...rest } = plannedRecord({ due_at: T - 3_000 });
  const claimed = { record: { task, ...rest }, takenFrom: null };
  it.writer.noteClaim({ tasks: [claimed, { ...claimed, takenFrom: "dead" }], now: T });
  await it.tick();
  const [step] = await it.plain.counters.read({ from: 0, until: 9e12, stepMs: MINUTE, flow: null });
  expect(step?.delays.map((count, place) => [place, count]).filter(([, count]) => count)).toEqual([[11, 1]]);
});

test("who closes writes what is left", async () => {
  await using it = await bench();
  await it.store.insertTasks([plannedRecord()]);
  await it.writer.close();
  expect(await countsOf(it)).toEqual([[0, 1, 0, 0, 0]]);
});
