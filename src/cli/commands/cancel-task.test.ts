// `cancel-task`, and its neighbours `retry-task` and `resume-task`.

import { expect, test } from "bun:test";
import type { Task } from "../../core/api/task.ts";
import { cli } from "../../../test/support/cli-in-memory.ts";
import { FakeTaskonaut, TASK_ID } from "../../../test/support/fake-taskonaut.ts";

test("to cancel a task succeeds when it is CANCELLED; retry and resume pass on why not", async () => {
  const taskonaut = new FakeTaskonaut();
  await cli(["run-flow", "--mode", "create"], { taskonaut });
  const retry = await cli(["retry-task", TASK_ID], { taskonaut });
  expect([retry.code, retry.stdout]).toEqual([4, ""]);
  expect(retry.stderr).toContain("cannot be retried: it is PLANNED");
  taskonaut.change(await taskonaut.getTask(TASK_ID), { parked_reason: "Another flow." });
  taskonaut.staysParked = true;
  const resume = await cli(["resume-task", TASK_ID], { taskonaut });
  expect([resume.code, JSON.parse(resume.stdout)]).toMatchObject([4, { id: TASK_ID, parked_reason: "Another flow." }]);
  expect(resume.stderr).toContain(
    `hint: resume the task when the reason is gone:\n  taskonaut resume-task ${TASK_ID}\n`,
  );
  const cancel = await cli(["cancel-task", TASK_ID], { taskonaut });
  expect([cancel.code, JSON.parse(cancel.stdout)]).toMatchObject([0, { status: "CANCELLED" }]);
  expect(taskonaut.requests("cancelTask")).toEqual([[TASK_ID, { force: false }]]);
  expect([taskonaut.requests("retryTask"), taskonaut.requests("resumeTask")]).toEqual([[[TASK_ID]], [[TASK_ID]]]);
});

test("what a cancel by force left undone is shown", async () => {
  const taskonaut = new FakeTaskonaut();
  const { stdout } = await cli(["run-flow", "--mode", "create"], { taskonaut });
  const left_undone: Task["left_undone"] = [
    { what: "ran", step_index: 1, step_name: "charge", task_id: null },
    { what: "given_up", step_index: 2, step_name: "refund", task_id: null },
    { what: "child", step_index: 3, step_name: "ship", task_id: TASK_ID },
  ];
  taskonaut.cancelTask = async (_id, options) => {
    expect(options).toEqual({ force: true });
    return { ...(JSON.parse(stdout) as Task), status: "CANCELLED", left_undone };
  };
  const forced = await cli(["cancel-task", TASK_ID, "--force"], { taskonaut, isTTY: true, env: { NO_COLOR: "1" } });
  expect([forced.code, forced.stderr]).toEqual([0, ""]);
  const shown = forced.stdout.replaceAll(/\s+/g, " ");
  const undone = ["refund: given up", `child ${TASK_ID} was told to cancel`, "step 1 charge: its tool ran"];
  for (const text of undone) expect(shown).toContain(text);
  expect(forced.stdout.match(/^undone /gm)).toHaveLength(3);
});

test("a cancel that another process carries out is said to be on its way", async () => {
  const taskonaut = new FakeTaskonaut();
  const { stdout } = await cli(["run-flow", "--mode", "create"], { taskonaut });
  taskonaut.cancelTask = async () => JSON.parse(stdout) as Task;
  const cancel = await cli(["cancel-task", TASK_ID], { taskonaut });
  expect([cancel.code, cancel.stdout]).toEqual([0, stdout]);
  expect(cancel.stderr).toContain("The cancel is recorded");
  expect((await cli(["cancel-task", TASK_ID, "--json"], { taskonaut })).stderr).toBe("");
});

test("who retries a child is told of its parent that has failed with it, and what to run", async () => {
  const taskonaut = new FakeTaskonaut();
  const { stdout } = await cli(["run-flow", "--mode", "create"], { taskonaut });
  const child: Task = { ...(JSON.parse(stdout) as Task), parent_task_id: PARENT_ID };
  let status: Task["status"] = "FAILED";
  taskonaut.retryTask = async () => child;
  taskonaut.findTasks = async (id) => ({ tasks: [{ ...child, id, status }], more: false });
  const told = await cli(["retry-task", TASK_ID], { taskonaut });
  expect([told.code, told.stdout]).toEqual([0, `${JSON.stringify(child)}\n`]);
  expect(told.stderr).toBe(
    `The failed step of task ${TASK_ID} is open again. No worker is running.\n` +
      `next: taskonaut run-task ${TASK_ID} --wait\nnext: taskonaut work\n` +
      `Its parent ${PARENT_ID} (echo_add) has failed too. When this task has ended, the parent's own retry takes up its end.\n` +
      `hint: when this task has ended, retry its parent:\n  taskonaut retry-task ${PARENT_ID}\n`,
  );
  expect((await cli(["retry-task", TASK_ID, "--json"], { taskonaut })).stderr).toBe("");
  status = "WAITING_OBSERVATION";
  expect((await cli(["retry-task", TASK_ID], { taskonaut })).stderr).not.toContain("parent");
});

test("who retries a child whose parent has been removed is told of none, and the retry counts", async () => {
  const taskonaut = new FakeTaskonaut();
  const { stdout } = await cli(["run-flow", "--mode", "create"], { taskonaut });
  const child: Task = { ...(JSON.parse(stdout) as Task), parent_task_id: PARENT_ID };
  taskonaut.retryTask = async () => child;
  const retry = await cli(["retry-task", TASK_ID], { taskonaut });
  expect([retry.code, retry.stdout]).toEqual([0, `${JSON.stringify(child)}\n`]);
  expect(retry.stderr).not.toContain("parent");
});

const PARENT_ID = "00000000-0000-7000-8000-00000000000a";
