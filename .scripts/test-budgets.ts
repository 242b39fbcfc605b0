// How long files of tests may take, in seconds on two cores where all of them run: those that take more than others, with
// the reason. A check says which file exceeds its budget, and does not fail for it: a slow machine is no fault.

const FEW_SECONDS = 8;

const BUDGETS: Readonly<Record<string, number>> = {
  "test/chaos/chaos.test.ts": 150, // thousands of tasks under kills, on both stores
  "test/chaos/faults.test.ts": 80, // each fault has its time, and a lease that passes
  "test/sim/sim.test.ts": 60, // a thousand seeds
  "test/e2e/work.test.ts": 70,
  "test/engine/crash.test.ts": 50, // a process for each place at which one may be killed
  "test/e2e/many-tasks.test.ts": 45, // 20,000 tasks
  "test/e2e/outage.test.ts": 40,
  "test/engine/engine.test.ts": 40,
  "test/contract/heartbeat.test.ts": 40,
  "test/contract/postgres.test.ts": 40,
  "test/e2e/kills.test.ts": 30, // a process for each moment at which one may be killed
  "test/e2e/connections.test.ts": 20,
  "test/contract/postgres-locked.test.ts": 20,
  "test/engine/faults.test.ts": 20,
  "test/engine/known-outcomes.test.ts": 20,
  "test/doors/work.test.ts": 20,
  "test/engine/poison.test.ts": 20,
  "test/engine/constructs.test.ts": 20,
  "test/e2e/postgres.test.ts": 15, // a server that says nothing is given up after 10 s
  "test/engine/worker-faults.test.ts": 15,
  "test/e2e/take-over.test.ts": 15,
  "test/chaos/poison.test.ts": 15,
};

export function secondsFor(file: string): number {
  return BUDGETS[file] ?? FEW_SECONDS;
}

/** Needs neither a database server nor the compiled program. */
export function isUnit(file: string): boolean {
  return UNITS.some((start) => file.startsWith(start));
}

const UNITS = ["src/", "test/guards/", "test/repository/", "test/scripts/", "test/sim/"];
