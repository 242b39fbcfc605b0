// One round: the engine and the baseline run the same number of tasks, each from empty tables.

import type { Flow } from "../core/flow/flow.ts";
import { echoAdd } from "../flows/echo-add.ts";
import type { BytesWritten } from "../store/baseline.ts";
import { echoAddAtLeastOnce } from "./at-least-once-flow.ts";
import { type Bench, type Measured, measureCreate, measureDrain } from "./engine-run.ts";

export interface RoundOptions {
  readonly tasks: number;
  /** Also counts the bytes written. That slows the database down, so the rates of this round mean nothing. */
  readonly countsBytes: boolean;
  /** The machine's state changes during a round, so engine and baseline take turns in being first. */
  readonly baselineFirst: boolean;
}

export interface Figure {
  readonly tasksPerSecond: number;
  readonly commitsPerTask: number;
  /** Null for the baseline, which does not yield. */
  readonly longestStallMs: number | null;
  /** Zeros if they were not counted. */
  readonly bytesPerTask: BytesWritten;
}

interface Pass {
  readonly create: Figure;
  readonly drain: Figure;
}

export interface Round {
  readonly baseline: Pass;
  /** With a commit before each effect. */
  readonly baselineByStep: Pass;
  readonly engine: Pass;
  readonly atLeastOnce: Pass;
}

export async function measureRound(bench: Bench, options: RoundOptions): Promise<Round> {
  const measureBaseline = async (): Promise<Pick<Round, "baseline" | "baselineByStep">> => ({
    baseline: await measurePass(bench, byBaseline(bench, options.tasks, "drain"), options),
    baselineByStep: await measurePass(bench, byBaseline(bench, options.tasks, "drainByStep"), options),
  });
  const baselineFirst = options.baselineFirst ? await measureBaseline() : undefined;
  const engine = await measurePass(bench, byEngine(bench, echoAdd, options.tasks), options);
  const atLeastOnce = await measurePass(bench, byEngine(bench, echoAddAtLeastOnce, options.tasks), options);
  return { ...(baselineFirst ?? (await measureBaseline())), engine, atLeastOnce };
}

interface Way {
  create(): Promise<Measured>;
  drain(): Promise<Measured>;
}

function byEngine(bench: Bench, flow: Flow, tasks: number): Way {
  return { create: () => measureCreate(bench, flow, tasks), drain: () => measureDrain(bench, tasks) };
}

function byBaseline({ place: { baseline } }: Bench, tasks: number, drain: "drain" | "drainByStep"): Way {
  return { create: () => timed(() => baseline.create(tasks)), drain: () => timed(() => baseline[drain]()) };
}

async function timed(work: () => Promise<unknown>): Promise<Measured> {
  const started = performance.now();
  await work();
  return { seconds: (performance.now() - started) / 1000, commits: 0, longestStallMs: null };
}

/** Leaves the tables empty. */
async function measurePass(bench: Bench, way: Way, options: RoundOptions): Promise<Pass> {
  const { place } = bench;
  const create = await toFigure(bench, options, () => way.create());
  await place.analyze();
  const drain = await toFigure(bench, options, () => way.drain());
  const ended = await place.countEnded();
  if (ended !== options.tasks)
    throw new Error(`${ended} of ${options.tasks} tasks are COMPLETED in ${place.location}.`);
  await place.clear();
  return { create, drain };
}

async function toFigure(
  { place, signal }: Bench,
  { tasks, countsBytes }: RoundOptions,
  measure: () => Promise<Measured>,
): Promise<Figure> {
  signal.throwIfAborted();
  const endCount = countsBytes ? await place.countBytes() : undefined;
  const { seconds, commits, longestStallMs } = await measure();
  const bytes = (await endCount?.()) ?? { log: 0, data: 0 };
  return {
    tasksPerSecond: tasks / seconds,
    commitsPerTask: commits / tasks,
    longestStallMs,
    bytesPerTask: { log: bytes.log / tasks, data: bytes.data / tasks },
  };
}
