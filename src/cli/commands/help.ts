import type { Command } from "../command.ts";

export const help: Command = {
  name: "help",
  summary: "Show the help of a command, or of a flow's fields",
  args: [
    { name: "command", required: false },
    { name: "flow", required: false },
  ],
  options: [],
  takesFields: false,
  needs: "program",
  ignores: ["json", "format"],
  logLevel: "warn",
  examples: ["help run-flow", "help run-flow echo_add", "help options"],

  async run({ args, io, program }) {
    await io.stdout.write(await program.writeHelp(args));
    return 0;
  },
};
