// The commands that act on many tasks: what they want to know, what they ask, and what they tell.

import { expect, test } from "bun:test";
import { cli } from "../../../test/support/cli-in-memory.ts";
import { FakeTaskonaut, TASK_ID } from "../../../test/support/fake-taskonaut.ts";

async function withTask(): Promise<FakeTaskonaut> {
  const taskonaut = new FakeTaskonaut();
  await cli(["run-flow", "--mode", "create"], { taskonaut });
  return taskonaut;
}

const AT_TERMINAL = { isTTY: true, env: { NO_COLOR: "1" } } as const;

test.each([
  [["cancel-tasks", "--yes"], "say which tasks: give a filter such as --flow <name>, or --all"],
  [["cancel-tasks", "--all", "--flow", "order", "--yes"], "--all: contradicts the filters"],
  [["cancel-tasks", "--all", "--yes", "--dry-run"], "--dry-run: contradicts --yes"],
  [["cancel-tasks", "--all"], "--yes: is missing, and nobody can be asked here"],
  [["retry-tasks", "--status", "FAILD", "--yes"], "did you mean FAILED?"],
  [["retry-tasks", "--flwo", "order", "--yes"], "did you mean --flow?"],
  [["signal-tasks", "--all", "--yes"], "<signal>"],
])("%j is misuse", async (argv, message) => {
  const taskonaut = await withTask();
  const { code, stdout, stderr } = await cli(argv, { taskonaut });
  expect([code, stdout]).toEqual([2, ""]);
  expect(stderr).toContain(message);
  expect(taskonaut.bulk.started).toEqual([]);
});

test("a dry run shows what matches, for people and as JSON, and starts nothing", async () => {
  const taskonaut = await withTask();
  const shown = await cli(["cancel-tasks", "--flow", "echo_add", "--dry-run"], { taskonaut, ...AT_TERMINAL });
  expect(shown.code).toBe(0);
  expect(shown.stdout).toStartWith("1 task matches:\nTASK");
  expect(shown.stdout).toContain(TASK_ID.slice(0, 13));
  const json = await cli(["cancel-tasks", "--flow", "echo_add", "--dry-run"], { taskonaut });
  expect(JSON.parse(json.stdout)).toMatchObject({ action: "cancel", tasks: 1, more: false, sample: [{ id: TASK_ID }] });
  expect(taskonaut.bulk.started).toEqual([]);
});

test("where nothing matches nobody is asked", async () => {
  const { code, stdout } = await cli(["retry-tasks", "--all"], { taskonaut: new FakeTaskonaut(), ...AT_TERMINAL });
  expect([code, stdout]).toEqual([0, "No FAILED task matches.\n"]);
});

test("at a terminal it asks, and does nothing without a yes", async () => {
  const taskonaut = await withTask();
  const refused = await cli(["delete-tasks", "--all"], { taskonaut, ...AT_TERMINAL, types: ["n"] });
  expect(refused.code).toBe(130);
  expect(refused.stderr).toContain("Nothing was done.");
  expect(taskonaut.bulk.started).toEqual([]);
  const done = await cli(["delete-tasks", "--all"], { taskonaut, ...AT_TERMINAL, types: ["y"] });
  expect(done.code).toBe(0);
  expect(done.stderr).toContain("1 task matches:");
  expect(taskonaut.bulk.started).toHaveLength(1);
});

test("a cancel by force says what it leaves undone, before it asks", async () => {
  const taskonaut = await withTask();
  const argv = ["cancel-tasks", "--all", "--force"];
  const refused = await cli(argv, { taskonaut, ...AT_TERMINAL, types: ["n"] });
  expect(refused.stderr).toContain("By force they end at once");
  expect(taskonaut.bulk.started).toEqual([]);
  expect((await cli([...argv, "--yes"], { taskonaut, ...AT_TERMINAL })).code).toBe(0);
  expect(taskonaut.bulk.started).toMatchObject([{ action: "cancel", filter: {}, force: true }]);
});

test("what was shown is started, with its filter and signal, and what came of it is told", async () => {
  const taskonaut = await withTask();
  taskonaut.bulk.totals = {
    done: 1200,
    pending: 3,
    skipped: [{ reason: "It had ended meanwhile.", tasks: 2, example: TASK_ID }],
    failed: [{ reason: "The flow is not loaded here.", tasks: 1, example: null }],
  };
  const argv = ["signal-tasks", "approved", "--waiting-for", "signal:approved", "--tag", "customer=c1", "--yes"];
  const shown = await cli([...argv, "--payload", '{"by":"Ada"}'], { taskonaut, ...AT_TERMINAL });
  expect(taskonaut.bulk.started).toMatchObject([
    {
      action: "signal",
      filter: { waitingFor: ["signal:approved"], tags: { customer: "c1" } },
      signal: { name: "approved", payload: { by: "Ada" } },
    },
  ]);
  // something failed
  expect(shown.code).toBe(1);
  expect(shown.stdout).toStartWith(
    "1,200 tasks were signaled.\n3 tasks of them end when their flows have cleaned up, by a worker that has them.\n2 tasks passed over:\n        2  It had ended meanwhile.\n",
  );
  expect(shown.stdout).toContain("1 task failed:\n        1  The flow is not loaded here.\n");
  const json = await cli(argv, { taskonaut });
  expect(JSON.parse(json.stdout)).toMatchObject({ action: "signal", status: "COMPLETED", done: 1200, pending: 3 });
});

test("tasks that were shown and no longer match when it is their turn are counted, unless all were done", async () => {
  const taskonaut = await withTask();
  const told = "1 task of those shown no longer matched when it was their turn.";
  const argv = ["delete-tasks", "--all", "--yes"];
  const none = await cli(argv, { taskonaut, ...AT_TERMINAL });
  expect(none.stdout).toStartWith(`0 tasks were deleted.\n${told}\n`);
  taskonaut.bulk.totals = { done: 1, pending: 0, skipped: [], failed: [] };
  expect((await cli(argv, { taskonaut, ...AT_TERMINAL })).stdout).not.toContain("of those shown");
});
