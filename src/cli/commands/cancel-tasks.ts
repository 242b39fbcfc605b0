import { bulkCommand } from "../bulk/bulk-command.ts";

export const cancelTasks = bulkCommand({
  action: "cancel",
  name: "cancel-tasks",
  summary: "Cancel all tasks that match",
  about:
    "It shows how many, and asks. Tasks that nobody has begun end at once; all others hear of it, and end when their flows have cleaned up.",
  options: [
    {
      name: "force",
      summary: "End them at once, also where their flows cannot clean up; each tells what is left undone",
    },
  ],
  examples: [
    "cancel-tasks --flow echo_add --dry-run",
    "cancel-tasks --flow echo_add --until 7d --yes",
    "# where their flows are lost, or cannot clean up",
    "cancel-tasks --parked --force --yes",
  ],
});
