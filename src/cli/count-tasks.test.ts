import { expect, test } from "bun:test";
import { cli } from "../../test/support/cli-in-memory.ts";
import { FakeTaskonaut } from "../../test/support/fake-taskonaut.ts";

async function someTasks(): Promise<FakeTaskonaut> {
  const taskonaut = new FakeTaskonaut();
  for (const flow of ["echo_add", "echo_add", "free"]) {
    const { task } = await taskonaut.createTask({ flow, input: {} });
    if (flow === "free")
      taskonaut.change(task, { status: "FAILED", error_message: "Timeout", tags: { customer: "c1" } });
  }
  return taskonaut;
}

const TERMINAL = { isTTY: true, env: { NO_COLOR: "1" } };

test("get-tasks --count says one number, and --by divides it", async () => {
  const taskonaut = await someTasks();
  const out = async (...argv: string[]): Promise<unknown> =>
    JSON.parse((await cli(["get-tasks", "--count", ...argv], { taskonaut })).stdout);
  expect(await out()).toEqual({ count: 3 });
  expect(await out("--flow", "free")).toEqual({ count: 1 });
  expect(await out("--by", "flow")).toEqual([
    { flow_name: "echo_add", count: 2 },
    { flow_name: "free", count: 1 },
  ]);
  expect(await out("--by", "status, flow")).toEqual([
    { flow_name: "echo_add", status: "PLANNED", count: 2 },
    { flow_name: "free", status: "FAILED", count: 1 },
  ]);
  expect((await cli(["get-tasks", "--count"], { taskonaut, ...TERMINAL })).stdout).toBe("3\n");
  const table = await cli(["get-tasks", "--count", "--by", "flow,status"], { taskonaut, ...TERMINAL });
  expect(table.stdout).toMatch(/^FLOW +STATUS +TASKS\necho_add +PLANNED +2\nfree +FAILED +1\n$/);
});

test("a count that is not whole says so", async () => {
  const taskonaut = new FakeTaskonaut();
  taskonaut.countTasks = async () => ({ total: 7, complete: false, counts: [] });
  const { stdout, stderr } = await cli(["get-tasks", "--count", "--since", "1d"], { taskonaut, ...TERMINAL });
  expect(stdout).toBe("7\n");
  expect(stderr).toContain("There are more");
});

test("what means nothing beside --count is misuse", async () => {
  for (const argv of [
    ["--by", "flow"],
    ["--count", "--limit", "3"],
    ["--count", "--view", "summary"],
  ]) {
    expect((await cli(["get-tasks", ...argv])).code).toBe(2);
  }
  const { stderr } = await cli(["get-tasks", "--count", "--by", "state"]);
  expect(stderr).toContain("did you mean status?");
  const other = await cli(["get-tasks", "--count", "--by", "schedule"]);
  expect(other.stderr).toContain('expected flow, status or flow,status, got "schedule"; --schedule counts only');
});

test("filters of the command line reach the interface, and what is wrong with them is told", async () => {
  const taskonaut = await someTasks();
  const { stdout } = await cli(
    ["get-tasks", "--status", "failed", "--tag", "customer=c1", "--error", "timeOUT", "--flow=free", "--flow=echo_add"],
    { taskonaut },
  );
  expect((JSON.parse(stdout) as unknown[]).length).toBe(1);
  expect(taskonaut.requests("listTasks")[0]?.[0].filter).toEqual({
    flow: ["free", "echo_add"],
    status: ["FAILED"],
    tags: { customer: "c1" },
    error: "timeOUT",
  });
  const wrong = await cli(["get-tasks", "--status", "FALED", "--since", "soon"]);
  expect(wrong.code).toBe(2);
  expect(wrong.stderr).toContain("did you mean FAILED?");
  expect(wrong.stderr).toContain("--since");
});

test("tags of a new task are given as typed", async () => {
  const taskonaut = new FakeTaskonaut();
  await cli(["run-flow", "echo_add", "--mode", "create", "--tag", "customer=c1", "--tag", "x=a=b"], { taskonaut });
  expect(taskonaut.requests("createTask")[0]?.[0].tags).toEqual({ customer: "c1", x: "a=b" });
  expect((await cli(["run-flow", "echo_add", "--tag", "customer"])).code).toBe(2);
});

test("the trace of a new task is given as typed, whatever is done with it, and what is none is refused", async () => {
  const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  for (const mode of ["create", "enqueue", "run"]) {
    const taskonaut = new FakeTaskonaut();
    await cli(["run-flow", "echo_add", "--mode", mode, "--traceparent", traceparent], { taskonaut });
    const [made] = taskonaut.requests("createTask");
    expect([mode, made?.[0].traceparent]).toEqual([mode, traceparent]);
  }
  const wrong = await cli(["run-flow", "echo_add", "--traceparent", "4bf92f3577b34da6a3ce929d0e0e4736"]);
  expect(wrong.code).toBe(2);
  expect(wrong.stderr).toContain("--traceparent");
  expect(wrong.stderr).toContain("such as 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
});
