import type { Command } from "../command.ts";
import { withTask } from "../drive.ts";
import { printTask } from "../print.ts";

export const getTask: Command = {
  name: "get-task",
  summary: "Show a task with its steps, times and results",
  args: [{ name: "id", required: true }],
  options: [],
  takesFields: false,
  needs: "tasks",
  readsOnly: true,
  logLevel: "warn",
  examples: ["get-task 019ab2c4-5d6e-7f80-9a1b-2c3d4e5f6071", "get-task 019ab2c4-5d6e-7f80-9a1b-2c3d4e5f6071 --json"],

  run: (call) =>
    withTask(call, async (taskonaut, id) => {
      await printTask(call, taskonaut, await taskonaut.getTask(id));
      return 0;
    }),
};
