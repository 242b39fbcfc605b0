import { describe, expect, test } from "bun:test";
import { TaskonautError } from "../core/errors.ts";
import { cli } from "../../test/support/cli-in-memory.ts";
import { FakeTaskonaut, TASK_ID } from "../../test/support/fake-taskonaut.ts";
import { plannedStep } from "../../test/support/tasks.ts";
import { COMMANDS } from "./run-cli.ts";
import { findTaskId } from "./task-id.ts";

const OF_A_TASK = COMMANDS.filter(({ args }) => args[0]?.name === "id");

/** What each command wants besides the task. */
const MORE: Readonly<Record<string, readonly string[]>> = {
  "signal-task": ["nudged"],
  resolve: ["--retry"],
  "fork-task": ["--from", "1"],
};

/** Two tasks with ids of our own; what each command does to a task, it can do to them. */
async function twoTasks(): Promise<FakeTaskonaut> {
  const taskonaut = new FakeTaskonaut();
  for (const id of ["019ab2c4-5d6e-7f80-9a1b-2c3d4e5f6071", "019ab2c4-5d6e-7f81-9a1b-2c3d4e5f6071"]) {
    const { task } = await taskonaut.createTask({ flow: "free", input: {} });
    taskonaut.tasks.delete(task.id);
    taskonaut.change({ ...task, id }, {});
  }
  return taskonaut;
}

function prepare(taskonaut: FakeTaskonaut, command: string): void {
  for (const task of taskonaut.tasks.values()) {
    if (command === "retry-task") taskonaut.change(task, { status: "FAILED" });
    if (command === "resolve")
      taskonaut.change(task, { steps: [plannedStep({ status: "RUNNING", doubt: "Its worker died." })] });
  }
}

describe.each(OF_A_TASK.map(({ name }) => name))("%s", (name) => {
  const more = MORE[name] ?? [];

  test.each([
    ["the beginning of an id", "019ab2c4-5d6e-7f80", "019ab2c4-5d6e-7f80-9a1b-2c3d4e5f6071"],
    ["a beginning without dashes, in upper case", "019AB2C45D6E7F80", "019ab2c4-5d6e-7f80-9a1b-2c3d4e5f6071"],
    ["@last", "@last", "019ab2c4-5d6e-7f81-9a1b-2c3d4e5f6071"],
  ])("takes %s", async (_, typed, id) => {
    const taskonaut = await twoTasks();
    prepare(taskonaut, name);
    const { stdout, stderr } = await cli([name, typed, ...more], { taskonaut });
    expect({ stderr, told: stdout + stderr }).toEqual({ stderr, told: expect.stringContaining(id) as string });
    expect(stderr).not.toContain("error:");
  });

  test("says which tasks it may be that begin so, and does nothing", async () => {
    const taskonaut = await twoTasks();
    const before = [...taskonaut.tasks.values()];
    const { code, stderr } = await cli([name, "019a", ...more], { taskonaut });
    expect(code).toBe(2);
    expect(stderr).toStartWith(
      [
        "error: The ids of several tasks begin with 019a; type more of one of them.",
        "  019ab2c4-5d6e-7f80-9a1b-2c3d4e5f6071: free, PLANNED, 3 min ago",
        "  019ab2c4-5d6e-7f81-9a1b-2c3d4e5f6071: free, PLANNED, 3 min ago",
        "",
      ].join("\n"),
    );
    expect([...taskonaut.tasks.values()]).toEqual(before);
  });
});

test("there are commands about a task", () => {
  expect(OF_A_TASK.length).toBeGreaterThanOrEqual(8);
});

test("a whole id is asked for by itself", async () => {
  const taskonaut = await twoTasks();
  await cli(["get-task", "019AB2C4-5D6E-7F80-9A1B-2C3D4E5F6071"], { taskonaut });
  expect(taskonaut.calls).not.toContain("findTasks");
});

test("of many tasks ten are told", async () => {
  const taskonaut = new FakeTaskonaut();
  for (let n = 0; n < 12; n++) await taskonaut.createTask({ flow: "free", input: {} });
  const { stderr } = await cli(["get-task", TASK_ID.slice(0, 4)], { taskonaut });
  expect(stderr.split("\n").filter((line) => /^ {2}(?:0000|and more)/.test(line))).toHaveLength(11);
  expect(stderr).toContain("\n  and more\n");
});

test("@last leaves children out, and may be that of a flow", async () => {
  const taskonaut = await twoTasks();
  const { task } = await taskonaut.createTask({ flow: "echo_add", input: {} });
  const { task: child } = await taskonaut.createTask({ flow: "free", input: {} });
  taskonaut.change(child, { parent_task_id: task.id });
  const idOf = (text: string): Promise<string> => findTaskId(taskonaut, text, Date.now);
  expect(await idOf("@last")).toBe(task.id);
  expect(await idOf("@last:free")).toBe("019ab2c4-5d6e-7f81-9a1b-2c3d4e5f6071");
});

test.each([
  ["ffff", "task_not_found", "There is no task whose id begins with ffff."],
  ["@last", "task_not_found", "There is no task among the newest ones."],
  ["@last:order", "task_not_found", "There is no task of the flow order among the newest ones."],
])("%s of an empty database is said not to be there", async (text, code, message) => {
  const error = await findTaskId(new FakeTaskonaut(), text, Date.now).catch((thrown: unknown) => thrown);
  if (!(error instanceof TaskonautError)) throw new Error("It was found.");
  expect([error.code, error.message]).toEqual([code as "task_not_found", message]);
});

test("what is no name of a task is refused before anything is asked", async () => {
  const taskonaut = await twoTasks();
  const { code, stderr } = await cli(["cancel-task", "@lsat"], { taskonaut });
  expect(code).toBe(2);
  expect(stderr).toContain("did you mean @last?");
  expect(taskonaut.calls).not.toContain("findTasks");
});
