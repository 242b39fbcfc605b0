// A parked task is printed like every other task, and its reason is printed as an error. A person who sees both gets the
// reason once.

import { hasCode } from "../core/errors.ts";
import type { Task } from "../core/api/task.ts";
import type { Taskonaut } from "../core/api/taskonaut.ts";
import type { Call } from "./command.ts";
import { printTask } from "./print.ts";
import { showTask } from "./show-task.ts";

/** Returns what `work` returns. If `work` throws task_parked, prints the task (or the task that waits for it) first. */
export async function printingParked<T>(
  call: Call,
  taskonaut: Taskonaut,
  id: string,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (hasCode(error, "task_parked")) {
      // what to do about it is said with the error
      const task = await taskonaut.getTask(id).catch(() => undefined);
      if (task) await printWithoutReason(call, taskonaut, task);
    }
    throw error;
  }
}

async function printWithoutReason(call: Call, taskonaut: Taskonaut, task: Task): Promise<void> {
  const { io, look } = call;
  const isTold = io.stdout.isTTY && io.stderr.isTTY && look.style === "readable";
  if (isTold) await io.stdout.write(showTask(task, look, [], { reason: false }));
  else await printTask(call, taskonaut, task, []);
}
