import { bulkCommand } from "../bulk/bulk-command.ts";

export const retryTasks = bulkCommand({
  action: "retry",
  name: "retry-tasks",
  summary: "Open the failed steps of all FAILED tasks that match",
  about:
    "It shows how many, and asks. Each task is opened once, also where it fails again at once; workers go on with it.",
  examples: ["retry-tasks --flow echo_add --since 2h --dry-run", "retry-tasks --error timeout --since 2h --yes"],
});
