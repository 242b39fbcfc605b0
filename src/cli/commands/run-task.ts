import { MAX_STEPS_MAX } from "../../core/limits.ts";
import type { Command } from "../command.ts";
import { drive, withTaskonaut } from "../drive.ts";
import { exitCodeOf, printTask } from "../print.ts";
import { readCount } from "../usage.ts";

export const runTask: Command = {
  name: "run-task",
  summary: "Run a task until it has ended or only waits",
  args: [{ name: "id", required: true }],
  options: [{ name: "max-steps", value: "N", summary: `Stop after N transitions, 1 to ${MAX_STEPS_MAX}` }],
  takesFields: false,
  needs: "tasks",
  logLevel: "warn",
  examples: [
    "run-task 019ab2c4-5d6e-7f80-9a1b-2c3d4e5f6071",
    "run-task 019ab2c4-5d6e-7f80-9a1b-2c3d4e5f6071 --max-steps 3",
  ],

  async run(call) {
    const maxSteps = readCount(call.flags, "max-steps", { min: 1, max: MAX_STEPS_MAX });
    return withTaskonaut(call, async (taskonaut) => {
      const id = call.args[0] ?? "";
      const task = await drive(call, taskonaut, id, () =>
        taskonaut.runTask(id, maxSteps === undefined ? {} : { maxSteps }),
      );
      await printTask(call, task);
      return exitCodeOf(task);
    });
  },
};
