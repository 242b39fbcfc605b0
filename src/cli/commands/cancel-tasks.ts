import { bulkCommand } from "../bulk/bulk-command.ts";

export const cancelTasks = bulkCommand({
  action: "cancel",
  name: "cancel-tasks",
  summary: "Cancel all tasks that match",
  about:
    "It shows how many, and asks. Tasks that nobody has begun end at once; all others hear of it, and end when their flows have cleaned up.",
  examples: ["cancel-tasks --flow echo_add --dry-run", "cancel-tasks --flow echo_add --until 7d --yes"],
});
