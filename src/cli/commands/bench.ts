import type { BenchOptions } from "../../core/api/bench.ts";
import type { Command } from "../command.ts";
import { toJson } from "../print.ts";
import { showBench } from "../show-bench.ts";
import { readCount } from "../usage.ts";

const TASKS = { default: 10_000, min: 100, max: 1_000_000 };
const CONCURRENCY = { default: 200, min: 1, max: 10_000 };
const ROUNDS = { default: 3, min: 1, max: 100 };

export const bench: Command = {
  name: "bench",
  summary: "Measure this machine and this database",
  about:
    "It runs tasks in tables of their own, beside hand-written SQL that does the same, and removes them in the end.",
  args: [],
  options: [
    { name: "tasks", value: "N", summary: `Tasks in each round, ${describeRange(TASKS)}` },
    {
      name: "concurrency",
      value: "N",
      summary: `Tasks that the worker drives at once, ${describeRange(CONCURRENCY)}`,
    },
    { name: "rounds", value: "N", summary: `Rounds, of which the medians are taken, ${describeRange(ROUNDS)}` },
  ],
  takesFields: false,
  needs: "database",
  readsOnly: true,
  logLevel: "warn",
  examples: [
    "bench",
    "bench --tasks 2000 --rounds 5 --json",
    "bench --database-url postgres://postgres:postgres@127.0.0.1:5433/taskrunner",
  ],

  async run({ flags, io, interrupts, look, wiring }) {
    const leave = new AbortController();
    const options: BenchOptions = {
      tasks: readCount(flags, "tasks", TASKS) ?? TASKS.default,
      concurrency: readCount(flags, "concurrency", CONCURRENCY) ?? CONCURRENCY.default,
      rounds: readCount(flags, "rounds", ROUNDS) ?? ROUNDS.default,
      signal: leave.signal,
      onProgress: (what) => {
        if (io.stderr.isTTY) io.stderr.write(`${what}\n`).catch(() => {});
      },
    };
    const stopListening = interrupts.onFirst(() => {
      leave.abort();
    });
    try {
      const report = await wiring.runBench(options);
      await io.stdout.write(look.style === "readable" ? showBench(report, look) : `${toJson(report, look)}\n`);
      return 0;
    } finally {
      stopListening();
    }
  },
};

function describeRange(range: typeof TASKS): string {
  return `${range.min} to ${range.max} (default: ${range.default})`;
}
