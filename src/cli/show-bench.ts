import type { BenchRate, BenchReport, Spread } from "../core/api/bench.ts";
import { wrapText } from "./cells.ts";
import type { Look } from "./look.ts";
import { type Column, drawTable } from "./table.ts";

const NAMES: Readonly<Record<BenchRate["name"], string>> = {
  create: "create",
  drain: "drain echo_add",
  drain_at_least_once: "drain, at-least-once",
};

const COLUMNS: readonly Column<BenchRate>[] = [
  { head: "", show: ({ name }) => ({ text: NAMES[name], color: "bold" }) },
  { head: "TASKS/S", goes: 1, show: ({ engine }) => ({ text: showSpread(engine) }) },
  { head: "BASELINE", goes: 2, show: ({ baseline }) => ({ text: showSpread(baseline) }) },
  { head: "RATIO", show: ({ ratio }) => ({ text: showSpread(ratio, 100, " %") }) },
  { head: "COMMITS", right: true, goes: 3, show: (rate) => ({ text: rate.commits_per_task.toFixed(4) }) },
  { head: "LOG B", right: true, goes: 4, show: (rate) => ({ text: rate.log_bytes_per_task.toFixed(0) }) },
  {
    head: "BASELINE B",
    right: true,
    goes: 5,
    show: (rate) => ({ text: rate.baseline_log_bytes_per_task.toFixed(0) }),
  },
];

/** For a person: what was measured where and how, then the figures. */
export function showBench(report: BenchReport, look: Look): string {
  const { machine, latency, rounds } = report;
  const settings = Object.entries(report.durability).map(([name, value]) => `${name} ${value}`);
  const stalls = [
    ...report.rates.map(({ name, longest_stall_ms }) => `${NAMES[name]} ${milliseconds(longest_stall_ms)}`),
    `one at a time ${milliseconds(latency.longest_stall_ms)}`,
  ];
  const wrap = (text: string): readonly string[] => wrapText(text, look.columns);
  const lines = [
    `${report.location} (removed again)`,
    ...wrap(settings.join(", ")),
    ...wrap(
      `${machine.cpu}, ${machine.cores} cores, ${gigabytes(machine.memory_bytes)}; ${machine.os}; Bun ${machine.bun}`,
    ),
    "",
    ...drawTable(COLUMNS, report.rates, look),
    "",
    ...wrap(
      `Median (min…max) of ${rounds} ${rounds === 1 ? "round" : "rounds"} of ${report.tasks} tasks, each from empty tables, which nobody but the database itself vacuums, analyzes or checkpoints. One worker drives ${report.concurrency} at once; ${report.creates_in_flight} calls that create are under way at a time.`,
    ),
    ...wrap(
      `Baseline: hand-written SQL that writes the same rows, ${report.baseline_batch} tasks a commit, one commit at a time; for at-least-once tools with one more commit, of what the second effect follows from, before that effect.`,
    ),
    ...wrap(
      `Commits and bytes of the log (B) are those of one task, by ${report.counted_tasks} tasks of a round before, whose rates do not count.`,
    ),
    "",
    ...wrap(
      `One task at a time, idle worker, create to end: p50 ${milliseconds(latency.p50_ms)}, p95 ${milliseconds(latency.p95_ms)}, p99 ${milliseconds(latency.p99_ms)} of ${latency.samples}; a bare commit: ${milliseconds(latency.commit_p50_ms)}`,
    ),
    ...wrap(`Longest stall of the event loop, in any round: ${stalls.join(", ")}`),
    ...wrap(
      `Tables and indexes: ${report.data_bytes_per_task.toFixed(0)} bytes a task. Memory at the peak: ${(report.peak_rss_bytes / 1e6).toFixed(0)} MB, baseline and measuring included.`,
    ),
  ];
  return `${lines.join("\n")}\n`;
}

/** `54 % (50…60 %)` */
function showSpread({ median, min, max }: Spread, factor = 1, unit = ""): string {
  const [middle, least, most] = [median, min, max].map((value) => (value * factor).toFixed(0));
  return `${middle}${unit} (${least}…${most}${unit})`;
}

function milliseconds(ms: number): string {
  return `${ms.toFixed(2)} ms`;
}

function gigabytes(bytes: number): string {
  return `${(bytes / 2 ** 30).toFixed(0)} GiB`;
}
