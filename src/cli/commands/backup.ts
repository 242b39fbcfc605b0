import type { Command } from "../command.ts";
import { showControls } from "../../core/visible.ts";
import { toJson } from "../print.ts";

export const backup: Command = {
  name: "backup",
  summary: "Copy an SQLite database while it is in use",
  about: "The file must not exist yet. For PostgreSQL use pg_dump.",
  args: [{ name: "file", required: true }],
  options: [],
  takesFields: false,
  needs: "database",
  readsOnly: true,
  logLevel: "warn",
  examples: ["backup tasks-2026-11-28.db", "backup --database-url sqlite:tasks.db tasks-copy.db"],

  async run({ args, io, look, wiring }) {
    const made = await wiring.backUp(args[0] ?? "");
    const { from, file, bytes, tasks } = made;
    const said = `Copied ${tasks} ${tasks === 1 ? "task" : "tasks"} (${bytes} bytes) from ${showControls(from)} to ${showControls(file)}.`;
    await io.stdout.write(`${look.style === "readable" ? said : toJson(made, look)}\n`);
    return 0;
  },
};
