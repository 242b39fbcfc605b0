// The measured engine, as a process would have it. It is opened for one measurement and closed afterwards, so that
// nothing in its memory helps the next one.

import type { Flow } from "../core/flow/flow.ts";
import type { StartHeartbeat } from "../core/heartbeat.ts";
import { DEFAULT_LIMITS } from "../core/limits.ts";
import { SILENT } from "../core/log.ts";
import { createEngine } from "../engine/engine.ts";
import type { Engine } from "../engine/engine-options.ts";
import { systemClock } from "../engine/process/system-clock.ts";
import { echoAdd } from "../flows/echo-add.ts";
import type { BenchPlace } from "../store/baseline.ts";
import { echoAddAtLeastOnce } from "./at-least-once-flow.ts";
import { Ends } from "./ends.ts";
import { watchStalls } from "./stalls.ts";

/** Concurrent calls of createTask: several batches, so that the next one is always ready. */
export const CREATES_IN_FLIGHT = 1000;

/** Settings that all measurements of one run share. */
export interface Bench {
  readonly place: BenchPlace;
  /** The same as for every worker. */
  readonly startHeartbeat: StartHeartbeat | undefined;
  readonly concurrency: number;
  readonly signal: AbortSignal;
}

export interface Measured {
  readonly seconds: number;
  readonly commits: number;
  /** The longest time that the event loop did not turn. Null: it was not measured. */
  readonly longestStallMs: number | null;
}

export function measureCreate(bench: Bench, flow: Flow, tasks: number): Promise<Measured> {
  return withEngine(bench, async (engine) => {
    let left = tasks;
    const createSome = async (): Promise<void> => {
      while (left > 0) {
        bench.signal.throwIfAborted();
        left -= 1;
        await engine.createTask({ flow: flow.name, input: {}, start: "now" });
      }
    };
    const started = performance.now();
    await Promise.all(Array.from({ length: Math.min(CREATES_IN_FLIGHT, tasks) }, createSome));
    return secondsSince(started);
  });
}

/** One worker runs all due tasks. The time is from the worker's start to the end of the last task. */
export function measureDrain(bench: Bench, tasks: number): Promise<Measured> {
  return withEngine(bench, async (engine) => {
    const ends = new Ends(bench.signal);
    const started = performance.now();
    const worker = await engine.startWorker({ concurrency: bench.concurrency, onEnded: () => ends.count() });
    await ends.reach(tasks);
    const seconds = secondsSince(started);
    await worker.stop();
    return seconds;
  });
}

/** One task after the other on an idle worker: the time of each from its creation to its end, in milliseconds. */
export async function measureLatencies(
  bench: Bench,
  samples: number,
): Promise<{ readonly latencies: readonly number[]; readonly longestStallMs: number | null }> {
  const latencies: number[] = [];
  const { longestStallMs } = await withEngine(bench, async (engine) => {
    const ends = new Ends(bench.signal);
    const worker = await engine.startWorker({ concurrency: bench.concurrency, onEnded: () => ends.count() });
    const first = performance.now();
    for (let sample = 1; sample <= samples; sample++) {
      const started = performance.now();
      await engine.createTask({ flow: echoAdd.name, input: {}, start: "now" });
      await ends.reach(sample);
      latencies.push(performance.now() - started);
    }
    const seconds = secondsSince(first);
    await worker.stop();
    return seconds;
  });
  return { latencies, longestStallMs };
}

/** `measure` returns seconds. Closing the engine also stops its worker. */
async function withEngine(
  { place, startHeartbeat }: Bench,
  measure: (engine: Engine) => Promise<number>,
): Promise<Measured> {
  let commits = 0;
  const store = await place.openStore(() => (commits += 1));
  const engine = createEngine({
    store,
    flows: [echoAdd, echoAddAtLeastOnce],
    clock: systemClock,
    log: SILENT,
    limits: DEFAULT_LIMITS,
    newId: () => Bun.randomUUIDv7(),
    workerName: "bench",
    ...(startHeartbeat && { startHeartbeat }),
  });
  try {
    await engine.checkReady(); // connect before the clock starts
    const stalls = watchStalls();
    try {
      const seconds = await measure(engine);
      return { seconds, commits, longestStallMs: stalls.end() };
    } finally {
      stalls.end();
    }
  } finally {
    await engine.close();
  }
}

function secondsSince(started: number): number {
  return (performance.now() - started) / 1000;
}
