import { bulkCommand } from "../bulk/bulk-command.ts";

export const resumeTasks = bulkCommand({
  action: "resume",
  name: "resume-tasks",
  summary: "Take up all parked tasks that match",
  about: "It shows how many, and asks. A task whose reason still stands is parked again.",
  examples: ["resume-tasks --flow echo_add --dry-run", "resume-tasks --all --yes"],
});
