import { expect, test } from "bun:test";
import type { BenchOptions, BenchReport } from "../../core/api/bench.ts";
import { TaskonautError } from "../../core/errors.ts";
import type { Taskonaut } from "../../core/api/taskonaut.ts";
import { callCli, type CliResult, Signals } from "../../../test/support/cli.ts";

const REPORT: BenchReport = {
  location: "sqlite:/data/.taskonaut-bench-x/bench.db",
  durability: { sqlite_version: "3.50.0", journal_mode: "wal", synchronous: "full" },
  machine: { cpu: "A CPU", cores: 2, memory_bytes: 8 * 2 ** 30, os: "Linux 6 x64", bun: "1.4.5" },
  tasks: 10_000,
  rounds: 3,
  concurrency: 200,
  creates_in_flight: 1000,
  baseline_batch: 200,
  rates: [
    {
      name: "create",
      engine: { median: 20_000.4, min: 19_000, max: 21_000 },
      baseline: { median: 40_000, min: 39_000, max: 41_000 },
      ratio: { median: 0.5, min: 0.46, max: 0.54 },
      longest_stall_ms: 12.345,
      commits_per_task: 0.005,
      log_bytes_per_task: 980.5,
      baseline_log_bytes_per_task: 970,
    },
  ],
  latency: { samples: 300, p50_ms: 1.234, p95_ms: 2, p99_ms: 3, longest_stall_ms: 3.21, commit_p50_ms: 0.2 },
  counted_tasks: 2000,
  data_bytes_per_task: 1214.4,
  peak_rss_bytes: 150_000_000,
};

test("bench measures with what it is told, and writes the report as JSON for programs", async () => {
  const { result, asked } = await bench(["--tasks", "500", "--concurrency", "7", "--rounds", "1"]);
  expect(result.code).toBe(0);
  expect(JSON.parse(result.stdout)).toEqual(REPORT);
  expect(result.stderr).toBe("");
  expect(asked).toMatchObject([{ tasks: 500, concurrency: 7, rounds: 1 }]);
});

test("the help of bench says what its options take", async () => {
  const { stdout } = (await bench(["--help"])).result;
  for (const range of ["100 to 1000000 (default: 10000)", "1 to 10000 (default: 200)", "1 to 100 (default: 3)"])
    expect(stdout).toContain(range);
});

test("bench has defaults", async () => {
  expect((await bench([])).asked).toMatchObject([{ tasks: 10_000, concurrency: 200, rounds: 3 }]);
});

test("bench shows a person figures, how they came about, and what goes on meanwhile", async () => {
  const { result } = await bench([], { isTTY: true });
  expect(result.stderr).toBe("Round 1 of 3\n");
  for (const text of [
    "create  20000 (19000…21000)  40000 (39000…41000)  50 % (46…54 %)   0.0050    981         970",
    "journal_mode wal, synchronous full",
    "A CPU, 2 cores, 8 GiB; Linux 6 x64; Bun 1.4.5",
    "3 rounds of 10000 tasks",
    "2000 tasks of a round before",
    "p50 1.23 ms, p95 2.00 ms, p99 3.00 ms of 300; a bare commit: 0.20 ms",
    "Longest stall of the event loop, in any round: create 12.35 ms, one at a time 3.21 ms",
    "150 MB",
  ]) {
    expect(result.stdout.replaceAll("\n", " ")).toContain(text);
  }
});

test.each([
  ["--tasks", "99"],
  ["--tasks", "many"],
  ["--concurrency", "0"],
  ["--rounds", "0"],
])("bench refuses %s %s", async (flag, value) => {
  const { result, asked } = await bench([flag, value]);
  expect(result.code).toBe(2);
  expect(result.stderr).toContain(flag);
  expect(asked).toEqual([]);
});

test("the first Ctrl-C stops the measurement, which then takes away what it has made", async () => {
  const signals = new Signals();
  const runBench = ({ signal }: BenchOptions): Promise<never> =>
    new Promise((_, reject) => {
      signal.addEventListener("abort", () => {
        reject(new TaskonautError("cancelled", "The benchmark was stopped."));
      });
      signals.send();
    });
  const result = await callCli(["bench"], { taskonaut: NONE, env: { NO_COLOR: "1" }, wiring: { runBench } }, signals);
  expect(result.code).toBe(130);
  expect(result.stderr).toContain("The benchmark was stopped.");
});

/** A benchmark opens no Taskonaut. */
const NONE = {} as Taskonaut;

async function bench(
  argv: readonly string[],
  { isTTY = false } = {},
): Promise<{ readonly result: CliResult; readonly asked: readonly BenchOptions[] }> {
  const asked: BenchOptions[] = [];
  const runBench = async (options: BenchOptions): Promise<BenchReport> => {
    asked.push(options);
    options.onProgress("Round 1 of 3");
    return REPORT;
  };
  const env = { NO_COLOR: "1" };
  return { result: await callCli(["bench", ...argv], { taskonaut: NONE, env, isTTY, wiring: { runBench } }), asked };
}
