import { expect, test } from "bun:test";
import { cli } from "../../../test/support/cli-in-memory.ts";
import { FakeTaskonaut, TASK_ID } from "../../../test/support/fake-taskonaut.ts";

async function ended(): Promise<FakeTaskonaut> {
  const taskonaut = new FakeTaskonaut();
  await cli(["run-flow", "echo_add"], { taskonaut });
  return taskonaut;
}

test("a fork shows what happens again, is made with --yes, and has the keys that were shown", async () => {
  const taskonaut = await ended();
  const shown = await cli(["fork-task", TASK_ID, "--from", "2", "--dry-run"], { taskonaut });
  expect([shown.code, JSON.parse(shown.stdout)]).toMatchObject([0, { shared_steps: 1, effects: [{ step_index: 2 }] }]);
  const people = await cli(["fork-task", TASK_ID, "--from", "2", "--dry-run"], {
    taskonaut,
    isTTY: true,
    env: { NO_COLOR: "1" },
  });
  expect(people.stdout).toContain(
    `The fork of task ${TASK_ID} from step 2 takes over 1 step.\nThis would happen again`,
  );
  expect(taskonaut.tasks.size).toBe(1);
  const args = ["fork-task", TASK_ID, "--from", "2", "--input", '{"a":7}', "--set", '1={"text":"="}', "--yes"];
  const made = await cli(args, { taskonaut });
  expect([made.code, JSON.parse(made.stdout)]).toMatchObject([
    0,
    { status: "PLANNED", forked_from: { task_id: TASK_ID, step: 2 } },
  ]);
  const [preview, create] = taskonaut.forks.asked.slice(-2);
  expect(create).toEqual(preview);
  expect(create).toMatchObject({ from: 2, input: { a: 7 }, set: { 1: { text: "=" } } });
});

test("a fork may be run or enqueued, and one that does nothing again needs no question", async () => {
  const taskonaut = await ended();
  const run = await cli(["fork-task", TASK_ID, "--from", "3", "--mode", "run"], { taskonaut });
  expect([run.code, JSON.parse(run.stdout)]).toMatchObject([0, { status: "COMPLETED" }]);
  const queued = await cli(["fork-task", TASK_ID, "--from", "3", "--mode", "enqueue", "--priority", "1"], {
    taskonaut,
  });
  expect([queued.code, JSON.parse(queued.stdout)]).toMatchObject([0, { status: "PLANNED", priority: 1 }]);
});

test("the data of a pipe is the input of a fork, and is refused beside --set", async () => {
  const taskonaut = await ended();
  const made = await cli(["fork-task", TASK_ID, "--from", "3"], { taskonaut, stdin: '{"a":9}' });
  expect(made.code).toBe(0);
  expect(taskonaut.forks.asked.at(-1)).toMatchObject({ from: 3, input: { a: 9 } });
  const args = ["fork-task", TASK_ID, "--from", "3", "--set", '1={"text":"="}'];
  const refused = await cli(args, { taskonaut, stdin: '{"a":9}' });
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain("stdin: has data, but --set 1 is given");
});

test.each([
  [[], "say from which step on the fork is new"],
  [["--from", "0"], "--from: expected"],
  [["--from", "2", "--set", "x=1"], "--set: expected the number of a step and its output"],
  [["--from", "2", "--set", "1=1", "--set", "1=2"], "--set: gives step 1 more than once"],
  [["--from", "2", "--set", "1={"], "--set 1"],
  [["--from", "2", "--mode", "advance"], "--mode"],
  [["--from", "2", "--at", "1h"], "--at: means something with --mode enqueue only"],
  [["--from", "2"], "--yes: is missing, and nobody can be asked here"],
])("fork-task %j is refused, and makes nothing", async (args, why) => {
  const taskonaut = await ended();
  const { code, stderr } = await cli(["fork-task", TASK_ID, ...args], { taskonaut });
  expect([code, taskonaut.tasks.size]).toEqual([2, 1]);
  expect(stderr).toContain(why);
});
