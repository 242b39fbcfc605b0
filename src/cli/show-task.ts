// A task for a person at a terminal.

import { isTerminal } from "../core/record/status.ts";
import type { Task, TaskStep } from "../core/api/task.ts";
import type { Color } from "../log/paint.ts";
import { alignRows, type Cell, firstThatFits, showJson, showText, wrapText } from "./cells.ts";
import { describeCauses } from "./describe-causes.ts";
import { describeLeftUndone, describeWaits, isQueued, stepsInDoubt } from "../core/api/describe-waits.ts";
import type { Hint } from "./hint.ts";
import type { Look } from "./look.ts";
import { showSteps } from "./show-steps.ts";
import { standingOf } from "./standing.ts";
import { describeAge, describeMs, showTime } from "./times.ts";

/** An id is there to be copied: it is shown whole on the narrowest terminal. */
const ID_COLUMNS = 36;

/** Two ids and the longest name of a tool. */
const KEY_COLUMNS = 2 * (ID_COLUMNS + 1) + 100;

/** A path, and a message before it. */
const PLACE_COLUMNS = 500;

/** A person would not read a longer message. `--json` has all of it. */
const ERROR_LINES_MAX = 12;

/** `created`, the longest name of a fact, and what stands between it and its value. */
const NAME_COLUMNS = 9;

/** The least that a value is given, however narrow the terminal is. */
const VALUE_COLUMNS_MIN = 11;

/**
 * Everything about one task: its own lines, then a table of its steps. Ends with a line break. Without `payloads` the task
 * has no input and output, and they are not mentioned. Without `reason`, the reason why it is parked is left out.
 */
export function showTask(
  task: Task,
  look: Look,
  next: readonly Hint[] = [],
  { payloads = true, reason = true } = {},
): string {
  const { columns, paint } = look;
  const now = look.now();
  const width = Math.max(columns - NAME_COLUMNS, VALUE_COLUMNS_MIN);
  const standing = standingOf(task, now);
  const facts: Fact[] = [
    ["task", { text: showText(task.id, ID_COLUMNS), color: "bold" }],
    ["flow", { text: showText(task.flow_name, width) }],
    ...factsOf("forked", task.forked_from?.task_id ?? null, (id): Cell => ({
      text: firstThatFits(width, [`from step ${task.forked_from?.step} of ${id}`, id]),
    })),
    ...factsOf("parent", task.parent_task_id, (id): Cell => ({ text: showText(id, ID_COLUMNS) })),
    ...tagFacts(task, width),
    ...factsOf("trace", task.traceparent, (text): Cell => ({ text: text.split("-")[1] ?? text })),
    ["status", { ...standing, text: showText(standing.text, width) }],
    ["created", { text: tellCreated(task, now, width) }],
    ["updated", { text: tellUpdated(task, now, width) }],
  ];
  if (payloads) facts.push(["input", { text: showJson(task.input_payload, width) }]);
  if (payloads && task.status === "COMPLETED")
    facts.push(["output", { text: showJson(task.output_payload, width) || "null" }]);
  facts.push(
    ...(task.error_message === null
      ? []
      : wrapFact("error", task.error_message, width, "red").slice(0, ERROR_LINES_MAX)),
    ...describeError(task.error).map(([name, text]): Fact => [name, { text: showText(text, PLACE_COLUMNS) }]),
    // whole: it begins with what was recorded, and ends with what the flow decides now
    ...(task.parked_reason === null || !reason ? [] : wrapFact("parked", task.parked_reason, width, "yellow")),
    ...((task.cancel_reason ?? null) === null ? [] : wrapFact("reason", task.cancel_reason ?? "", width, "yellow")),
    ...stepsInDoubt(task).flatMap((step) => describeDoubt(step, width)),
    ...describeLeftUndone(task).flatMap((text) => wrapFact("undone", text, width, "yellow")),
    ...factsOf("due", isQueued(task) ? task.due_at : null, (at): Cell => ({
      text: firstThatFits(width, [`${showTime(at)}  (in the queue, priority ${task.priority})`, showTime(at)]),
    })),
    ...describeWaits(task, now).flatMap((text) => wrapFact("waits", text, width, "cyan")),
    // people copy commands: they stay whole, however long they are
    ...next.flatMap(({ text, command }) =>
      command === undefined ? wrapFact("hint", text ?? "", width) : [["next", { text: command }] as const],
    ),
  );
  const lines = alignRows(
    facts.map(([name, cell]) => [{ text: name, color: "dim" }, cell]),
    paint,
  );
  if (task.steps.length > 0) lines.push("", ...showSteps(task, look));
  return `${lines.join("\n")}\n`;
}

/** The place of the error, whole, so that it can be opened; and the chain of its causes. */
function describeError(error: Task["error"]): [name: string, text: string][] {
  if (!error) return [];
  const causes = describeCauses(error).map((text): [string, string] => ["cause", text]);
  return error.at === undefined ? causes : [["at", error.at], ...causes];
}

type Fact = readonly [name: string, Cell];

/** The fact, if the task has it. */
function factsOf(name: string, value: string | null, show: (value: string) => Cell): Fact[] {
  return value === null ? [] : [[name, show(value)]];
}

/** Why it is in doubt, and the key with which to look for its effect: whole, so that it can be copied. */
function describeDoubt({ step_index, step_name, doubt, tool_calls }: TaskStep, columns: number): Fact[] {
  const key = tool_calls.at(-1)?.idempotency_key ?? null;
  return [
    ...wrapFact("doubt", `step ${step_index} ${step_name}: ${doubt}`, columns, "yellow"),
    ...factsOf("key", key, (text): Cell => ({ text: showText(text, KEY_COLUMNS) })),
  ];
}

/** In the form in which `--tag` takes them. */
function tagFacts({ tags, schedule }: Task, columns: number): Fact[] {
  const text = Object.entries(tags)
    .map(([key, value]) => `${key}=${value}`)
    .join("  ");
  return [
    ...(text === "" ? [] : wrapFact("tags", text, columns)),
    ...factsOf("schedule", schedule, (name): Cell => ({ text: showText(name, columns) })),
  ];
}

/** A fact that is shown whole, over as many lines as it takes. */
function wrapFact(name: string, text: string, columns: number, color?: Color): Fact[] {
  return wrapText(text, columns).map((line, i): Fact => [i === 0 ? name : "", { text: line, ...(color && { color }) }]);
}

/** A time to the millisecond, and how long ago that is, as far as there is room. */
function tellCreated({ created_at }: Task, now: number, width: number): string {
  const age = describeAge(created_at, now);
  return firstThatFits(width, [`${showTime(created_at)}  (${age})`, showTime(created_at), age]);
}

/** Of a task that has ended, how long it took; of another, how long ago it was. */
function tellUpdated({ status, created_at, updated_at }: Task, now: number, width: number): string {
  const age = describeAge(updated_at, now);
  const took = `took ${describeMs(Date.parse(updated_at) - Date.parse(created_at))}`;
  const told = isTerminal(status) ? took : age;
  return firstThatFits(width, [`${showTime(updated_at)}  (${told})`, showTime(updated_at), told]);
}
