// Free text (why a task is parked, the name of a worker) may quote anything, also characters that a database refuses:
// PostgreSQL refuses NUL and lone surrogates. Both stores write the same replacement, so that a task is parked whatever
// its flow threw. What is looked for by such a text is looked for as it would have been written.

import type { TaskRow } from "../core/record/record.ts";
import type { SkipRow } from "../core/record/schedule.ts";

/** The text as a column takes it: NUL becomes its picture (␀), a lone surrogate the replacement character. */
export function storableText<Text extends string | null>(text: Text): Text | string {
  return text === null ? text : text.toWellFormed().replaceAll("\0", "\u2400");
}

/** A skip quotes the error of its firing. */
export function storableSkip(skip: SkipRow): SkipRow {
  return { ...skip, reason: storableText(skip.reason) };
}

/** The row as its table takes it. */
export function storableTask(task: TaskRow): TaskRow {
  return task.parked_reason === null ? task : { ...task, parked_reason: storableText(task.parked_reason) };
}
