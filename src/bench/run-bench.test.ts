import { afterAll, expect, test } from "bun:test";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BenchOptions, BenchReport } from "../core/api/bench.ts";
import type { BenchPlace } from "../store/baseline.ts";
import { openSqliteBenchPlace } from "../store/sqlite/bench-place.ts";
import { rejection } from "../../test/support/rejection.ts";
import { runBench } from "./run-bench.ts";

const folder = await mkdtemp(join(tmpdir(), "taskonaut-bench-test-"));
afterAll(() => rm(folder, { recursive: true }));

test("a run compares engine and baseline, tells where and how, and leaves nothing", async () => {
  const said: string[] = [];
  const report = await run({ rounds: 2, onProgress: (what) => said.push(what) });
  expect(report).toMatchObject({ tasks: 100, rounds: 2, concurrency: 10, counted_tasks: 100 });
  expect(report.durability).toMatchObject({ journal_mode: "wal", synchronous: "full" });
  expect(report.machine).toMatchObject({ bun: Bun.version });
  expect(report.rates.map(({ name }) => name)).toEqual(["create", "drain", "drain_at_least_once"]);
  for (const { engine, baseline, ratio, ...perTask } of report.rates) {
    for (const { median, min, max } of [engine, baseline, ratio]) {
      expect(min).toBeGreaterThan(0);
      expect(median).toBeWithin(min, max + 1);
    }
    expect(perTask.longest_stall_ms).toBeGreaterThanOrEqual(0);
    expect(perTask.commits_per_task).toBeGreaterThan(0);
    expect(perTask.log_bytes_per_task).toBeGreaterThan(0);
    expect(perTask.baseline_log_bytes_per_task).toBeGreaterThan(0);
  }
  expect(report.latency.p50_ms).toBeLessThanOrEqual(report.latency.p99_ms);
  expect(report.latency.longest_stall_ms).toBeGreaterThanOrEqual(0);
  expect(report.latency.commit_p50_ms).toBeGreaterThan(0);
  expect(report.data_bytes_per_task).toBeGreaterThan(0);
  expect(report.peak_rss_bytes).toBeGreaterThan(10_000_000);
  expect(said[0]).toContain(folder);
  expect(await readdir(folder)).toEqual([]);
});

test("a run that is stopped says so, and leaves nothing", async () => {
  const leave = new AbortController();
  const stopped = run({ signal: leave.signal, onProgress: (what) => what.startsWith("Round") && leave.abort() });
  expect(await rejection(stopped)).toMatchObject({ code: "cancelled" });
  expect(await readdir(folder)).toEqual([]);
});

test("a signal that comes while the worker drains ends the run", async () => {
  const leave = new AbortController();
  const leaving = (place: BenchPlace): BenchPlace =>
    Object.assign(place, { openStore: leavesOnRegistration(place.openStore.bind(place), leave) });
  expect(await rejection(run({ signal: leave.signal }, { change: leaving }))).toMatchObject({ code: "cancelled" });
  expect(await readdir(folder)).toEqual([]);
});

test("a run in which tasks are missing in the end is no measurement, and leaves nothing", async () => {
  const lossy = (place: BenchPlace): BenchPlace => Object.assign(place, { countEnded: async () => 99 });
  expect((await rejection(run({}, { change: lossy }))).message).toContain("99 of 100 tasks are COMPLETED");
  expect(await readdir(folder)).toEqual([]);
});

function leavesOnRegistration(open: BenchPlace["openStore"], leave: AbortController): BenchPlace["openStore"] {
  return async () => {
    const store = await open();
    return {
      ...store,
      registerWorker: (worker) => {
        leave.abort();
        return store.registerWorker(worker);
      },
    };
  };
}

async function run(
  options: Partial<BenchOptions>,
  { change = (place: BenchPlace) => place } = {},
): Promise<BenchReport> {
  const place = change(await openSqliteBenchPlace({ path: join(folder, "tasks.db") }));
  return runBench(place, undefined, {
    tasks: 100,
    concurrency: 10,
    rounds: 1,
    signal: new AbortController().signal,
    onProgress: () => {},
    ...options,
  });
}
