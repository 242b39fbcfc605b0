// The benchmark: rounds in which engine and baseline take turns, then single tasks on an idle worker.
//
// M1. Compared figures are from the same run. A ratio is from one round.
// M2. Each pass starts from empty tables. They are analyzed when they are full, as the database itself does after a
//     while, so query plans are those of a database in use. Only the database vacuums or checkpoints them.
// M3. The user's data is not touched, and nothing remains, however the run ends (unless the process is killed).

import type { BenchOptions, BenchReport } from "../core/api/bench.ts";
import { TaskonautError } from "../core/errors.ts";
import type { StartHeartbeat } from "../core/heartbeat.ts";
import { type BenchPlace, BASELINE_BATCH } from "../store/baseline.ts";
import { type Bench, CREATES_IN_FLIGHT } from "./engine-run.ts";
import { measureLatency } from "./latency.ts";
import { describeMachine } from "./machine.ts";
import { toRates } from "./rates.ts";
import { measureRound, type Round } from "./round.ts";

/** For the first round, which warms up and counts bytes. */
const COUNTED_TASKS_MAX = 2000;

/**
 * Without `startHeartbeat` the event loop renews the worker's lease. Removes `place` at the end. Throws `cancelled` if
 * the signal ended it, and the errors of the store.
 */
export async function runBench(
  place: BenchPlace,
  startHeartbeat: StartHeartbeat | undefined,
  options: BenchOptions,
): Promise<BenchReport> {
  const { concurrency, signal } = options;
  try {
    return await measure({ place, startHeartbeat, concurrency, signal }, options);
  } catch (error) {
    if (!signal.aborted) throw error;
    throw new TaskonautError("cancelled", "The benchmark was stopped, and everything that it had made was removed.");
  } finally {
    await place.remove();
  }
}

async function measure(bench: Bench, { tasks, rounds, onProgress }: BenchOptions): Promise<BenchReport> {
  const { place, concurrency } = bench;
  const countedTasks = Math.min(tasks, COUNTED_TASKS_MAX);
  onProgress(`Measuring in ${place.location}`);
  const counted = await measureRound(bench, { tasks: countedTasks, countsBytes: true, baselineFirst: true });
  const measured: Round[] = [];
  for (let round = 1; round <= rounds; round++) {
    onProgress(
      `Round ${round} of ${rounds}: ${tasks} tasks by hand-written SQL, by the engine, with at-least-once tools`,
    );
    measured.push(await measureRound(bench, { tasks, countsBytes: false, baselineFirst: round % 2 === 1 }));
  }
  onProgress("Tasks one at a time");
  const latency = await measureLatency(bench);
  return {
    location: place.location,
    durability: await place.readDurability(),
    machine: describeMachine(),
    tasks,
    rounds,
    concurrency,
    creates_in_flight: CREATES_IN_FLIGHT,
    baseline_batch: BASELINE_BATCH,
    rates: toRates(counted, measured),
    latency,
    counted_tasks: countedTasks,
    data_bytes_per_task: counted.engine.create.bytesPerTask.data + counted.engine.drain.bytesPerTask.data,
    // maxRSS is in kilobytes
    peak_rss_bytes: process.resourceUsage().maxRSS * 1024,
  };
}
