import type { BenchLatency } from "../core/api/bench.ts";
import type { BenchPlace } from "../store/baseline.ts";
import { type Bench, measureLatencies } from "./engine-run.ts";
import { percentile } from "./statistics.ts";

const SAMPLES = 300;
const SAMPLES_WARM_UP = 20;

/** Measures bare commits before and after the tasks, not between them: each would wake the worker of an SQLite file. */
export async function measureLatency(bench: Bench): Promise<BenchLatency> {
  await measureCommits(bench.place, SAMPLES_WARM_UP);
  const before = await measureCommits(bench.place, SAMPLES / 2);
  const measured = await measureLatencies(bench, SAMPLES_WARM_UP + SAMPLES);
  const latencies = measured.latencies.slice(SAMPLES_WARM_UP);
  const after = await measureCommits(bench.place, SAMPLES / 2);
  return {
    samples: latencies.length,
    p50_ms: percentile(latencies, 50),
    p95_ms: percentile(latencies, 95),
    p99_ms: percentile(latencies, 99),
    longest_stall_ms: measured.longestStallMs ?? 0,
    commit_p50_ms: percentile([...before, ...after], 50),
  };
}

async function measureCommits(place: BenchPlace, commits: number): Promise<readonly number[]> {
  const times: number[] = [];
  for (let count = 0; count < commits; count++) {
    const started = performance.now();
    await place.commitOnce();
    times.push(performance.now() - started);
  }
  return times;
}
