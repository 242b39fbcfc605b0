import type { BenchRate } from "../core/api/bench.ts";
import type { Figure, Round } from "./round.ts";
import { spreadOf } from "./statistics.ts";

/** `counted` is the round that counted bytes and commits; rates are those of the others. */
export function toRates(counted: Round, measured: readonly Round[]): readonly BenchRate[] {
  const rateOf = (name: BenchRate["name"], engine: Choose, floor: Choose): BenchRate => ({
    name,
    engine: spreadOf(measured.map((round) => engine(round).tasksPerSecond)),
    floor: spreadOf(measured.map((round) => floor(round).tasksPerSecond)),
    ratio: spreadOf(measured.map((round) => engine(round).tasksPerSecond / floor(round).tasksPerSecond)),
    longest_stall_ms: Math.max(...measured.map((round) => engine(round).longestStallMs ?? 0)),
    commits_per_task: engine(counted).commitsPerTask,
    log_bytes_per_task: engine(counted).bytesPerTask.log,
    floor_log_bytes_per_task: floor(counted).bytesPerTask.log,
  });
  return [
    rateOf(
      "create",
      ({ engine }) => engine.create,
      ({ floor }) => floor.create,
    ),
    rateOf(
      "drain",
      ({ engine }) => engine.drain,
      ({ floor }) => floor.drain,
    ),
    rateOf(
      "drain_at_least_once",
      ({ atLeastOnce }) => atLeastOnce.drain,
      ({ floorByStep }) => floorByStep.drain,
    ),
  ];
}

type Choose = (round: Round) => Figure;
