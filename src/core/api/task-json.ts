// Writes tasks as JSON text in pieces, so that nobody holds the whole text of a large task at once.

import type { ListedSummary, ListedTask, Task, TaskSummary } from "./task.ts";

/** A smaller task is one piece, and small pieces are put together up to about this many characters. */
const PIECE = 256 * 1024;

/** The task as `JSON.stringify` writes it. */
export function* taskJson(task: ListedTask | ListedSummary): Generator<string, void, void> {
  if ("damage" in task || !(task.recorded_bytes >= PIECE)) {
    yield JSON.stringify(task);
    return;
  }
  const { steps, tool_calls, ...rest }: TaskSummary & Partial<Pick<Task, "tool_calls">> = task;
  yield `${JSON.stringify(rest).slice(0, -1)},"steps":`;
  yield* arrayJson(steps);
  if (tool_calls) {
    yield `,"tool_calls":`;
    yield* arrayJson(tool_calls);
  }
  yield "}";
}

function* arrayJson(values: readonly unknown[]): Generator<string, void, void> {
  let text = "[";
  let glue = "";
  for (const value of values) {
    text += glue + JSON.stringify(value);
    glue = ",";
    if (text.length < PIECE) continue;
    yield text;
    text = "";
  }
  yield `${text}]`;
}

/** Small pieces put together, large ones as they are. */
export function* together(pieces: Iterable<string>): Generator<string, void, void> {
  let text = "";
  for (const piece of pieces) {
    text += piece;
    if (text.length < PIECE) continue;
    yield text;
    text = "";
  }
  if (text !== "") yield text;
}
