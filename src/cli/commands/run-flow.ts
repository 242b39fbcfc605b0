import { DEFAULT_FLOW } from "../../core/flow/default-flow.ts";
import type { Task } from "../../core/api/task.ts";
import type { Taskonaut } from "../../core/api/taskonaut.ts";
import { type Answers, askMissing, askTask, MODES, type Mode } from "../ask-task.ts";
import type { Call, Command, Option } from "../command.ts";
import { drive, withTaskonaut } from "../drive.ts";
import { followTask } from "../follow-task.ts";
import { readFields } from "../input-fields.ts";
import { GLOBAL_OPTIONS } from "../options.ts";
import { printingParked } from "../print-parked.ts";
import { exitCodeOf, printTask } from "../print.ts";
import { QUEUE_OPTIONS, readQueueOptions } from "../queue-options.ts";
import { type Course, COURSE_OPTIONS, readCourse, runOn } from "../run-on.ts";
import { INPUT_OPTION, readInput } from "../read-input.ts";
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
    return withTaskonaut(call, async (taskonaut) => {
      const { asked, request, mode: chosen } = await settle(call, taskonaut, runs ? "run" : mode);
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

/** What to run, and whether a person was asked for any of it: for everything, or for what they left out. */
async function settle(
  call: Call,
  taskonaut: Taskonaut,
  mode: Mode | undefined,
): Promise<Answers & { readonly asked: boolean }> {
  const { io, args, fields } = call;
  const asks = canAsk(call);
  if (asks && args.length === 0 && fields.size === 0) {
    return { asked: true, ...(await askTask(io, { flows: await taskonaut.listFlows(), mode })) };
  }
  const name = args[0] ?? DEFAULT_FLOW;
  const options = [...OPTIONS, ...GLOBAL_OPTIONS];
  if (!asks) {
    const input = await readInput(call, options, () => taskonaut.describeFlow(name));
    return { asked: false, request: { flow: name, input }, mode: mode ?? "run" };
  }
  const flow = await taskonaut.describeFlow(name);
  // first what was typed: nobody should answer questions for a call that is refused then
  const given = readFields(flow, fields, options);
  const missing = await askMissing(io, flow, given);
  return {
    asked: missing !== undefined,
    request: { flow: name, input: { ...given, ...missing } },
    mode: mode ?? "run",
  };
}

/** A person is there, wants text, and has not given the input as a whole. */
function canAsk({ io, look, flags }: Call): boolean {
  return io.stdinIsTTY && io.stderr.isTTY && look.style === "readable" && !flags.has(INPUT_OPTION.name);
}

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
