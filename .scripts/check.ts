// Everything that must hold before a change is taken, from a clean checkout, one step after the other: the first that
// fails ends it. Imports nothing that is not Bun's own, because it installs the dependencies itself.

import { join } from "node:path";

const ROOT = join(import.meta.dir, "..");

const STEPS: Readonly<Record<string, readonly string[]>> = {
  install: ["install", "--frozen-lockfile"],
  format: ["run", "format:check"],
  lint: ["run", "lint"],
  types: ["run", "lint:types"],
  "unused code": ["run", "lint:unused"],
  sql: ["run", "lint:sql"],
  build: ["run", "build"],
};

for (const [name, command] of Object.entries(STEPS)) await runQuietly(name, command);
await runTests();

/** Shows what the step printed only where it failed. */
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
    fail(name, exit);
  }
  console.log(`ok  ${name.padEnd(12)}  ${((performance.now() - started) / 1000).toFixed(1)} s`);
}

/** Shows the tests as they go, and counts them in a closing line of their own. */
async function runTests(): Promise<void> {
  const child = Bun.spawn([process.execPath, "run", "test"], {
    cwd: ROOT,
    stdin: "ignore",
    stdout: "inherit",
    stderr: "pipe",
  });
  let report = "";
  const decoder = new TextDecoder();
  for await (const chunk of child.stderr) {
    process.stderr.write(chunk);
    report += decoder.decode(chunk, { stream: true });
  }
  const exit = await child.exited;
  const [passed, failed, skipped] = [count(report, "pass"), count(report, "fail"), count(report, "skip")];
  console.log(`\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
  if (exit !== 0 || passed === 0) fail("test", exit);
}

/** From the summary that `bun test` ends with: lines such as ` 12 pass`. */
function count(report: string, word: string): number {
  const lines = Bun.stripANSI(report).matchAll(new RegExp(`^ *(\\d+) ${word}$`, "gm"));
  return Number([...lines].at(-1)?.[1] ?? 0);
}

function fail(name: string, exit: number): never {
  console.error(`\nThe check failed at: ${name}`);
  process.exit(exit || 1);
}
