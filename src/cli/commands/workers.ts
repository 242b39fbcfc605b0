import type { Worker } from "../../core/api/worker.ts";
import { alignRows, type Cell, showText } from "../cells.ts";
import type { Call, Command } from "../command.ts";
import { withTaskonaut } from "../drive.ts";
import { tell, toJson } from "../print.ts";
import { showTime } from "../show-task.ts";

export const workers: Command = {
  name: "workers",
  summary: "List the workers with their load",
  about: "A worker is a process that takes tasks from the queue: `taskonaut work`, or `taskonaut run-app`.",
  args: [],
  options: [],
  takesFields: false,
  needs: "tasks",
  readsOnly: true,
  logLevel: "warn",
  examples: ["workers", "workers --json | jq '.[] | select(.state == \"dead\")'"],

  run: (call) =>
    withTaskonaut(call, async (taskonaut) => {
      const all = await taskonaut.listWorkers();
      const { io, look } = call;
      if (look.style !== "readable") await io.stdout.write(`${toJson(all, look)}\n`);
      else if (all.length > 0) await io.stdout.write(showWorkers(all, look));
      else await tell(call, ["Nobody works on the queue."], call.hints.give("work"));
      return 0;
    }),
};

const HEAD: readonly Cell[] = ["WORKER", "STATE", "TASKS", "SINCE (UTC)", "LEASE UNTIL (UTC)"].map((text) => ({
  text,
  color: "dim",
}));

function showWorkers(all: readonly Worker[], { paint }: Call["look"]): string {
  const rows = all.map(({ name, state, tasks, concurrency, started_at, lease_until }): readonly Cell[] => [
    { text: showText(name, 40), color: "bold" },
    { text: showText(state, 8), color: state === "alive" ? "green" : "red" },
    // one that takes none from the queue holds what callers drive through it
    { text: concurrency === 0 ? String(tasks) : `${tasks}/${concurrency}` },
    { text: showTime(started_at).slice(0, 19) },
    { text: showTime(lease_until).slice(0, 19), color: "dim" },
  ]);
  return `${alignRows([HEAD, ...rows], paint).join("\n")}\n`;
}
