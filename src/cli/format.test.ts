import { expect, test } from "bun:test";
import { cli } from "../../test/support/cli-in-memory.ts";
import { FakeTaskonaut, TASK_ID } from "../../test/support/fake-taskonaut.ts";

async function withTasks(count: number): Promise<FakeTaskonaut> {
  const taskonaut = new FakeTaskonaut();
  for (let n = 0; n < count; n++) await taskonaut.createTask({ flow: "free", input: { text: "a\u2028\u009bb" } });
  return taskonaut;
}

const TERMINAL = { isTTY: true, env: { NO_COLOR: "1" } };

test.each([[["get-task", TASK_ID]], [["get-tasks"]], [["workers"]]])(
  "--format json is --json of %p, on a terminal and in a pipe",
  async (command) => {
    const taskonaut = await withTasks(2);
    for (const options of [TERMINAL, {}]) {
      const json = await cli([...command, "--json"], { taskonaut, ...options });
      expect(await cli([...command, "--format", "json"], { taskonaut, ...options })).toEqual(json);
    }
  },
);

test("--format table is text for people in a pipe, as wide as COLUMNS says, without colour", async () => {
  const taskonaut = await withTasks(2);
  const { stdout } = await cli(["get-tasks", "--format", "table"], { taskonaut, env: { COLUMNS: "40" } });
  expect(stdout).toStartWith("TASK ");
  expect(stdout).not.toContain("\u001b");
  const widths = stdout.split("\n").map((line) => Bun.stringWidth(line));
  expect(Math.max(...widths)).toBeLessThanOrEqual(40);
  const facts = await cli(["get-task", TASK_ID, "--format=table"], { taskonaut });
  expect(facts.stdout).toStartWith(`task     ${TASK_ID}\n`);
});

test("--format ndjson is a value a line, whatever the values hold", async () => {
  const taskonaut = await withTasks(3);
  const all = JSON.parse((await cli(["get-tasks"], { taskonaut })).stdout) as unknown[];
  for (const options of [TERMINAL, {}]) {
    const { stdout } = await cli(["get-tasks", "--format", "ndjson"], { taskonaut, ...options });
    expect(stdout).toEndWith("\n");
    // the ways in which readers part lines
    const lines = stdout.trimEnd().split(/[\n\r\u0085\u2028\u2029]/);
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(all);
    expect(stdout).not.toContain("\u009b");
  }
  const one = await cli(["get-task", TASK_ID, "--format", "ndjson"], { taskonaut, ...TERMINAL });
  expect(one.stdout.split("\n")).toHaveLength(2);
  expect((await cli(["get-tasks", "--format", "ndjson"])).stdout).toBe("");
});

test("errors are JSON where the data would be", async () => {
  for (const format of ["json", "ndjson"]) {
    const { code, stderr } = await cli(["get-task", TASK_ID, "--format", format]);
    expect([code, JSON.parse(stderr)]).toMatchObject([3, { code: "task_not_found" }]);
  }
});

test("a format that there is not, and one that contradicts --json, are misuse", async () => {
  const unknown = await cli(["get-tasks", "--format", "yaml"]);
  expect(unknown.code).toBe(2);
  expect(unknown.stderr).toContain('expected table, json, ndjson, got "yaml"');
  const both = await cli(["get-tasks", "--format", "table", "--json"]);
  expect([both.code, JSON.parse(both.stderr)]).toMatchObject([
    2,
    { message: "--format: table contradicts --json: give one of the two" },
  ]);
});
