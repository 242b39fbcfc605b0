// The steps of a task as a table.

import type { Task, TaskStep } from "../core/api/task.ts";
import { type Cell, showJson, showText } from "./cells.ts";
import type { Look } from "./look.ts";
import { idColumnOf, showId } from "./short-ids.ts";
import { waitsByStep } from "../core/api/standing.ts";
import { standingsOf, statusCell } from "./standing.ts";
import { type Column, drawTable } from "./table.ts";
import { describeProgress } from "./describe-progress.ts";
import { describeMs } from "./times.ts";

interface Row {
  readonly step: TaskStep;
  readonly standing: Cell;
  /** The task that it runs; undefined: it is no child's, or the child is not there yet. */
  readonly child: string | undefined;
  readonly attempts: number;
}

/** Head and rows, in lines without breaks. */
export function showSteps(task: Task, look: Look): readonly string[] {
  const standings = standingsOf(task, look.now());
  const waits = waitsByStep(task);
  const rows = task.steps.map((step, place): Row => ({
    step,
    standing: standings[place] ?? statusCell(step.status),
    child: step.status === "PLANNED" ? undefined : (step.child_task_id ?? waits.get(step)?.task_id ?? undefined),
    attempts:
      step.tool_calls.reduce((sum, call) => sum + call.retry_count + 1, 0) -
      (waits.get(step)?.kind === "retry" ? 1 : 0),
  }));
  return drawTable(columnsOf(rows), rows, look);
}

function columnsOf(rows: readonly Row[]): readonly Column<Row>[] {
  return [
    { head: "#", right: true, show: ({ step }) => ({ text: String(step.step_index) }) },
    { head: "STEP", least: 6, most: 32, show: ({ step }, width) => ({ text: showText(step.step_name, width) }) },
    {
      head: "STATUS",
      least: 15,
      most: 48,
      turn: 0,
      show: ({ standing }, width) => ({ ...standing, text: showText(standing.text, width) }),
    },
    {
      head: "TOOL",
      least: 6,
      most: 32,
      goes: 3,
      show: ({ step }, width) => ({ text: showText(toolOf(step), width) }),
    },
    {
      ...idColumnOf(rows.flatMap(({ child }) => child ?? [])),
      head: "CHILD",
      goes: 2,
      show: ({ child }, width) => ({ text: child === undefined ? "" : showId(child, width) }),
    },
    // one attempt is what everybody expects
    {
      head: "ATTEMPTS",
      right: true,
      goes: 4,
      show: ({ attempts }) => ({ text: attempts > 1 ? String(attempts) : "" }),
    },
    { head: "TIME", right: true, goes: 5, show: ({ step }) => ({ text: describeStepTime(step) }) },
    { head: "RESULT", least: 12, goes: 1, show: ({ step }, width) => resultCell(step, width) },
  ];
}

/** Empty if it has the same name as its step. */
function toolOf({ step_name, tool_calls }: TaskStep): string {
  const names = new Set(tool_calls.map(({ tool_name }) => tool_name));
  return [...names].every((name) => name === step_name) ? "" : [...names].join(", ");
}

/** One line about a step: its output or error; or, if it has not ended, its progress or the error of its last attempt. */
function resultCell(step: TaskStep, columns: number): Cell {
  if (step.error_message !== null) return { text: showText(step.error_message, columns), color: "red" };
  const progress = describeProgress(step.tool_calls.at(-1)?.progress);
  if (step.status === "RUNNING" && progress !== "") return { text: showText(progress, columns), color: "cyan" };
  const lastError = step.status === "RUNNING" ? step.tool_calls.at(-1)?.last_error : null;
  if (lastError) return { text: showText(lastError, columns), color: "yellow" };
  return { text: showJson(step.output_payload, columns) };
}

/**
 * From the start of the first attempt to the end of the last one: `12 ms`; empty while it runs. For a step without a tool,
 * from its decision to its end.
 */
function describeStepTime({ status, tool_calls, created_at, updated_at }: TaskStep): string {
  const first = tool_calls[0];
  const finished = tool_calls.at(-1)?.finished_at;
  if (first) return finished ? describeMs(Date.parse(finished) - Date.parse(first.started_at)) : "";
  const ms = status === "COMPLETED" || status === "FAILED" ? Date.parse(updated_at) - Date.parse(created_at) : 0;
  return ms > 0 ? describeMs(ms) : "";
}
