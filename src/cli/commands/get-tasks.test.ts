import { expect, test } from "bun:test";
import type { Task } from "../../core/api/task.ts";
import { cli } from "../../../test/support/cli-in-memory.ts";
import { fakeTask, ManyTasks } from "../../../test/support/fake-taskonaut.ts";
import { CREATED_AT } from "../../../test/support/tasks.ts";

test("get-tasks streams one JSON array page by page", async () => {
  const taskonaut = new ManyTasks(250);
  const all = await cli(["get-tasks"], { taskonaut });
  expect((JSON.parse(all.stdout) as Task[]).map(({ id }) => id)).toEqual(
    Array.from({ length: 250 }, (_, i) => fakeTask(i).id),
  );
  expect(taskonaut.requests("listTasks").map(([{ limit }]) => limit)).toEqual([100, 100, 100]);
  expect(JSON.parse((await cli(["get-tasks", "--limit", "101"], { taskonaut })).stdout)).toHaveLength(101);
  expect((await cli(["get-tasks"], { taskonaut: new ManyTasks(0) })).stdout).toBe("[]\n");
});

test("get-tasks stops quietly when nobody reads any more", async () => {
  const taskonaut = new ManyTasks(100_000);
  const { code, stderr } = await cli(["get-tasks"], { taskonaut, writesMax: 1 });
  expect(code).toBe(0);
  expect(stderr).toBe("");
  expect(taskonaut.requests("listTasks")).toHaveLength(2);
});

test("get-tasks lists a damaged task in its place, all others as ever, and says what is wrong", async () => {
  const taskonaut = new ManyTasks(3);
  const damaged = { id: fakeTask(1).id, created_at: CREATED_AT, damage: "It is odd." };
  const listTasks = taskonaut.listTasks.bind(taskonaut);
  taskonaut.listTasks = async (request) => {
    const page = await listTasks(request);
    const tasks = page.tasks.map((task) => (task.id === damaged.id ? damaged : task));
    return { ...page, tasks };
  };
  const { code, stdout, stderr } = await cli(["get-tasks"], { taskonaut });
  expect((JSON.parse(stdout) as { id: string }[]).map(({ id }) => id)).toEqual([0, 1, 2].map((i) => fakeTask(i).id));
  expect(code).toBe(5);
  expect(stderr).toContain("It is odd.");
  const table = await cli(["get-tasks"], { taskonaut, isTTY: true, env: { NO_COLOR: "1" } });
  expect(table.stdout).toMatch(new RegExp(`${damaged.id} +DAMAGED`));
  expect(table.code).toBe(5);
});

test("on a terminal get-tasks is a table of the newest, and says that there are more", async () => {
  const taskonaut = new ManyTasks(30);
  const { stdout, stderr } = await cli(["get-tasks"], { taskonaut, isTTY: true, env: { NO_COLOR: "1" } });
  expect(stdout.trimEnd().split("\n")).toHaveLength(21);
  expect(stdout).toStartWith("TASK ");
  expect(stdout).not.toContain("\u001b");
  expect(stderr).toContain("--limit");
});
