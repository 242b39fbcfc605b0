import { DEFAULT_FLOW } from "../../core/default-flow.ts";
import type { Task } from "../../core/task.ts";
import type { CreateTask, Taskonaut } from "../../core/taskonaut.ts";
import { askTask, MODES, type Mode } from "../ask-task.ts";
import type { Call, Command, Option } from "../command.ts";
import { drive, withTaskonaut } from "../drive.ts";
import { followTask } from "../follow-task.ts";
import { GLOBAL_OPTIONS } from "../options.ts";
import { exitCodeOf, printTask } from "../print.ts";
import { type Course, COURSE_OPTIONS, readCourse, runOn } from "../run-on.ts";
import { INPUT_OPTION, readInput } from "../read-input.ts";
import { showStep } from "../show-task.ts";
import { readWord, usageError } from "../usage.ts";

const OPTIONS: readonly Option[] = [
  INPUT_OPTION,
  { name: "mode", value: "mode", summary: "run to the end (default), advance by one transition, or create only" },
  ...COURSE_OPTIONS,
];

export const runFlow: Command = {
  name: "run-flow",
  summary: "Create a task of a flow and run it",
  args: [{ name: "flow", required: false }],
  options: OPTIONS,
  takesFields: true,
  needs: "tasks",
  logLevel: "warn",
  examples: [
    "run-flow                                  asks on a terminal, else takes the defaults of echo_add",
    "run-flow --text hello --a 2 --b -3",
    "run-flow echo_add --text 007 --mode create",
    "run-flow --json | jq .output_payload",
    "run-flow checkout --sku A1 --wait           also when the flow sleeps, or waits for a signal",
  ],

  async run(call) {
    const mode = readWord(call.flags, "mode", MODES);
    const course = readCourse(call);
    const runs = COURSE_OPTIONS.find(({ name }) => call.flags.has(name));
    if (runs && (mode ?? "run") !== "run") {
      throw usageError([{ path: `--${runs.name}`, message: `means nothing with --mode ${mode}` }]);
    }
    return withTaskonaut(call, async (taskonaut) => {
      const asks = canAsk(call);
      const { request, mode: chosen } = asks
        ? await askTask(call.io, { flows: await taskonaut.listFlows(), mode: runs ? "run" : mode })
        : { request: await readRequest(call, taskonaut), mode: mode ?? "run" };
      const { task: created } = await taskonaut.createTask(request);
      const task = await carryOn(call, taskonaut, created, { ...course, mode: chosen, shows: asks });
      if (asks) await call.io.stderr.write("\n");
      await printTask(call, task);
      return exitCodeOf(task);
    });
  },
};

/** A person is there, wants text, and has said nothing yet about what to run. */
function canAsk({ io, look, args, flags, fields }: Call): boolean {
  return (
    io.stdinIsTTY &&
    io.stderr.isTTY &&
    look.style === "readable" &&
    args.length === 0 &&
    fields.size === 0 &&
    !flags.has(INPUT_OPTION.name)
  );
}

async function readRequest(call: Call, taskonaut: Taskonaut): Promise<CreateTask> {
  const flow = call.args[0] ?? DEFAULT_FLOW;
  return { flow, input: await readInput(call, [...OPTIONS, ...GLOBAL_OPTIONS], () => taskonaut.describeFlow(flow)) };
}

interface FlowCourse extends Course {
  readonly mode: Mode;
  /** Whether to show each step as it ends. */
  readonly shows: boolean;
}

function carryOn(call: Call, taskonaut: Taskonaut, task: Task, { mode, shows, ...course }: FlowCourse): Promise<Task> {
  switch (mode) {
    case "create":
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
