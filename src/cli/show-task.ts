// A task for a person at a terminal.

import type { StepStatus, TaskStatus } from "../core/record/status.ts";
import { isTerminal } from "../core/record/status.ts";
import type { Task, TaskStep, Timestamp } from "../core/api/task.ts";
import type { Color } from "../log/paint.ts";
import { alignRows, type Cell, showJson, showText, wrapText } from "./cells.ts";
import { describeLeftUndone, describeWaits, isQueued, stepsInDoubt } from "./describe-waits.ts";
import type { Hint } from "./hint.ts";
import type { Look } from "./look.ts";

const STATUS_COLORS: Readonly<Record<TaskStatus | StepStatus, Color>> = {
  PLANNED: "dim",
  RUNNING: "cyan",
  WAITING_OBSERVATION: "cyan",
  COMPLETED: "green",
  FAILED: "red",
  CANCELLED: "yellow",
};

/** An id is there to be copied: it is shown whole on the narrowest terminal. */
export const ID_COLUMNS = 36;

/** Two ids and the longest name of a tool. */
const KEY_COLUMNS = 2 * (ID_COLUMNS + 1) + 100;

/** A path, and a message before it. */
const PLACE_COLUMNS = 500;

/** WAITING_OBSERVATION, the longest. */
const STATUS_COLUMNS = 19;

/** The least that a result is given, however narrow the terminal is. */
const RESULT_COLUMNS_MIN = 16;

/** Everything about one task: its own lines, then a table of its steps. Ends with a line break. */
export function showTask(task: Task, { columns, paint }: Look, next: readonly Hint[] = []): string {
  const valueColumns = Math.max(columns - 11, RESULT_COLUMNS_MIN);
  const facts: Fact[] = [
    ["task", { text: showText(task.id, ID_COLUMNS), color: "bold" }],
    ["flow", { text: showText(task.flow_name, valueColumns) }],
    ...factsOf("parent", task.parent_task_id, (id): Cell => ({ text: showText(id, ID_COLUMNS) })),
    ["status", statusCell(task.status)],
    ["created", { text: showTime(task.created_at) }],
    ["updated", { text: `${showTime(task.updated_at)}  ${describeAge(task)}` }],
    ["input", { text: showJson(task.input_payload, valueColumns) }],
  ];
  if (task.status === "COMPLETED")
    facts.push(["output", { text: showJson(task.output_payload, valueColumns) || "null" }]);
  facts.push(
    ...factsOf("error", task.error_message, (text): Cell => ({ text: showText(text, valueColumns), color: "red" })),
    ...describeError(task.error).map(([name, text]): Fact => [name, { text: showText(text, PLACE_COLUMNS) }]),
    // whole: what was recorded stands at its start, what the flow decides now at its end
    ...(task.parked_reason === null ? [] : wrapFact("parked", task.parked_reason, valueColumns, "yellow")),
    ...stepsInDoubt(task).flatMap((step) => describeDoubt(step, valueColumns)),
    ...describeLeftUndone(task).flatMap((text) => wrapFact("undone", text, valueColumns, "yellow")),
    ...factsOf("due", isQueued(task) ? task.due_at : null, (at): Cell => ({ text: describeDue(at, task.priority) })),
    ...describeWaits(task).map((text): Fact => ["waits", { text: showText(text, valueColumns), color: "cyan" }]),
    // a command is there to be copied: whole, however long it is
    ...next.map(({ text, command }): Fact =>
      command === undefined ? ["hint", { text: text ?? "" }] : ["next", { text: command }],
    ),
  );
  const lines = alignRows(
    facts.map(([name, cell]) => [{ text: name, color: "dim" }, cell]),
    paint,
  );
  if (task.steps.length > 0) lines.push("", ...showSteps(task, columns, paint));
  return `${lines.join("\n")}\n`;
}

/** Where it was thrown, there to be opened, so whole; and what it was thrown for, one cause after the other. */
function describeError(error: Task["error"]): [name: string, text: string][] {
  if (!error) return [];
  const facts: [string, string][] = error.at === undefined ? [] : [["at", error.at]];
  for (let cause = error.cause; cause; cause = cause.cause) {
    const code = cause.code === undefined ? "" : ` (${cause.code})`;
    facts.push(["cause", `${cause.name}: ${cause.message}${code}${cause.at === undefined ? "" : `, at ${cause.at}`}`]);
  }
  return facts;
}

type Fact = readonly [name: string, Cell];

/** The fact, if the task has it. */
function factsOf(name: string, value: string | null, show: (value: string) => Cell): Fact[] {
  return value === null ? [] : [[name, show(value)]];
}

/** Why it is in doubt, and under which key to look for its effect: there to be copied, so whole. */
function describeDoubt({ step_index, step_name, doubt, tool_calls }: TaskStep, columns: number): Fact[] {
  const key = tool_calls.at(-1)?.idempotency_key ?? null;
  return [
    ["doubt", { text: showText(`step ${step_index} ${step_name}: ${doubt}`, columns), color: "yellow" }],
    ...factsOf("key", key, (text): Cell => ({ text: showText(text, KEY_COLUMNS) })),
  ];
}

/** A fact that is shown whole, over as many lines as it takes. */
function wrapFact(name: string, text: string, columns: number, color: Color): Fact[] {
  return wrapText(text, columns).map((line, i): Fact => [i === 0 ? name : "", { text: line, color }]);
}

function showSteps(task: Task, columns: number, paint: Look["paint"]): string[] {
  const { steps } = task;
  const inDoubt = new Set(stepsInDoubt(task));
  const head = ["#", "STEP", "STATUS", "TOOL", "ATTEMPTS", "TIME"].map((text): Cell => ({ text, color: "dim" }));
  const rows = steps.map((step): Cell[] => {
    const calls = step.tool_calls;
    const attempts = calls.reduce((sum, call) => sum + call.retry_count + 1, 0) - (isWaitedFor(task, step) ? 1 : 0);
    return [
      { text: String(step.step_index) },
      { text: showText(step.step_name, 32) },
      inDoubt.has(step) ? IN_DOUBT : statusCell(step.status),
      { text: showText(calls.map(({ tool_name }) => tool_name).join(", "), 32) },
      { text: attempts > 0 ? String(attempts) : "" },
      { text: describeStepTime(step) },
    ];
  });
  // the result gets what the others leave
  const widest = Math.max(...alignRows([head, ...rows], (_color, text) => text).map((line) => Bun.stringWidth(line)));
  const resultColumns = Math.max(columns - widest - 2, RESULT_COLUMNS_MIN);
  const results = steps.map((step) => resultCell(step, resultColumns));
  return alignRows(
    [[...head, { text: "RESULT", color: "dim" }], ...rows.map((row, i) => [...row, results[i] ?? { text: "" }])],
    paint,
  );
}

/** Whether its tool is to be called again later: the last attempt that its call counts has not begun. */
function isWaitedFor({ waiting_for }: Task, { step_name, status, doubt, tool_calls }: TaskStep): boolean {
  const isOpen = status === "RUNNING" && doubt === null && tool_calls.at(-1)?.status === "RUNNING";
  return isOpen && waiting_for.some(({ kind, name }) => kind === "retry" && name === step_name);
}

/** A step that has ended, as one line: `1 echo  COMPLETED  12 ms  {"text":"hello"}`. */
export function showStep(step: TaskStep, { columns, paint }: Look): string {
  const name = `${step.step_index} ${showText(step.step_name, 32)}`;
  const head = [{ text: name }, statusCell(step.status), { text: describeStepTime(step), color: "dim" as const }];
  const taken = head.reduce((sum, { text }) => sum + Bun.stringWidth(text) + 2, 0);
  return `${alignRows([[...head, resultCell(step, Math.max(columns - taken, RESULT_COLUMNS_MIN))]], paint).join("")}\n`;
}

/** How a step ended, as one line: its output or its error; of one that has not, how its last attempt failed. */
function resultCell(step: TaskStep, columns: number): Cell {
  if (step.error_message !== null) return { text: showText(step.error_message, columns), color: "red" };
  const lastError = step.status === "RUNNING" ? step.tool_calls.at(-1)?.last_error : null;
  if (lastError) return { text: showText(lastError, columns), color: "yellow" };
  return { text: showJson(step.output_payload, columns) };
}

const IN_DOUBT: Cell = { text: "in doubt", color: "yellow" };
const PARKED: Cell = { text: "parked", color: "yellow" };

/** How a task stands, in a list: its status, unless a person has to do something about it. */
export function standingCell(task: Task): Cell {
  if (stepsInDoubt(task).length > 0) return IN_DOUBT;
  return task.parked_reason === null ? statusCell(task.status) : PARKED;
}

/** A server's word, too, so it is shown like any other text. */
function statusCell(status: TaskStatus | StepStatus): Cell {
  return { text: showText(status, STATUS_COLUMNS), color: STATUS_COLORS[status] };
}

/** `2026-11-23 03:39:25.130Z` */
export function showTime(timestamp: Timestamp): string {
  return showText(timestamp.replace("T", " "), 32);
}

function describeDue(at: Timestamp, priority: number): string {
  return `${showTime(at)}  (in the queue, priority ${priority})`;
}

/** From the first attempt's start to the last one's end: `12 ms`; nothing while it runs. */
function describeStepTime({ tool_calls }: TaskStep): string {
  const first = tool_calls[0];
  const finished = tool_calls.at(-1)?.finished_at;
  return first && finished ? describeMs(Date.parse(finished) - Date.parse(first.started_at)) : "";
}

function describeAge(task: Task): string {
  const ms = Date.parse(task.updated_at) - Date.parse(task.created_at);
  return isTerminal(task.status) ? `(took ${describeMs(ms)})` : `(${describeMs(ms)} after)`;
}

/** `70 ms`, `1.5 s`, `12 min`, `3.2 h` */
function describeMs(ms: number): string {
  if (ms < 1000) return `${ms} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  if (ms < 3_600_000) return `${(ms / 60_000).toFixed(1)} min`;
  return `${(ms / 3_600_000).toFixed(1)} h`;
}
