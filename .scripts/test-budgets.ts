// How many seconds a test file may take on two cores when all files run. The list has the files that take longer than
// others, with the reason. The check reports a file that exceeds its budget, but does not fail: a slow machine is not
// an error.

const FEW_SECONDS = 8;

const BUDGETS: Readonly<Record<string, number>> = {
  "test/chaos/chaos.test.ts": 45, // hundreds of tasks under kills, on both stores
  "test/browser/views.test.ts": 60, // axe looks at each view in each size and color
  "test/browser/task.test.ts": 45, // a browser, and a server
  "test/browser/tasks.test.ts": 45,
  "test/browser/operate.test.ts": 45,
  "test/browser/forms.test.ts": 45,
  "test/browser/charts.test.ts": 30, // counts are written every five seconds
  "test/sim/sim.test.ts": 40, // a hundred and fifty seeds
  "test/chaos/schedules.test.ts": 20, // fifty schedules each second under kills, on both stores
  "test/e2e/pause.test.ts": 45, // workers that are killed, and pauses that each take some seconds
  "test/engine/pause.test.ts": 20, // pauses, on both stores
  "test/engine/unique.test.ts": 18, // until tasks have expired
  "test/chaos/faults.test.ts": 50, // each fault has its time, and a lease that passes
  "test/engine/crash.test.ts": 45, // a process for each place at which one may be killed
  "test/e2e/work.test.ts": 45, // leases that expire, and event loops that are stuck
  "test/e2e/many-tasks.test.ts": 45, // 20,000 tasks
  "test/e2e/idle.test.ts": 35, // longer than the interval at which an idle worker checks the queue
  "test/e2e/kills.test.ts": 30, // a process for each moment at which one may be killed
  "test/contract/heartbeat.test.ts": 30, // leases that expire, and a suspended process
  "test/contract/postgres.test.ts": 75, // connections for each test
  "test/engine/engine.test.ts": 30,
  "test/engine/audit.test.ts": 35, // eight pauses, each of which waits for engines that have read of none
  "test/chaos/limits.test.ts": 20, // five workers under kills, on both stores
  "test/e2e/find-tasks.test.ts": 15, // sixty processes
  "test/chaos/poison.test.ts": 25,
  "test/engine/constructs.test.ts": 30, // an engine for each write at which one may die
  "test/e2e/connections.test.ts": 20, // until idle connections are closed
  "test/contract/postgres-locked.test.ts": 20, // until a wait for locks is given up
  "test/documents/documents.test.ts": 55, // every command of the README and of docs
  "test/engine/faults.test.ts": 20,
  "test/engine/schedules.test.ts": 25, // workers that come and go, on both stores
  "test/engine/progress.test.ts": 30, // progress is written once a second, and a lease passes
  "test/engine/known-outcomes.test.ts": 20, // until a wait for locks is given up
  "test/engine/bulk-crash.test.ts": 25, // an engine for each write at which one may die
  "test/e2e/bulk.test.ts": 15, // processes that are killed
  "test/engine/poison.test.ts": 25, // leases that expire
  "test/e2e/worker-process.test.ts": 15,
  "test/doors/openapi.test.ts": 20, // each route in all the ways in which it can go wrong, on both stores
  "test/e2e/screens.test.ts": 80, // every command at three widths, each in a folder of its own
  "test/e2e/stdin.test.ts": 20, // a silent pipe is given up after 10 s
  "test/e2e/live.test.ts": 20, // one check per second, and loops that are blocked
  "test/e2e/postgres.test.ts": 15, // a server that says nothing is given up after 10 s
  "test/e2e/take-over.test.ts": 15,
  "test/engine/worker-faults.test.ts": 15,
  "test/e2e/hints.test.ts": 25, // each hint is provoked and pasted, by processes
  "test/e2e/init.test.ts": 15, // folders are made, compiled, run and tested
  "test/e2e/help.test.ts": 70, // each example is pasted
  "test/e2e/commands.test.ts": 12,
  "test/e2e/many-callers.test.ts": 12,
  "test/e2e/outage.test.ts": 12,
  "test/engine/concurrency.test.ts": 12,
  "test/engine/properties.test.ts": 12,
  "test/engine/replay-programs.test.ts": 12,
  "test/engine/sizes.test.ts": 18,
  "test/engine/damaged-columns.test.ts": 25, // every command and route with each of thirty damages, on both stores
  "test/e2e/stats.test.ts": 25, // counts are written every five seconds
  "src/server": 22, // servers that wait for their last requests
  "test/e2e/traces.test.ts": 18,
  "test/contract/postgres-lives.test.ts": 20, // until a dead worker is seen, in several ways
  "test/engine/flow-standing.test.ts": 18, // pauses that each take some seconds
  "test/contract/postgres-plans.test.ts": 18, // each statement on tables of three sizes
  "test/engine/limits.test.ts": 15,
  "test/engine/stuck-flows.test.ts": 12, // flows that compute until they are cut short
};

/** These wait for leases, time limits and clocks, and hardly compute, so others may run at the same time. */
const WAITING: ReadonlySet<string> = new Set([
  "test/browser/charts.test.ts",
  "test/contract/heartbeat.test.ts",
  "test/contract/postgres-locked.test.ts",
  "test/e2e/connections.test.ts",
  "test/e2e/idle.test.ts",
  "test/e2e/postgres.test.ts",
  "test/e2e/stdin.test.ts",
  "test/e2e/take-over.test.ts",
  "test/engine/audit.test.ts",
  "test/engine/known-outcomes.test.ts",
  "test/engine/pause.test.ts",
  "test/engine/poison.test.ts",
  "test/engine/progress.test.ts",
  "test/engine/unique.test.ts",
]);

/** `name`: a file, or a name from `groupOf`. */
export function secondsFor(name: string): number {
  return BUDGETS[name] ?? FEW_SECONDS;
}

export function waits(name: string): boolean {
  return WAITING.has(name);
}

/**
 * The name of the process that runs the file: the file itself, or the part of the sources whose tests share a process.
 */
export function groupOf(file: string): string {
  return /^src\/[^/]+(?=\/)/.exec(file)?.[0] ?? file;
}

/** The file needs neither a database server nor the compiled program. */
export function isUnit(file: string): boolean {
  return UNITS.some((start) => file.startsWith(start));
}

const UNITS = [
  "src/",
  "test/guards/",
  "test/repository/",
  "test/scripts/",
  "test/sim/",
  "test/templates/",
  "test/types/",
];
