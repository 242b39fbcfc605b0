import { expect, test } from "bun:test";
import type { StepStatus, TaskStatus } from "../core/record/status.ts";
import type { Task } from "../core/api/task.ts";
import { plannedStep, plannedTask } from "../../test/support/tasks.ts";
import { followTask } from "./follow-task.ts";

function taskOf(status: TaskStatus, ...steps: StepStatus[]): Task {
  return plannedTask({
    status,
    steps: steps.map((stepStatus, index) =>
      plannedStep({ id: `s${index + 1}`, step_index: index + 1, status: stepStatus }),
    ),
  });
}

/** Follows a task through the given states; the last one stays. */
async function follow(states: readonly Task[], maxSteps?: number) {
  const shown: string[] = [];
  let advances = 0;
  const advanceTask = async (): Promise<Task> => states[Math.min(++advances, states.length - 1)] as Task;
  const task = await followTask({ advanceTask }, states[0] as Task, {
    maxSteps,
    onStepEnded: async ({ id }) => {
      shown.push(id);
    },
  });
  return { task, shown, advances };
}

const LIFE = [
  taskOf("PLANNED", "PLANNED", "PLANNED"),
  taskOf("RUNNING", "PLANNED", "PLANNED"),
  taskOf("WAITING_OBSERVATION", "COMPLETED", "PLANNED"),
  taskOf("RUNNING", "COMPLETED", "PLANNED"),
  taskOf("WAITING_OBSERVATION", "COMPLETED", "FAILED"),
  taskOf("FAILED", "COMPLETED", "FAILED"),
];

test("each step is shown once, when it has ended, and the task is followed to its end", async () => {
  expect(await follow(LIFE)).toMatchObject({ task: { status: "FAILED" }, shown: ["s1", "s2"], advances: 5 });
});

test("steps that had ended before are not shown, and a task that has ended is not advanced", async () => {
  expect(await follow(LIFE.slice(3))).toMatchObject({ shown: ["s2"], advances: 2 });
  expect(await follow(LIFE.slice(5))).toMatchObject({ shown: [], advances: 0 });
});

test("the last transition that is allowed may be the one that ends the task; one fewer is too few", async () => {
  expect(await follow(LIFE, 5)).toMatchObject({ task: { status: "FAILED" } });
  expect(follow(LIFE, 4)).rejects.toMatchObject({
    code: "max_steps_exhausted",
    message: "Task t1 did not reach terminal state within 4 steps",
  });
});

test("a task that only waits is given back, once an advance finds nothing to observe", async () => {
  const waiting_for = [{ kind: "signal", name: "go", until: null, task_id: null }] as const;
  const first = { ...taskOf("WAITING_OBSERVATION", "COMPLETED", "PLANNED"), waiting_for };
  const second = { ...taskOf("WAITING_OBSERVATION", "COMPLETED", "COMPLETED", "PLANNED"), waiting_for };
  expect(await follow([taskOf("RUNNING", "PLANNED", "PLANNED"), first, second])).toMatchObject({
    task: second,
    shown: ["s1", "s2"],
    advances: 3,
  });
});

test("a task that waits for nothing is not given back before its end, though an advance changed nothing to see", async () => {
  const observing = taskOf("WAITING_OBSERVATION", "COMPLETED");
  expect(await follow([observing, observing, taskOf("COMPLETED", "COMPLETED")])).toMatchObject({ advances: 2 });
});
