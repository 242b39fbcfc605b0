// Data on stdout: JSON for programs, text for people.

import type { Task } from "../core/api/task.ts";
import type { Taskonaut } from "../core/api/taskonaut.ts";
import { taskJson } from "../core/api/task-json.ts";
import { escapeControls } from "../core/visible.ts";
import type { Call } from "./command.ts";
import { describeWaits } from "../core/api/describe-waits.ts";
import { type Hint, showHint } from "./hint.ts";
import type { Look } from "./look.ts";
import { nextSteps } from "./next-steps.ts";
import { showTask } from "./show-task.ts";
import { wrapWords } from "./wrap-words.ts";

type Printing = Pick<Call, "io" | "look" | "talk" | "flags" | "hints" | "wiring" | "isRemote">;
type Flows = Pick<Taskonaut, "describeFlow">;

/** `next`: hints for a person, in place of those that continue the task. */
export async function printTask(call: Printing, taskonaut: Flows, task: Task, next?: readonly Hint[]): Promise<void> {
  const { io, look } = call;
  if (look.style === "readable")
    await io.stdout.write(showTask(task, look, next ?? (await nextSteps(call, taskonaut, task))));
  else if (look.style === "pretty") await io.stdout.write(`${toJson(task, look)}\n`);
  else {
    for (const text of taskJson(task))
      if (!(await io.stdout.write(look.style === "lines" ? escapeControls(text) : text))) return;
    await io.stdout.write("\n");
  }
}

/** Says on stderr what the task waits for and how to continue it, unless JSON was asked for. */
export async function tellWaits(call: Printing, taskonaut: Flows, task: Task, subject = "The task"): Promise<void> {
  if (task.waiting_for.length === 0 || call.flags.has("json")) return;
  const texts = describeWaits(task, call.look.now()).map(
    (text) => `${subject} ${text.startsWith("blocked") ? "is" : "waits"} ${text}.`,
  );
  await tell(call, texts, await nextSteps(call, taskonaut, task));
}

/** Writes lines and hints to stderr, unless JSON was asked for. */
export async function tell(
  { io, flags, talk }: Pick<Call, "io" | "flags" | "talk">,
  texts: readonly string[],
  hints: readonly Hint[] = [],
): Promise<void> {
  if (flags.has("json")) return;
  const lines = [...texts.map((text) => wrapWords(text, io.stderr)), ...hints.map((hint) => showHint(hint, talk))];
  await io.stderr.write(`${lines.join("\n")}\n`);
}

/**
 * The exact value. `pretty` is indented. `pretty` and `lines` escape control characters: a terminal does not obey the
 * escapes, and no reader mistakes them for the end of a line.
 */
export function toJson(value: unknown, { style }: Pick<Look, "style">): string {
  if (style === "compact") return JSON.stringify(value);
  return escapeControls(style === "pretty" ? JSON.stringify(value, null, 2) : JSON.stringify(value));
}

/** A list as the format says: one array, or each value on a line of its own. With its line breaks. */
export function listToJson(values: readonly unknown[], look: Pick<Look, "style">): string {
  if (look.style !== "lines") return `${toJson(values, look)}\n`;
  return values.map((value) => `${toJson(value, look)}\n`).join("");
}

/** 1 for a task that has ended without its result, else 0. */
export function exitCodeOf({ status }: Task): number {
  return status === "FAILED" || status === "CANCELLED" ? 1 : 0;
}
