import { expect, test } from "bun:test";
import type { Task } from "../../core/api/task.ts";
import { cli, FakeTaskonaut } from "../../../test/support/cli-in-memory.ts";

test("get-tasks streams one JSON array page by page", async () => {
  const taskonaut = new FakeTaskonaut();
  taskonaut.total = 250;
  const all = await cli(["get-tasks"], { taskonaut });
  expect((JSON.parse(all.stdout) as Task[]).map(({ id }) => id)).toEqual(
    Array.from({ length: 250 }, (_, i) => `task-${i}`),
  );
  expect(taskonaut.pages).toEqual([100, 100, 100]);
  expect(JSON.parse((await cli(["get-tasks", "--limit", "101"], { taskonaut })).stdout)).toHaveLength(101);
  taskonaut.total = 0;
  expect((await cli(["get-tasks"], { taskonaut })).stdout).toBe("[]\n");
});

test("get-tasks stops quietly when nobody reads any more", async () => {
  const taskonaut = new FakeTaskonaut();
  taskonaut.total = 100_000;
  const { code, stderr } = await cli(["get-tasks"], { taskonaut, writesMax: 1 });
  expect(code).toBe(0);
  expect(stderr).toBe("");
  expect(taskonaut.pages).toHaveLength(2);
});

test("get-tasks lists a damaged task in its place, all others as ever, and says what is wrong", async () => {
  const taskonaut = new FakeTaskonaut();
  taskonaut.total = 3;
  const listTasks = taskonaut.listTasks.bind(taskonaut);
  taskonaut.listTasks = async (request) => {
    const page = await listTasks(request);
    const damaged = { id: "task-1", created_at: "2026-11-23T03:39:25.130Z", damage: "Task task-1 is damaged." };
    return { ...page, tasks: page.tasks.map((task) => (task.id === "task-1" ? damaged : task)) };
  };
  const { code, stdout, stderr } = await cli(["get-tasks"], { taskonaut });
  expect((JSON.parse(stdout) as { id: string }[]).map(({ id }) => id)).toEqual(["task-0", "task-1", "task-2"]);
  expect(code).toBe(5);
  expect(stderr).toContain("Task task-1 is damaged.");
  const table = await cli(["get-tasks"], { taskonaut, isTTY: true, env: { NO_COLOR: "1" } });
  expect(table.stdout).toMatch(/task-1 +DAMAGED/);
  expect(table.code).toBe(5);
});

test("on a terminal get-tasks is a table of the newest, and says that there are more", async () => {
  const taskonaut = new FakeTaskonaut();
  taskonaut.total = 30;
  const { stdout, stderr } = await cli(["get-tasks"], { taskonaut, isTTY: true, env: { NO_COLOR: "1" } });
  expect(stdout.trimEnd().split("\n")).toHaveLength(21);
  expect(stdout).toStartWith("TASK ");
  expect(stdout).not.toContain("\u001b");
  expect(stderr).toContain("--limit");
});
