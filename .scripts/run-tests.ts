// Runs files of tests, each in a process of its own: no file sees what another has left behind, and what each prints
// stays together. Those that take longest begin first. There is one at a time more than there are cores: tests wait a lot.

import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { secondsFor } from "./test-budgets.ts";
import { type Failure, readReport, shortened } from "./test-report.ts";

/** Of one test that says nothing else: only what goes wrong takes so long. */
const TEST_MS_MAX = 120_000;

/** A file that takes longer hangs, where no time limit of a test can end it. */
const FILE_MS_MAX = 420_000;

const SLOWEST = 10;

export interface FileRun {
  readonly file: string;
  readonly seconds: number;
  /** Of processors, by the tests and by processes that they have started: the rest of the time they waited. */
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
  /** Ends it: what runs by then has failed, and what was not begun is left out. */
  readonly signal: AbortSignal;
}

/** Runs all of them, says what it has run while it goes on, and sums it up. Gives whether everything passed. */
export async function runTests({ root, files, env = {}, signal }: TestRun): Promise<boolean> {
  const waiting = files.toSorted((one, other) => secondsFor(other) - secondsFor(one));
  const runs: FileRun[] = [];
  const folder = mkdtempSync(join(tmpdir(), "taskonaut-check-"));
  const slots = Array.from({ length: availableParallelism() + 1 }, async (_, slot) => {
    for (let file = waiting.shift(); file !== undefined && !signal.aborted; file = waiting.shift()) {
      const run = await runFile(file, { root, env, signal, log: join(folder, String(slot)) });
      console.log(lineOf(run));
      runs.push(run);
    }
  });
  await Promise.all(slots);
  rmSync(folder, { recursive: true });
  sumUp(runs);
  if (runs.length < files.length) console.log(`${files.length - runs.length} files of tests were not run.`);
  return runs.length === files.length && runs.every(({ failures }) => failures.length === 0);
}

async function runFile(
  file: string,
  { root, env, signal, log }: Required<Omit<TestRun, "files">> & { readonly log: string },
): Promise<FileRun> {
  const started = performance.now();
  // one file for both streams: their lines stay in order
  const output = openSync(log, "w");
  const child = Bun.spawn([process.execPath, "test", "--timeout", String(TEST_MS_MAX), `./${file}`], {
    cwd: root,
    env: { ...process.env, ...env },
    stdin: "ignore",
    stdout: output,
    stderr: output,
    timeout: FILE_MS_MAX,
    killSignal: "SIGKILL",
    signal,
  });
  const exit = await child.exited;
  closeSync(output);
  const text = readFileSync(log, "utf8");
  const { passed, skipped, failures } = readReport(text);
  const isOdd = failures.length === 0 && (exit !== 0 || passed + skipped === 0);
  return {
    file,
    seconds: (performance.now() - started) / 1000,
    cpuSeconds: Number(child.resourceUsage()?.cpuTime.total ?? 0) / 1e6,
    passed,
    skipped,
    failures: isOdd ? [{ name: `ended with ${exit}`, text: shortened(text.split("\n")) }] : failures,
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

/** The failures come last, with their errors: whoever keeps only the end of all this keeps them. */
function sumUp(runs: readonly FileRun[]): void {
  const slowest = runs.toSorted((one, other) => other.seconds - one.seconds);
  console.log(`\nSlowest:\n${slowest.slice(0, SLOWEST).map(lineOf).join("\n")}`);
  for (const { file, seconds } of slowest.filter((run) => run.seconds > secondsFor(run.file))) {
    console.log(`${file} took ${seconds.toFixed(1)} s; its budget is ${secondsFor(file)} s (test-budgets.ts).`);
  }
  const failed = runs.flatMap(({ file, failures }) => failures.map((failure) => ({ file, ...failure })));
  for (const { file, text } of failed) console.log(`\n${file}:\n${text}`);
  if (failed.length > 0) console.log(`\nFailed:\n${failed.map(({ file, name }) => `  ${file}: ${name}`).join("\n")}`);
  const [passed, skipped] = [sum(runs, "passed"), sum(runs, "skipped")];
  console.log(`\n${passed} passed, ${failed.length} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
}

function sum(runs: readonly FileRun[], what: "passed" | "skipped"): number {
  return runs.reduce((all, run) => all + run[what], 0);
}
