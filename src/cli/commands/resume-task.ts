import { isTerminal } from "../../core/record/status.ts";
import type { Task } from "../../core/api/task.ts";
import type { Command } from "../command.ts";
import { withTask } from "../drive.ts";
import { printingParked } from "../print-parked.ts";
import { REASON } from "../reason.ts";
import { printTaken } from "../tell-takers.ts";

export const resumeTask: Command = {
  name: "resume-task",
  summary: "Take a parked task up again",
  about:
    "A task is parked when it cannot go on as its flow stands now; `taskonaut get-task` shows why. Change the flow back, or whatever the reason says; then resume the task, and `taskonaut run-task` goes on.",
  args: [{ name: "id", required: true }],
  options: [REASON],
  takesFields: false,
  needs: "tasks",
  logLevel: "warn",
  examples: ["resume-task @last"],

  run: (call) =>
    withTask(call, async (taskonaut, id) => {
      const task = await printingParked(call, taskonaut, id, () => taskonaut.resumeTask(id));
      await printTaken(call, taskonaut, task, { done: describeResumed(task) });
      return 0;
    }),
};

function describeResumed({ id, status }: Task): string {
  return isTerminal(status) ? `Task ${id} is ${status}: there is nothing to resume.` : `Task ${id} is resumed.`;
}
