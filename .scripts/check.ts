// Everything that must hold before a change is accepted, from a clean checkout. With `--fast`: only checks that need
// neither a database server nor the compiled program. With `--long`: random tests run for longer
// (test/support/effort.ts). The dependencies must be installed first: a process that has looked for packages before the
// installation takes them from Bun's cache from then on, where their setup scripts have not run.

import { join } from "node:path";
import { runTests } from "./run-tests.ts";
import { isUnit } from "./test-budgets.ts";

const ROOT = join(import.meta.dir, "..");
const isFast = process.argv.includes("--fast");
const isLong = process.argv.includes("--long");

/** They only read, so they can run at the same time. */
const STATIC: Readonly<Record<string, readonly string[]>> = {
  format: ["run", "format:check"],
  lint: ["run", "lint"],
  types: ["run", "lint:types"],
  "unused code": ["run", "lint:unused"],
  sql: ["run", "lint:sql"],
  ...(!isFast && { build: ["run", "build"] }),
};

/** Fewer simulated histories, and no server: a test that needs one fails with a clear name. */
const FAST = { SIM_SEEDS: "100", TEST_DATABASE_URL: "postgres://not-in-the-fast-check.invalid/" };

const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => stop.abort());

await Promise.all(Object.entries(STATIC).map(([name, command]) => runQuietly(name, command)));
const files = (await Array.fromAsync(new Bun.Glob("{src,test}/**/*.test.ts").scan(ROOT))).toSorted();
const isPassed = await runTests({
  root: ROOT,
  files: isFast ? files.filter(isUnit) : files,
  env: { ...(isFast ? FAST : await databaseServer()), TEST_EFFORT: isLong ? "long" : "check" },
  signal: stop.signal,
});
if (!isPassed) fail("test");
process.exit();

/** One PostgreSQL server for all test files; each has its own databases. It ends with this process. */
async function databaseServer(): Promise<Readonly<Record<string, string>>> {
  const given = process.env["TEST_DATABASE_URL"];
  if (given !== undefined) return { TEST_DATABASE_URL: given };
  const { createServer } = await import("../test/support/postgres-server.ts");
  return { TEST_DATABASE_URL: (await createServer()).url, TEST_DATABASES_SHARED: "1" };
}

/** Shows the step's output only if the step fails. */
async function runQuietly(name: string, command: readonly string[]): Promise<void> {
  const started = performance.now();
  const child = Bun.spawn([process.execPath, ...command], {
    cwd: ROOT,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stdout, stderr, exit] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  if (exit !== 0) {
    console.error(stdout + stderr);
    fail(name);
  }
  console.log(`ok  ${name.padEnd(12)}  ${((performance.now() - started) / 1000).toFixed(1)} s`);
}

function fail(name: string): never {
  console.error(`\nThe check failed at: ${name}`);
  process.exit(1);
}
