// The result of an operation.

import { type BulkAction, type BulkReason, type BulkTotals, countOf } from "../../core/api/bulk.ts";
import type { Task } from "../../core/api/task.ts";
import { showText } from "../cells.ts";
import type { Call } from "../command.ts";
import { toJson } from "../print.ts";
import { countTasks, WORDS } from "./words.ts";

interface Operation {
  readonly action: BulkAction;
  /** How many tasks matched when it was shown. */
  readonly shown: number;
}

/** Returns the exit code: 1 if something failed, or if the operation did not end. */
export async function printTotals(
  { io, look }: Pick<Call, "io" | "look">,
  { id, status }: Task,
  operation: Operation,
  totals: BulkTotals,
): Promise<number> {
  const { action } = operation;
  if (look.style === "readable")
    await io.stdout.write(`${linesOf({ id, status }, operation, totals, look).join("\n")}\n`);
  else await io.stdout.write(`${toJson({ task_id: id, action, status, ...totals }, look)}\n`);
  return status === "COMPLETED" && totals.failed.length === 0 ? 0 : 1;
}

function linesOf(
  { id, status }: Pick<Task, "id" | "status">,
  { action, shown }: Operation,
  { done, pending, skipped, failed }: BulkTotals,
  look: Call["look"],
): readonly string[] {
  const { acted } = WORDS[action];
  const is = done === 1 ? "was" : "were";
  const end = status === "COMPLETED" ? "" : ` The operation is ${status}; what was done stays.`;
  const lines = [`${countTasks(done)} ${is} ${acted}.${end}`];
  if (pending > 0) {
    const all = pending === done ? "They end" : `${countTasks(pending)} of them end`;
    lines.push(`${all} when their flows have cleaned up, by a worker that has them.`);
  }
  lines.push(...reasonLines("passed over", skipped, look), ...reasonLines("failed", failed, look));
  const others = shown - done - countOf(skipped) - countOf(failed);
  if (others > 0 && status === "COMPLETED")
    lines.push(`${countTasks(others)} of those shown no longer matched when it was their turn.`);
  return [...lines, look.paint("dim", `task    ${id}`)];
}

function reasonLines(
  what: string,
  reasons: readonly BulkReason[],
  { columns, paint }: Call["look"],
): readonly string[] {
  if (reasons.length === 0) return [];
  const width = Math.max(30, columns - 16);
  return [
    `${countTasks(countOf(reasons))} ${what}:`,
    ...reasons.flatMap(({ reason, tasks, example }) => [
      `${tasks.toLocaleString("en").padStart(9)}  ${showText(reason, width)}`,
      ...(example === null ? [] : [paint("dim", `${" ".repeat(11)}such as ${showText(example, 40)}`)]),
    ]),
  ];
}
