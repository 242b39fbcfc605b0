import { TaskonautError } from "../../core/errors.ts";
import type { StepSummary, Task, TaskSummary } from "../../core/api/task.ts";
import type { Taskonaut } from "../../core/api/taskonaut.ts";
import type { Call, Command } from "../command.ts";
import { withTask } from "../drive.ts";
import { nextSteps } from "../next-steps.ts";
import { printTask, toJson } from "../print.ts";
import { showWholeStep } from "../show-step.ts";
import { showTask } from "../show-task.ts";
import { readCount } from "../usage.ts";
import { readWatch, WATCH_OPTION } from "../watch.ts";
import { watchTask } from "../watch-task.ts";
import { readView, VIEW_OPTION, withoutPayloads } from "../view.ts";

const STEP_MAX = 1_000_000;

export const getTask: Command = {
  name: "get-task",
  summary: "Show a task with its steps, times and results",
  args: [{ name: "id", required: true }],
  options: [
    { name: "step", value: "N", summary: "One step alone, whole: input, output, errors with their causes, calls" },
    VIEW_OPTION,
    WATCH_OPTION,
  ],
  takesFields: false,
  needs: "tasks",
  readsOnly: true,
  logLevel: "warn",
  examples: [
    "# the newest task; the beginning of an id is enough as well",
    "get-task @last",
    "get-task @last:echo_add --json",
    "get-task @last --step 2",
    "# a line for each change, until the task has ended; on a terminal --watch alone shows the steps in place",
    "get-task @last --watch --format ndjson",
  ],

  async run(call) {
    const step = readCount(call.flags, "step", { min: 1, max: STEP_MAX });
    const view = readView(call);
    const watches = readWatch(call, ["step"]);
    return withTask(call, async (taskonaut, id) => {
      if (watches && (await watchTask(call, taskonaut, id))) return 0;
      if (view === "summary")
        await printSummary(call, taskonaut, { summary: await taskonaut.getTaskSummary(id), step });
      else await print(call, taskonaut, { task: await taskonaut.getTask(id), step });
      return 0;
    });
  },
};

async function print(
  call: Call,
  taskonaut: Taskonaut,
  { task, step }: { readonly task: Task; readonly step: number | undefined },
): Promise<void> {
  if (step === undefined) return printTask(call, taskonaut, task);
  const { io, look } = call;
  const found = findStep(task, step);
  await io.stdout.write(look.style === "readable" ? showWholeStep(task, found, look) : `${toJson(found, look)}\n`);
}

async function printSummary(
  call: Call,
  taskonaut: Taskonaut,
  { summary, step }: { readonly summary: TaskSummary; readonly step: number | undefined },
): Promise<void> {
  const { io, look } = call;
  if (look.style !== "readable") {
    await io.stdout.write(`${toJson(step === undefined ? summary : findStep(summary, step), look)}\n`);
    return;
  }
  const task = withoutPayloads(summary);
  await io.stdout.write(
    step === undefined
      ? showTask(task, look, await nextSteps(call, taskonaut, task), { payloads: false })
      : showWholeStep(task, findStep(task, step), look, { payloads: false }),
  );
}

/** Throws input_invalid. */
function findStep<Step extends StepSummary>(
  task: { readonly id: string; readonly steps: readonly Step[] },
  index: number,
): Step {
  const { id, steps } = task;
  const found = steps.find((step) => step.step_index === index);
  if (found) return found;
  const last = steps.at(-1)?.step_index;
  const message =
    last === undefined
      ? `Task ${id} has no steps yet`
      : `Task ${id} has ${last === 1 ? "step 1" : `the steps 1 to ${last}`}, and no step ${index}`;
  throw new TaskonautError("input_invalid", `${message}.`, { errors: [], details: { task_id: id, step: index } });
}
