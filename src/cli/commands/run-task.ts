import type { Command } from "../command.ts";
import { withTask } from "../drive.ts";
import { printingParked } from "../print-parked.ts";
import { exitCodeOf, printTask } from "../print.ts";
import { openRunView } from "../show-run.ts";
import { tellBusy } from "../tell-busy.ts";
import { RUN_OPTIONS, readRunOptions, runOn } from "../run-on.ts";

export const runTask: Command = {
  name: "run-task",
  summary: "Run a task until it has ended or only waits",
  about:
    "It carries out the steps that are open and lets the flow decide on. What another process has begun is resumed from its record.",
  args: [{ name: "id", required: true }],
  options: RUN_OPTIONS,
  takesFields: false,
  needs: "tasks",
  logLevel: "warn",
  examples: ["run-task @last", "run-task @last --max-steps 100", "run-task @last --wait"],

  async run(call) {
    const options = readRunOptions(call);
    const view = await openRunView(call);
    return withTask(
      call,
      async (taskonaut, id) => {
        await tellBusy(call, taskonaut, id);
        const task = await printingParked(call, taskonaut, id, () => runOn(call, taskonaut, { id, view, ...options }));
        await printTask(call, taskonaut, task);
        return exitCodeOf(task);
      },
      view?.model,
    );
  },
};
