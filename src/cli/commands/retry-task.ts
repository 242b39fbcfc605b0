import type { Task } from "../../core/api/task.ts";
import type { Taskonaut } from "../../core/api/taskonaut.ts";
import type { Call, Command } from "../command.ts";
import { withTask } from "../drive.ts";
import { REASON } from "../reason.ts";
import { tell } from "../print.ts";
import { printTaken } from "../tell-takers.ts";

export const retryTask: Command = {
  name: "retry-task",
  summary: "Open the failed step of a task again",
  about:
    "It opens the step whose failure ended the task, or all failed steps of a group. Other results stay as they are. `taskonaut run-task` then goes on.",
  args: [{ name: "id", required: true }],
  options: [REASON],
  takesFields: false,
  needs: "tasks",
  logLevel: "warn",
  examples: ["retry-task @last"],

  run: (call) =>
    withTask(call, async (taskonaut, id) => {
      const task = await taskonaut.retryTask(id);
      await printTaken(call, taskonaut, task, { done: `The failed step of task ${task.id} is open again.` });
      await tellOfParent(call, taskonaut, task);
      return 0;
    }),
};

/** The parent has failed with this task, and does not continue by itself: it needs a retry of its own. */
async function tellOfParent(call: Call, taskonaut: Taskonaut, task: Task): Promise<void> {
  if (call.flags.has("json") || task.parent_task_id === null) return;
  // the retry has succeeded: a parent that was removed or cannot be read does not make it an error
  const found = await taskonaut.findTasks(task.parent_task_id).catch(() => undefined);
  const parent = found?.tasks[0];
  if (parent?.status !== "FAILED") return;
  const { hints } = call;
  const text = `Its parent ${parent.id} (${parent.flow_name}) has failed too. When this task has ended, the parent's own retry takes up its end.`;
  await tell(call, [text], hints.give("retryParent", { id: parent.id }));
}
