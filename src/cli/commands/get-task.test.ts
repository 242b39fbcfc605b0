import { expect, test } from "bun:test";
import { cli } from "../../../test/support/cli-in-memory.ts";
import { FakeTaskonaut, TASK_ID } from "../../../test/support/fake-taskonaut.ts";

async function ended(): Promise<FakeTaskonaut> {
  const taskonaut = new FakeTaskonaut();
  await taskonaut.createTask({ flow: "echo_add", input: {} });
  await taskonaut.runTask(TASK_ID);
  return taskonaut;
}

test("--step shows one step: the resource to a program, the whole of it to a person", async () => {
  const taskonaut = await ended();
  const { steps } = await taskonaut.getTask(TASK_ID);
  const { code, stdout } = await cli(["get-task", TASK_ID, "--step", "2"], { taskonaut });
  expect([code, JSON.parse(stdout)]).toEqual([0, steps[1]]);
  const shown = await cli(["get-task", "@last", "--step", "2"], { taskonaut, isTTY: true, env: { NO_COLOR: "1" } });
  expect(shown.stdout).toStartWith(`step      2 add\ntask      ${TASK_ID}\n`);
  expect(shown.stdout).toContain('output    "out"\n');
});

test("a step of a summary has no payloads either", async () => {
  const taskonaut = await ended();
  const command = ["get-task", TASK_ID, "--step", "1", "--view", "summary"];
  const step = JSON.parse((await cli(command, { taskonaut })).stdout) as object;
  expect(Object.keys(step)).not.toContain("output_payload");
  const { stdout } = await cli(command, { taskonaut, isTTY: true, env: { NO_COLOR: "1" } });
  expect(stdout).toStartWith("step      1 echo\n");
  expect(stdout).not.toMatch(/^(?:in|out)put/m);
});

test("a step that there is not is told with those that there are", async () => {
  const { code, stderr } = await cli(["get-task", TASK_ID, "--step", "9"], { taskonaut: await ended() });
  expect(code).toBe(2);
  expect(stderr).toStartWith(`error: Task ${TASK_ID} has the steps 1 to 2, and no step 9.\n`);
});
