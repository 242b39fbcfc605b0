// What keeps this process from going on with a task, and need not keep another: a limit that is set lower here, a stack that
// is used up. It never becomes the task's outcome: the task is put aside with the reason, as it was before.

import { isA } from "../record/stored-error.ts";

/** The reason, where what was thrown is this process's own trouble and says nothing about the flow; else undefined. */
export function obstacleIn(thrown: unknown): string | undefined {
  // a stack's depth depends on the process, and even on how far its code is compiled
  if (!isA(thrown, RangeError) || !/call stack|out of memory/i.test(thrown.message)) return undefined;
  return `The flow used up what this process has (${thrown.message.replace(/\.$/, "")}). Let it nest less deeply or hold less, or run it where there is more.`;
}
