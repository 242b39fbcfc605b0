// 10,000 schedules: what a look at those that are due costs beside ten, and how late firings are while a worker drains a
// long queue.

import { DEFAULT_LIMITS } from "../../src/core/limits.ts";
import { SILENT } from "../../src/core/log.ts";
import { createEngine } from "../../src/engine/engine.ts";
import type { Engine } from "../../src/engine/engine-options.ts";
import { systemClock } from "../../src/engine/process/system-clock.ts";
import { echoAdd } from "../../src/flows/echo-add.ts";
import type { Store } from "../../src/store/store.ts";
import { scheduleRow } from "../contract/rows.ts";
import { DATABASES } from "../support/databases.ts";
import type { Bench, Row } from "./bench.ts";
import { median, milliseconds, percentile, ratio, timed } from "./figures.ts";

const FEW = 10;
const MANY = 10_000;
const LOOKS = 200;
/** Of those that fire while the queue is drained. */
const FIRINGS = 1_000;
const DRAIN_MS = 10_000;
/** More than are drained in that time. */
const BACKLOG = 60_000;
const HOUR_MS = 3_600_000;
const INPUT = { text: "hello", a: 1, b: 2 };

export const schedules: Bench = {
  name: "schedules",
  title: `${MANY} schedules: a look at what is due, and how late ${FIRINGS} firings are that come while a queue is drained`,
  async run() {
    const rows: Row[] = [];
    for (const [name, create] of DATABASES) {
      const database = await create();
      const store = await database.openStore();
      await insert(store, 0, FEW);
      const few = await lookTime(store);
      await insert(store, FEW, MANY);
      const many = await lookTime(store);
      const late = await latenessUnderDrain(store);
      rows.push(
        { store: name, what: `a look, of ${FEW}`, p50: milliseconds(few), ratio: "1.0×", target: "" },
        { store: name, what: `a look, of ${MANY}`, p50: milliseconds(many), ratio: ratio(many, few), target: "≤ 1.5×" },
        { store: name, what: "late, p50", p50: milliseconds(median(late)), ratio: "", target: "" },
        { store: name, what: "late, p99", p50: milliseconds(percentile(late, 99)), ratio: "", target: "≤ 1 s" },
        { store: name, what: "late, at most", p50: milliseconds(Math.max(...late)), ratio: "", target: "≤ 1 s" },
      );
      await database.drop();
    }
    return rows;
  },
};

/** None of them is due. */
async function insert(store: Store, from: number, until: number): Promise<void> {
  const at = (await store.now()) + HOUR_MS;
  for (let index = from; index < until; index++) {
    const next = at + index;
    const input = JSON.stringify(INPUT);
    await store.schedules.insert(
      scheduleRow({ name: `s${index}`, every_ms: HOUR_MS, overlap: "all", input, nominal_at: next, next_at: next }),
    );
  }
}

async function lookTime(store: Store): Promise<number> {
  const times: number[] = [];
  for (let look = 0; look < LOOKS; look++) {
    times.push(await timed(() => store.schedules.readDue([{ name: echoAdd.name, code: "built-in" }])));
  }
  return median(times);
}

/** By how much the tasks of schedules were made after their times. Closes the store. */
async function latenessUnderDrain(store: Store): Promise<readonly number[]> {
  const engine = engineOn(store);
  for (let made = 0; made < BACKLOG; made += 500) {
    await Promise.all(
      Array.from({ length: 500 }, () => engine.createTask({ flow: echoAdd.name, input: INPUT, start: "now" })),
    );
  }
  const begin = (await store.now()) + 1000;
  for (let index = 0; index < FIRINGS; index++) {
    const row = await store.schedules.read(`s${index}`);
    const at = begin + Math.floor((index * DRAIN_MS) / FIRINGS);
    if (row)
      await store.schedules.fire([{ row: { ...row, version: 2, nominal_at: at, next_at: at }, tasks: [], skips: [] }]);
  }
  await engine.startWorker({ concurrency: 100 });
  const late: number[] = [];
  const seen = new Set<string>();
  const giveUpAt = performance.now() + 6 * DRAIN_MS;
  while (seen.size < FIRINGS && performance.now() < giveUpAt) {
    await Bun.sleep(250);
    for (let index = 0; index < FIRINGS; index++) {
      const name = `s${index}`;
      if (seen.has(name)) continue;
      const row = await store.schedules.read(name);
      if (!row || row.last_task_id === null || row.fired_at === null) continue;
      // its row was written by the store's clock, in the commit that made the task
      seen.add(name);
      late.push(row.updated_at - row.fired_at);
    }
  }
  await engine.close();
  return late;
}

function engineOn(store: Store): Engine {
  return createEngine({
    store,
    flows: [echoAdd],
    clock: systemClock,
    log: SILENT,
    limits: DEFAULT_LIMITS,
    newId: () => Bun.randomUUIDv7(),
    workerName: "bench",
  });
}
