import { isTerminal } from "../../core/record/status.ts";
import type { Task } from "../../core/api/task.ts";
import type { Command } from "../command.ts";
import { drive, withTask } from "../drive.ts";
import { printingParked } from "../print-parked.ts";
import { REASON } from "../reason.ts";
import { printTask } from "../print.ts";
import { printTaken } from "../tell-takers.ts";

/** Another process drives the task, its flow waits while it cleans up, or it is not loaded here. */
const PENDING =
  "The cancel is recorded. The task ends when what its flow has to clean up is done, by a process that has the flow.";

export const cancelTask: Command = {
  name: "cancel-task",
  summary: "Cancel a task; its flow cleans up first",
  about: "Running tools are told to stop, and the `finally` blocks of the flow are run. What was done stays done.",
  args: [{ name: "id", required: true }],
  options: [
    { name: "force", summary: "End it at once, also where its flow cannot clean up, and tell what is left undone" },
    REASON,
  ],
  takesFields: false,
  needs: "tasks",
  logLevel: "warn",
  examples: ["cancel-task @last", "# where its flow is lost, or cannot clean up", "cancel-task @last --force"],

  // 0, unlike a run that ends CANCELLED: here the cancel was asked for
  run: (call) =>
    withTask(call, async (taskonaut, id) => {
      const force = call.flags.has("force");
      const cancel = (): Promise<Task> => drive(call, taskonaut, id, () => taskonaut.cancelTask(id, { force }));
      const task = await printingParked(call, taskonaut, id, cancel);
      if (isTerminal(task.status)) await printTask(call, taskonaut, task);
      else
        await printTaken(call, taskonaut, task, {
          done: PENDING,
          more: call.hints.give("cancelByForce", { id: task.id }),
        });
      return 0;
    }),
};
