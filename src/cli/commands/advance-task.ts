import type { Task } from "../../core/api/task.ts";
import type { Command } from "../command.ts";
import { drive, withTask } from "../drive.ts";
import { printingParked } from "../print-parked.ts";
import { tellBusy } from "../tell-busy.ts";
import { exitCodeOf, printTask } from "../print.ts";

export const advanceTask: Command = {
  name: "advance-task",
  summary: "Make one transition of a task",
  about: "A task is PLANNED, then RUNNING and WAITING_OBSERVATION in turn, until it is COMPLETED, FAILED or CANCELLED.",
  args: [{ name: "id", required: true }],
  options: [],
  takesFields: false,
  needs: "tasks",
  logLevel: "warn",
  examples: ["advance-task @last"],

  run: (call) =>
    withTask(call, async (taskonaut, id) => {
      await tellBusy(call, taskonaut, id);
      const advance = (): Promise<Task> => drive(call, taskonaut, id, () => taskonaut.advanceTask(id));
      const task = await printingParked(call, taskonaut, id, advance);
      await printTask(call, taskonaut, task);
      return exitCodeOf(task);
    }),
};
