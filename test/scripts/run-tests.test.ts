// What the check says of tests that fail: everything, and last.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const RUN_TESTS = join(import.meta.dir, "../../.scripts/run-tests.ts");
const UNTIL = join(import.meta.dir, "../support/until.ts");

/** What is run in the test's own folder. The skipped test is there to be counted: no test of the project's is skipped. */
const FILES: Readonly<Record<string, string>> = {
  "good.test.ts": `test("holds", () => {}); test.skip("is left out", () => {});`,
  "bad.test.ts": `
    test("holds as well", () => {});
    test("is wrong", () => expect({ sum: 3 }).toEqual({ sum: 4 }));
    test("is late", () => new Promise(() => {}), 10);`,
  "broken.test.ts": `throw new Error("It cannot be loaded.");`,
  "long.test.ts": `
    test("is wrong first", () => expect(1).toBe(2));
    for (let n = 0; n < 100; n++) test("holds " + n, () => {});`,
  "leaves.test.ts": `test("leaves", () => process.exit(0));`,
  "empty.test.ts": ``,
  "talks.test.ts": `
    test("says a lot", () => {
      for (let line = 1; line <= 1000; line++) console.log("line", line, "of it");
      throw new Error("It was said.");
    });`,
  "pictures.test.ts": `test("is pictured", () => expect("x").toMatchSnapshot());`,
  "waits.test.ts": `test("waits", () => (require("node:fs").writeFileSync("begun", ""), new Promise(() => {})));`,
};

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "taskonaut-run-tests-"));
  for (const [name, text] of Object.entries(FILES)) {
    await writeFile(join(folder, name), `import { expect, test } from "bun:test";\n${text}`);
  }
});
afterAll(() => rm(folder, { recursive: true }));

/** `signal`: code that makes it. */
async function run(files: readonly string[], signal = "new AbortController().signal"): Promise<readonly string[]> {
  const code = `
    import { existsSync } from "node:fs";
    import { runTests } from ${JSON.stringify(RUN_TESTS)};
    import { until } from ${JSON.stringify(UNTIL)};
    const signal = ${signal};
    console.log(await runTests({ root: process.cwd(), files: ${JSON.stringify(files)}, signal }));`;
  // where CI is set, bun itself refuses to write a snapshot, and says so in other words
  const env = { ...process.env, CI: "false" };
  const child = Bun.spawn([process.execPath, "-e", code], { cwd: folder, env, stdout: "pipe", stderr: "inherit" });
  return (await child.stdout.text()).trimEnd().split("\n");
}

test("where all hold, it counts them", async () => {
  expect((await run(["good.test.ts"])).slice(-2)).toEqual(["1 passed, 0 failed, 1 skipped", "true"]);
});

test("each failure is said again at the end with its error, then by name, however a file fails", async () => {
  const lines = await run(["good", "bad", "broken", "leaves", "empty"].map((name) => `${name}.test.ts`));
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

test("a failure that bun says twice, where many tests follow it, is one", async () => {
  const lines = await run(["long.test.ts"]);
  expect(lines.slice(-2)).toEqual(["100 passed, 1 failed", "false"]);
  expect(lines.slice(lines.indexOf("Failed:") + 1)[0]).toBe("  long.test.ts: is wrong first");
});

test("of a long text of a failure its beginning and its end are said again", async () => {
  const lines = await run(["talks.test.ts"]);
  const said = lines.filter((line) => /^line \d+ of it$/.test(line));
  expect(said[0]).toBe("line 1 of it");
  expect(said.length).toBeWithin(10, 100);
  expect(lines).toContain("error: It was said.");
});

test("a snapshot that is missing is a failure each time, and so is one that no test asks for", async () => {
  for (const _ of [1, 2]) {
    const lines = await run(["pictures.test.ts"]);
    expect(lines).toContain("  pictures.test.ts: no snapshot: is pictured 1");
    expect(lines.at(-1)).toBe("false");
  }
  const stored = join(folder, "__snapshots__", "pictures.test.ts.snap");
  await writeFile(stored, 'exports[`is pictured 1`] = `"x"`;\n');
  expect((await run(["pictures.test.ts"])).slice(-2)).toEqual(["1 passed, 0 failed", "true"]);

  await writeFile(stored, 'exports[`is pictured 1`] = `"x"`;\n\nexports[`is gone 1`] = `"x"`;\n');
  const lines = await run(["pictures.test.ts"]);
  expect(lines).toContain("  pictures.test.ts: obsolete snapshots: 1");
  expect(lines.at(-1)).toBe("false");
});

test("once it is told to stop, what runs has failed, and nothing else is begun", async () => {
  const stopped = await run(
    ["waits.test.ts"],
    `(() => {
      const stop = new AbortController();
      void until(() => existsSync("begun")).then(() => stop.abort());
      return stop.signal;
    })()`,
  );
  expect(stopped.slice(-2)).toEqual(["0 passed, 1 failed", "false"]);
  const none = await run(["good.test.ts"], "AbortSignal.abort()");
  expect(none.slice(-3)).toEqual(["0 passed, 0 failed", "1 files of tests were not run.", "false"]);
});
