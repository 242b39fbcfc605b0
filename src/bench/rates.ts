import type { BenchRate } from "../core/api/bench.ts";
import type { Figure, Round } from "./round.ts";
import { spreadOf } from "./statistics.ts";

/** `counted`: the round that counted bytes and commits. The rates come from the other rounds. */
export function toRates(counted: Round, measured: readonly Round[]): readonly BenchRate[] {
  const rateOf = (name: BenchRate["name"], engine: Choose, baseline: Choose): BenchRate => ({
    name,
    engine: spreadOf(measured.map((round) => engine(round).tasksPerSecond)),
    baseline: spreadOf(measured.map((round) => baseline(round).tasksPerSecond)),
    ratio: spreadOf(measured.map((round) => engine(round).tasksPerSecond / baseline(round).tasksPerSecond)),
    longest_stall_ms: Math.max(...measured.map((round) => engine(round).longestStallMs ?? 0)),
    commits_per_task: engine(counted).commitsPerTask,
    log_bytes_per_task: engine(counted).bytesPerTask.log,
    baseline_log_bytes_per_task: baseline(counted).bytesPerTask.log,
  });
  return [
    rateOf(
      "create",
      ({ engine }) => engine.create,
      ({ baseline }) => baseline.create,
    ),
    rateOf(
      "drain",
      ({ engine }) => engine.drain,
      ({ baseline }) => baseline.drain,
    ),
    rateOf(
      "drain_at_least_once",
      ({ atLeastOnce }) => atLeastOnce.drain,
      ({ baselineByStep }) => baselineByStep.drain,
    ),
  ];
}

type Choose = (round: Round) => Figure;
