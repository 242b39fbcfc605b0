// Runs tests with the runner inside this program, in a separate process.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TESTING_RUNTIME } from "../core/record/program-files.ts";
import { readTestingRuntime } from "../flows/testing-runtime.ts";
import { Report } from "./report.ts";

export interface TestRun {
  /** Absolute paths. */
  readonly files: readonly string[];
  /** The runner's own options. */
  readonly options: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Whether the output goes to a terminal that shows colors. */
  readonly color: boolean;
  /** Shows a piece of the report. False: nobody reads any more. */
  readonly show: (text: string) => Promise<boolean>;
  /** Ends the run. */
  readonly signal: AbortSignal;
}

/** Returns the runner's exit code: 0 if all tests have passed. */
export async function runTests(run: TestRun): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), "taskonaut-test-"));
  try {
    await Bun.write(join(folder, TESTING_RUNTIME), await readTestingRuntime());
    await Bun.write(join(folder, "bunfig.toml"), configIn(folder));
    // flow files run without the tsconfig.json of their folder, and so do their tests
    await Bun.write(join(folder, "tsconfig.json"), "{}\n");
    return await start(folder, run);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Replaces files in the user's folder: neither `.env` nor bunfig.toml applies to this program. */
function configIn(folder: string): string {
  return [
    "env = false",
    "[test]",
    `preload = [${JSON.stringify(join(folder, TESTING_RUNTIME))}]`,
    `coveragePathIgnorePatterns = ["**/${TESTING_RUNTIME}"]`,
    "",
  ].join("\n");
}

/** Both outputs of the runner go to one stream, so that they stay in order. */
const SHELL = ["/bin/sh", "-c", 'exec "$@" 2>&1', "sh"];

async function start(folder: string, { files, options, cwd, env, color, show, signal }: TestRun): Promise<number> {
  const settings = [
    `--config=${join(folder, "bunfig.toml")}`,
    `--tsconfig-override=${join(folder, "tsconfig.json")}`,
    "--no-orphans",
  ];
  const runner = Bun.spawn([...SHELL, process.execPath, "test", ...settings, ...options, ...files], {
    cwd,
    env: { ...env, BUN_BE_BUN: "1", ...(color ? { FORCE_COLOR: "1" } : { NO_COLOR: "1" }) },
    stdin: "inherit",
    stdout: "pipe",
    stderr: "inherit",
  });
  const stop = (): void => runner.kill("SIGINT");
  signal.addEventListener("abort", stop, { once: true });
  try {
    const report = new Report();
    const decoder = new TextDecoder();
    for await (const piece of runner.stdout) {
      if (!(await show(report.take(decoder.decode(piece, { stream: true }))))) stop();
    }
    await show(report.end());
    return await runner.exited;
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
