import type { Task } from "../../core/api/task.ts";
import type { Taskonaut } from "../../core/api/taskonaut.ts";
import { MODES, type Mode } from "../ask-task.ts";
import type { Call, Command, Option } from "../command.ts";
import { drive, withTaskonaut } from "../drive.ts";
import { followTask } from "../follow-task.ts";
import { GLOBAL_OPTIONS } from "../options.ts";
import { printingParked } from "../print-parked.ts";
import { exitCodeOf, printTask } from "../print.ts";
import { QUEUE_OPTIONS, readQueueOptions } from "../queue-options.ts";
import { type Course, COURSE_OPTIONS, readCourse, runOn } from "../run-on.ts";
import { INPUT_OPTION } from "../read-input.ts";
import { readTyped, settleTask } from "../settle-task.ts";
import { showStep } from "../show-task.ts";
import { printTaken } from "../tell-takers.ts";
import { readWord, usageError } from "../usage.ts";

const OPTIONS: readonly Option[] = [
  INPUT_OPTION,
  {
    name: "mode",
    value: "mode",
    summary: "Run to the end (default), advance by one transition, create only, or enqueue for a worker",
  },
  ...COURSE_OPTIONS,
  ...QUEUE_OPTIONS,
];

export const runFlow: Command = {
  name: "run-flow",
  summary: "Create a task of a flow and run it",
  about:
    "Each field of the flow's input is an option: `taskonaut run-flow echo_add --help` lists those of echo_add. Without a flow, a terminal is asked for everything; elsewhere it is echo_add, which comes with the program. The task is recorded step by step, so any process can resume it.",
  args: [{ name: "flow", required: false }],
  options: OPTIONS,
  takesFields: true,
  needs: "tasks",
  makesDatabase: true,
  logLevel: "warn",
  examples: [
    "# asks for everything on a terminal",
    "run-flow",
    "run-flow echo_add --text hello --a 2 --b -3",
    "# the fields of a flow, with their types and defaults",
    "run-flow echo_add --help",
    'run-flow echo_add --input \'{"text":"007"}\' --json | jq .output_payload',
    "# create it, and run nothing yet",
    "run-flow echo_add --text 007 --mode create",
    "# put it in the queue, for a worker",
    "run-flow echo_add --mode enqueue --at 2h --priority 3",
  ],

  async run(call) {
    const mode = readWord(call.flags, "mode", MODES);
    const course = readCourse(call);
    const queueing = readQueueOptions(call, mode);
    const runs = COURSE_OPTIONS.find(({ name }) => call.flags.has(name));
    if (runs && (mode ?? "run") !== "run") {
      throw usageError([{ path: `--${runs.name}`, message: `means nothing with --mode ${mode}` }]);
    }
    const typed = await readTyped(call, [...OPTIONS, ...GLOBAL_OPTIONS]);
    return withTaskonaut(call, async (taskonaut) => {
      const { asked, request, mode: chosen } = await settleTask(call, taskonaut, typed, runs ? "run" : mode);
      const { task: created } = await taskonaut.createTask(
        chosen === "enqueue" ? { ...request, start: "now", ...queueing } : request,
      );
      const task = await printingParked(call, taskonaut, created.id, () =>
        carryOn(call, taskonaut, created, { ...course, mode: chosen, shows: asked }),
      );
      if (asked) await call.io.stderr.write("\n");
      if (chosen === "enqueue") await printTaken(call, taskonaut, task, { done: `Task ${task.id} is in the queue.` });
      else await printTask(call, taskonaut, task);
      return exitCodeOf(task);
    });
  },
};

interface FlowCourse extends Course {
  readonly mode: Mode;
  /** Whether to show each step as it ends. */
  readonly shows: boolean;
}

function carryOn(call: Call, taskonaut: Taskonaut, task: Task, { mode, shows, ...course }: FlowCourse): Promise<Task> {
  switch (mode) {
    case "create":
    case "enqueue":
      return Promise.resolve(task);
    case "advance":
      return drive(call, taskonaut, task.id, () => taskonaut.advanceTask(task.id));
    case "run":
      return runOn(call, taskonaut, {
        ...course,
        id: task.id,
        ...(shows && { runOnce: showingSteps(call, taskonaut, task, course) }),
      });
  }
}

/** Runs the task on from where the last call left it, and shows each step as it ends. */
function showingSteps({ io, look }: Call, taskonaut: Taskonaut, task: Task, { maxSteps }: Course): () => Promise<Task> {
  let current = task;
  return async () => {
    current = await followTask(taskonaut, current, {
      maxSteps,
      onStepEnded: async (step) => {
        await io.stderr.write(showStep(step, look));
      },
    });
    return current;
  };
}
