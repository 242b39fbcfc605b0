// Runs test files, each in its own process: no file sees what another one leaves behind, and the output of each stays
// together. Tests of single modules leave nothing behind, so all tests of one part of the sources share a process. The
// slowest files begin first. There are more processes than cores, because tests wait a lot. Files that mostly wait have
// additional places.

import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { groupOf, secondsFor, waits } from "./test-budgets.ts";
import { type Failure, readReport, shortened } from "./test-report.ts";
import { findMissing, findObsolete, readSnapshots } from "./test-snapshots.ts";

/** The time limit of a test without its own: only a faulty test takes so long. */
const TEST_MS_MAX = 120_000;

/** A file that takes longer hangs, and no time limit of a test can end it. */
const FILE_MS_MAX = 420_000;

const SLOWEST = 10;

/** In addition to one process for each core: of the time that a test takes, it computes a third. */
const MORE_PLACES = 2;

/** Additional places for files that wait. */
const WAITING_PLACES = 2;

export interface FileRun {
  readonly file: string;
  readonly seconds: number;
  /** Processor time of the tests and the processes that they started. The rest of the time they waited. */
  readonly cpuSeconds: number;
  readonly passed: number;
  readonly skipped: number;
  readonly failures: readonly Failure[];
}

interface TestRun {
  readonly root: string;
  readonly files: readonly string[];
  /** Added to the environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Ends the run: running files have failed, and files that have not begun are left out. */
  readonly signal: AbortSignal;
}

/** Runs all files, reports each one as it ends, and sums up. Returns whether everything passed. */
export async function runTests({ root, files, env = {}, signal }: TestRun): Promise<boolean> {
  const groups = [...Map.groupBy(files, groupOf).entries()]
    .map(([name, members]) => ({ name, files: members }))
    .toSorted((one, other) => secondsFor(other.name) - secondsFor(one.name));
  const [idle, busy] = [groups.filter(({ name }) => waits(name)), groups.filter(({ name }) => !waits(name))];
  const runs: FileRun[] = [];
  let left = files.length;
  const folder = mkdtempSync(join(tmpdir(), "taskonaut-check-"));
  const place = async (log: string, ...queues: readonly Group[][]): Promise<void> => {
    const next = (): Group | undefined => queues.find(({ length }) => length > 0)?.shift();
    for (let group = next(); group !== undefined && !signal.aborted; group = next()) {
      left -= group.files.length;
      const run = await runGroup(group, { root, env, signal, log: join(folder, log) });
      console.log(lineOf(run));
      runs.push(run);
    }
  };
  await Promise.all([
    ...Array.from({ length: availableParallelism() + MORE_PLACES }, (_, at) => place(`busy ${at}`, busy, idle)),
    ...Array.from({ length: WAITING_PLACES }, (_, at) => place(`idle ${at}`, idle)),
  ]);
  rmSync(folder, { recursive: true });
  sumUp(runs);
  if (left > 0) console.log(`${left} files of tests were not run.`);
  return left === 0 && runs.every(({ failures }) => failures.length === 0);
}

/** The files that one process runs. */
interface Group {
  /** The file, or the folder of its files. */
  readonly name: string;
  readonly files: readonly string[];
}

async function runGroup(
  { name: file, files }: Group,
  { root, env, signal, log }: Required<Omit<TestRun, "files">> & { readonly log: string },
): Promise<FileRun> {
  const started = performance.now();
  const snapshots = files.map((each) => ({ each, stored: readSnapshots(root, each) }));
  // one file for both streams, so that their lines stay in order
  const output = openSync(log, "w");
  const child = Bun.spawn(
    [process.execPath, "test", "--timeout", String(TEST_MS_MAX), ...files.map((each) => `./${each}`)],
    {
      cwd: root,
      env: { ...process.env, ...env },
      stdin: "ignore",
      stdout: output,
      stderr: output,
      timeout: FILE_MS_MAX,
      killSignal: "SIGKILL",
      signal,
    },
  );
  const exit = await child.exited;
  closeSync(output);
  const text = readFileSync(log, "utf8");
  const { passed, skipped, failures: failed } = readReport(text);
  const isOdd = failed.length === 0 && (exit !== 0 || passed + skipped === 0);
  const failures = isOdd
    ? [{ name: `ended with ${exit}`, file, text: shortened(text.split("\n")) }]
    : [...failed, ...snapshots.flatMap(({ each, stored }) => findMissing(stored, each))];
  // a test that is skipped or fails asks for none
  const isWhole = failures.length === 0 && skipped === 0;
  const stored = snapshots.map((each) => each.stored);
  return {
    file,
    seconds: (performance.now() - started) / 1000,
    cpuSeconds: Number(child.resourceUsage()?.cpuTime.total ?? 0) / 1e6,
    passed,
    skipped,
    failures: isWhole ? findObsolete(stored, text, file) : failures,
  };
}

function lineOf({ file, seconds, cpuSeconds, passed, skipped, failures }: FileRun): string {
  const counts = [
    `${passed} passed`,
    ...(skipped > 0 ? [`${skipped} skipped`] : []),
    ...(failures.length > 0 ? [`${failures.length} FAILED`] : []),
  ];
  const times = [seconds, cpuSeconds].map((time) => time.toFixed(1));
  return `${times[0]?.padStart(7)} s (CPU ${times[1]} s)  ${file}  ${counts.join(", ")}`;
}

/** The failures come last, with their errors, so that the end of the output is enough to find them. */
function sumUp(runs: readonly FileRun[]): void {
  const slowest = runs.toSorted((one, other) => other.seconds - one.seconds);
  console.log(`\nSlowest:\n${slowest.slice(0, SLOWEST).map(lineOf).join("\n")}`);
  for (const { file, seconds } of slowest.filter((run) => run.seconds > secondsFor(run.file))) {
    console.log(`${file} took ${seconds.toFixed(1)} s; its budget is ${secondsFor(file)} s (test-budgets.ts).`);
  }
  const failed = runs.flatMap(({ file, failures }) =>
    failures.map((failure) => ({ ...failure, file: failure.file ?? file })),
  );
  for (const { file, text } of failed) console.log(`\n${file}:\n${text}`);
  if (failed.length > 0) console.log(`\nFailed:\n${failed.map(({ file, name }) => `  ${file}: ${name}`).join("\n")}`);
  const [passed, skipped] = [sum(runs, "passed"), sum(runs, "skipped")];
  const cpuSeconds = runs.reduce((all, run) => all + run.cpuSeconds, 0);
  console.log(`\nCPU ${cpuSeconds.toFixed(0)} s, without database servers and browsers.`);
  console.log(`${passed} passed, ${failed.length} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
}

function sum(runs: readonly FileRun[], what: "passed" | "skipped"): number {
  return runs.reduce((all, run) => all + run[what], 0);
}
