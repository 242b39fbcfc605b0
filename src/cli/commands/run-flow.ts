import type { Task } from "../../core/api/task.ts";
import type { CreateTask } from "../../core/api/create-task.ts";
import type { Taskonaut } from "../../core/api/taskonaut.ts";
import { MODES } from "../ask-task.ts";
import type { Option } from "../option.ts";
import type { Call, Command } from "../command.ts";
import { drive, withTaskonaut } from "../drive.ts";
import type { RunView } from "../live/run-view.ts";
import { GLOBAL_OPTIONS } from "../options.ts";
import { printingParked } from "../print-parked.ts";
import { exitCodeOf, printTask } from "../print.ts";
import { EXPIRES_OPTION, QUEUE_OPTIONS, readQueueOptions } from "../queue-options.ts";
import { type RunOptions, RUN_OPTIONS, readRunOptions, runOn } from "../run-on.ts";
import { INPUT_OPTION } from "../read-input.ts";
import { createSettled, readTyped, type Settled, settleTask } from "../settle-task.ts";
import { openRunView } from "../show-run.ts";
import { readTagOptions, TAG_OPTION } from "../tag-options.ts";
import { readTraceparentOption, TRACEPARENT_OPTION } from "../traceparent-option.ts";
import { printTaken } from "../tell-takers.ts";
import { readWord, usageError } from "../usage.ts";

const OPTIONS: readonly Option[] = [
  INPUT_OPTION,
  {
    name: "mode",
    value: "mode",
    summary: "Run to the end (default), advance by one transition, create only, or enqueue for a worker",
  },
  ...RUN_OPTIONS,
  ...QUEUE_OPTIONS,
  TAG_OPTION,
  EXPIRES_OPTION,
  TRACEPARENT_OPTION,
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
    "# find it again with get-tasks --tag customer=c1",
    "run-flow echo_add --tag customer=c1",
  ],

  async run(call) {
    const mode = readWord(call.flags, "mode", MODES);
    const options = readRunOptions(call);
    const queueing = readQueueOptions(call, mode);
    const more = { ...readTagOptions(call), ...readTraceparentOption(call) };
    const runs = RUN_OPTIONS.find(({ name }) => call.flags.has(name));
    if (runs && (mode ?? "run") !== "run") {
      throw usageError([{ path: `--${runs.name}`, message: `means nothing with --mode ${mode}` }]);
    }
    const typed = await readTyped(call, [...OPTIONS, ...GLOBAL_OPTIONS]);
    const view = await openRunView(call);
    return withTaskonaut(
      call,
      async (taskonaut) => {
        const settled = await settleTask(call, taskonaut, typed, runs ? "run" : mode);
        const { mode: chosen } = settled;
        const request = { ...settled.request, ...more };
        if (chosen === "run" || chosen === "advance") await taskonaut.checkMayRun();
        const asked = settled.form !== undefined;
        // a person sees the id as soon as the task exists; for a program, creating and running are one call
        const task =
          chosen === "run" && !view && !asked
            ? await runNew(call, taskonaut, request, options)
            : await carryOn(call, taskonaut, settled, {
                ...options,
                view,
                queueing: chosen === "enqueue" ? { start: "now", ...queueing, ...more } : { ...queueing, ...more },
              });
        if (asked) await call.io.stderr.write("\n");
        if (chosen === "enqueue") await printTaken(call, taskonaut, task, { done: `Task ${task.id} is in the queue.` });
        else await printTask(call, taskonaut, task);
        return exitCodeOf(task);
      },
      view?.model,
    );
  },
};

async function runNew(call: Call, taskonaut: Taskonaut, request: CreateTask, options: RunOptions): Promise<Task> {
  const begun = await taskonaut.results.begin(request);
  const { id } = begun;
  const limit = options.maxSteps === undefined ? {} : { maxSteps: options.maxSteps };
  let isBegun = false;
  const runOnce = (): Promise<Task> => {
    if (isBegun) return taskonaut.runTask(id, limit);
    isBegun = true;
    return begun.run(limit);
  };
  return printingParked(call, taskonaut, id, () => runOn(call, taskonaut, { ...options, id, runOnce }));
}

interface FlowRunOptions extends RunOptions {
  /** What goes with the task's creation. */
  readonly queueing: Omit<CreateTask, "flow" | "input">;
  /** Shows the task while it runs. */
  readonly view: RunView | undefined;
}

async function carryOn(
  call: Call,
  taskonaut: Taskonaut,
  settled: Settled,
  { queueing, ...options }: FlowRunOptions,
): Promise<Task> {
  const { task } = await createSettled(settled, (request) => taskonaut.createTask({ ...request, ...queueing }));
  const { id } = task;
  return printingParked(call, taskonaut, id, () => {
    switch (settled.mode) {
      case "create":
      case "enqueue":
        return Promise.resolve(task);
      case "advance":
        return drive(call, taskonaut, id, () => taskonaut.advanceTask(id));
      case "run":
        return runOn(call, taskonaut, { ...options, id, known: task });
    }
  });
}
