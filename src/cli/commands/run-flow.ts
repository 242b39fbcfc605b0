import { MAX_STEPS_MAX } from "../../core/limits.ts";
import type { Task } from "../../core/task.ts";
import type { CreateTask, Taskonaut } from "../../core/taskonaut.ts";
import { askTask, MODES, type Mode } from "../ask-task.ts";
import type { Call, Command, Option } from "../command.ts";
import { drive, withTaskonaut } from "../drive.ts";
import { followTask } from "../follow-task.ts";
import { readFields } from "../input-fields.ts";
import { GLOBAL_OPTIONS } from "../options.ts";
import { exitCodeOf, printTask } from "../print.ts";
import { showStep } from "../show-task.ts";
import { readCount, readWord, usageError } from "../usage.ts";

const FLOW_DEFAULT = "echo_add";

const OPTIONS: readonly Option[] = [
  { name: "mode", value: "mode", summary: "run to the end (default), advance by one transition, or create only" },
  { name: "max-steps", value: "N", summary: `Stop after N transitions, 1 to ${MAX_STEPS_MAX}` },
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
  ],

  async run(call) {
    const mode = readWord(call.flags, "mode", MODES);
    const maxSteps = readCount(call.flags, "max-steps", { min: 1, max: MAX_STEPS_MAX });
    if (maxSteps !== undefined && (mode ?? "run") !== "run") {
      throw usageError([{ path: "--max-steps", message: `means nothing with --mode ${mode}` }]);
    }
    return withTaskonaut(call, async (taskonaut) => {
      const asks = canAsk(call);
      const { request, mode: chosen } = asks
        ? await askTask(call.io, { flows: await taskonaut.listFlows(), mode: maxSteps === undefined ? mode : "run" })
        : { request: await readRequest(call, taskonaut), mode: mode ?? "run" };
      const { task: created } = await taskonaut.createTask(request);
      const task = await carryOn(call, taskonaut, created, { mode: chosen, maxSteps, shows: asks });
      if (asks) await call.io.stderr.write("\n");
      await printTask(call, task);
      return exitCodeOf(task);
    });
  },
};

/** A person is there, wants text, and has said nothing yet about what to run. */
function canAsk({ io, look, args, fields }: Call): boolean {
  return io.stdinIsTTY && io.stderr.isTTY && look.style === "readable" && args.length === 0 && fields.size === 0;
}

async function readRequest({ args, fields }: Call, taskonaut: Taskonaut): Promise<CreateTask> {
  const flow = args[0] ?? FLOW_DEFAULT;
  if (fields.size === 0) return { flow, input: {} };
  return { flow, input: readFields(await taskonaut.describeFlow(flow), fields, [...OPTIONS, ...GLOBAL_OPTIONS]) };
}

interface Course {
  readonly mode: Mode;
  readonly maxSteps: number | undefined;
  /** Whether to show each step as it ends. */
  readonly shows: boolean;
}

function carryOn(call: Call, taskonaut: Taskonaut, task: Task, { mode, maxSteps, shows }: Course): Promise<Task> {
  const { io, look } = call;
  switch (mode) {
    case "create":
      return Promise.resolve(task);
    case "advance":
      return drive(call, taskonaut, task.id, () => taskonaut.advanceTask(task.id));
    case "run":
      return drive(call, taskonaut, task.id, () =>
        shows
          ? followTask(taskonaut, task, {
              maxSteps,
              onStepEnded: async (step) => {
                await io.stderr.write(showStep(step, look));
              },
            })
          : taskonaut.runTask(task.id, maxSteps === undefined ? {} : { maxSteps }),
      );
  }
}
