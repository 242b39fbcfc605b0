import type { Command } from "../command.ts";
import { withTaskonaut } from "../drive.ts";
import { printTask } from "../print.ts";

export const retryTask: Command = {
  name: "retry-task",
  summary: "Open the failed step again that ended a task; run-task then goes on",
  args: [{ name: "id", required: true }],
  options: [],
  takesFields: false,
  needs: "tasks",
  logLevel: "warn",
  examples: ["retry-task 019ab2c4-5d6e-7f80-9a1b-2c3d4e5f6071"],

  run: (call) =>
    withTaskonaut(call, async (taskonaut) => {
      await printTask(call, await taskonaut.retryTask(call.args[0] ?? ""));
      return 0;
    }),
};
