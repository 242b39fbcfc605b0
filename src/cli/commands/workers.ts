import type { Worker } from "../../core/api/worker.ts";
import { showText } from "../cells.ts";
import type { Call, Command } from "../command.ts";
import { withTaskonaut } from "../drive.ts";
import { listToJson, tell } from "../print.ts";
import { type Column, drawTable } from "../table.ts";
import { roughly } from "../../core/times.ts";
import { throwIfDamaged } from "../throw-if-damaged.ts";
import { describeAge } from "../times.ts";

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
      if (look.style !== "readable") await io.stdout.write(listToJson(all, look));
      else if (all.length > 0) await io.stdout.write(showWorkers(all, look));
      else await tell(call, ["Nobody works on the queue."], call.hints.give("work"));
      throwIfDamaged("workers", all);
      return 0;
    }),
};

function showWorkers(all: readonly Worker[], look: Call["look"]): string {
  return `${drawTable(columnsOf(look.now()), all, look).join("\n")}\n`;
}

function columnsOf(now: number): readonly Column<Worker>[] {
  return [
    {
      head: "WORKER",
      least: 12,
      most: 60,
      show: ({ name }, width) => ({ text: showText(name, width), color: "bold" }),
    },
    {
      head: "STATE",
      show: ({ state }) => ({ text: showText(state, 8), color: state === "alive" ? "green" : "red" }),
    },
    // a process that takes no tasks from the queue holds the tasks that callers drive through it
    {
      head: "TASKS",
      right: true,
      goes: 1,
      show: ({ tasks, concurrency }) => ({ text: concurrency === 0 ? String(tasks) : `${tasks}/${concurrency}` }),
    },
    { head: "STARTED", goes: 2, show: ({ started_at }) => ({ text: describeAge(started_at, now) }) },
    { head: "LEASE", goes: 3, show: (worker) => ({ text: describeLease(worker, now), color: "dim" }) },
  ];
}

/** How long others leave its tasks alone: `for 12 s`, or `ended 3 min ago`. */
function describeLease({ lease_until }: Worker, now: number): string {
  const ms = Date.parse(lease_until) - now;
  return ms > 0 ? `for ${roughly(ms)}` : `ended ${describeAge(lease_until, now)}`;
}
