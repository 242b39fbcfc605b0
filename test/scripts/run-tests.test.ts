// What the check says of tests that fail: everything, and last.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const RUN_TESTS = join(import.meta.dir, "../../.scripts/run-tests.ts");

/** What is run in the test's own folder. The skipped test is there to be counted: no test of the project's is skipped. */
const FILES: Readonly<Record<string, string>> = {
  "good.test.ts": `test("holds", () => {}); test.skip("is left out", () => {});`,
  "bad.test.ts": `
    test("holds as well", () => {});
    test("is wrong", () => expect({ sum: 3 }).toEqual({ sum: 4 }));
    test("is late", () => new Promise(() => {}), 10);`,
  "broken.test.ts": `throw new Error("It cannot be loaded.");`,
  "leaves.test.ts": `test("leaves", () => process.exit(0));`,
  "empty.test.ts": ``,
};

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "taskonaut-run-tests-"));
  for (const [name, text] of Object.entries(FILES)) {
    await writeFile(join(folder, name), `import { expect, test } from "bun:test";\n${text}`);
  }
});
afterAll(() => rm(folder, { recursive: true }));

async function run(...files: readonly string[]): Promise<readonly string[]> {
  const code = `
    import { runTests } from ${JSON.stringify(RUN_TESTS)};
    const { signal } = new AbortController();
    console.log(await runTests({ root: process.cwd(), files: ${JSON.stringify(files)}, signal }));`;
  const child = Bun.spawn([process.execPath, "-e", code], { cwd: folder, stdout: "pipe", stderr: "inherit" });
  return (await child.stdout.text()).trimEnd().split("\n");
}

test("where all hold, it counts them", async () => {
  expect((await run("good.test.ts")).slice(-2)).toEqual(["1 passed, 0 failed, 1 skipped", "true"]);
});

test("each failure is said again at the end with its error, then by name, however a file fails", async () => {
  const lines = await run(...Object.keys(FILES));
  expect(lines.slice(-2)).toEqual(["2 passed, 5 failed, 1 skipped", "false"]);
  const text = lines.slice(lines.indexOf("Slowest:")).join("\n");
  const [errors = "", names = ""] = text.split("\nFailed:\n");
  for (const said of ['+   "sum": 3', "(fail) is late", "timed out after 10ms", "It cannot be loaded."]) {
    expect(errors).toContain(said);
  }
  const told = ["bad.test.ts: is wrong", "bad.test.ts: is late", "broken.test.ts: an error between tests"];
  for (const name of [...told, "leaves.test.ts: ended with 0", "empty.test.ts: ended with "]) {
    expect(names).toContain(`  ${name}`);
  }
});
