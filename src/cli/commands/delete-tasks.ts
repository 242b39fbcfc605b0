import { bulkCommand } from "../bulk/bulk-command.ts";

export const deleteTasks = bulkCommand({
  action: "delete",
  name: "delete-tasks",
  summary: "Remove all tasks that have ended and match",
  about:
    "It shows how many, and asks. Tasks go with their steps, calls and signals. Those that have not ended stay, and so do children whose parent has not.",
  examples: [
    "delete-tasks --flow echo_add --status CANCELLED --dry-run",
    "delete-tasks --status COMPLETED --finished-until 7d --yes",
  ],
});
