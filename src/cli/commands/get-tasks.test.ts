import { expect, test } from "bun:test";
import { summarize } from "../../core/api/summarize.ts";
import type { Task, TaskSummary } from "../../core/api/task.ts";
import { cli } from "../../../test/support/cli-in-memory.ts";
import { fakeTask, FakeTaskonaut, ManyTasks } from "../../../test/support/fake-taskonaut.ts";
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

test("--view summary leaves out payloads, and copies", async () => {
  const taskonaut = new FakeTaskonaut();
  const { task } = await taskonaut.createTask({ flow: "free", input: { text: "secret" } });
  await taskonaut.runTask(task.id);
  const whole = await taskonaut.getTask(task.id);
  for (const command of [["get-tasks"], ["get-task", task.id]]) {
    const { stdout } = await cli([...command, "--view", "summary"], { taskonaut });
    const parsed = JSON.parse(stdout) as TaskSummary | readonly TaskSummary[];
    const [summary] = [parsed].flat();
    expect(summary).toEqual(summarize(whole));
    expect(Object.keys(summary ?? {})).toEqual(
      Object.keys(whole).filter((name) => !["input_payload", "output_payload", "tool_calls"].includes(name)),
    );
    const table = await cli([...command, "--view", "summary"], { taskonaut, isTTY: true, env: { NO_COLOR: "1" } });
    expect(table.stdout).toContain("COMPLETED");
    expect(table.stdout).not.toMatch(/secret|input|INPUT|output/);
  }
});

test("a view that there is not is misuse", async () => {
  const { code, stderr } = await cli(["get-tasks", "--view", "all"]);
  expect(code).toBe(2);
  expect(stderr).toContain("--view");
});

test("a filter that nothing matches is told as that, with the flow that may have been meant", async () => {
  const none = new ManyTasks(0);
  none.countTasks = async () => {
    return { total: 1, complete: true, counts: [{ flow_name: "order", status: "FAILED", count: 1 }] };
  };
  const say = async (...filters: string[]): Promise<string> =>
    (await cli(["get-tasks", ...filters], { isTTY: true, taskonaut: none })).stderr;
  expect(await say()).toStartWith("No tasks yet.\n");
  expect(await say("--status", "FAILED")).toBe("No task matches.\n");
  expect(await say("--flow", "odrer", "--flow", "order")).toBe(
    "No task matches.\nThere is no task of flow odrer; did you mean order?\n",
  );
});
