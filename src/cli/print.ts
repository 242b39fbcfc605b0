// Data on stdout: JSON for programs, text for people.

import type { Task } from "../core/api/task.ts";
import { taskJson } from "../core/api/task-json.ts";
import { escapeControls, showControls } from "../log/visible.ts";
import type { Call } from "./command.ts";
import { describeWaits, suggestCommands } from "./describe-waits.ts";
import type { Look } from "./look.ts";
import { showTask } from "./show-task.ts";

export async function printTask({ io, look }: Pick<Call, "io" | "look">, task: Task): Promise<void> {
  if (look.style === "readable") await io.stdout.write(showTask(task, look));
  else if (look.style === "pretty") await io.stdout.write(`${toJson(task, look)}\n`);
  else {
    for (const text of taskJson(task)) if (!(await io.stdout.write(text))) return;
    await io.stdout.write("\n");
  }
}

/** Says on stderr what the task waits for and what takes it on, unless JSON was asked for and nothing else. */
export async function tellWaits(
  { io, flags }: Pick<Call, "io" | "flags">,
  task: Task,
  subject = "The task",
): Promise<void> {
  if (flags.has("json") || task.waiting_for.length === 0) return;
  const lines = [
    ...describeWaits(task).map((text) => showControls(`${subject} waits ${text}.`)),
    ...suggestCommands(task).map((command) => `next: ${command}`),
  ];
  await io.stderr.write(`${lines.join("\n")}\n`);
}

/** Exactly the value; on a terminal indented, and with controls as escapes, which a terminal cannot obey. */
export function toJson(value: unknown, { style }: Look): string {
  return style === "compact" ? JSON.stringify(value) : escapeControls(JSON.stringify(value, null, 2));
}

/** 1 for a task that has ended without its result, else 0. */
export function exitCodeOf({ status }: Task): number {
  return status === "FAILED" || status === "CANCELLED" ? 1 : 0;
}
