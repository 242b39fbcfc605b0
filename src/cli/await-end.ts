// Follows a task to its end, over all that it waits for: time, signals, children, and others that drive it.

import { TaskonautError } from "../core/errors.ts";
import { isTerminal } from "../core/status.ts";
import type { Task, Waiting } from "../core/task.ts";

/** Somebody else may end the wait (a signal, a child, a cancel): so often is looked. */
const LOOK_MS = 500;
/** Where only time is waited for: the clock that ends the wait is the store's, and a cancel may come all the same. */
const SLEEP_MS_MAX = 5_000;
/** That clock may be behind ours: a wait that is over by ours is no reason to ask without a pause. */
const PAUSE_MS_MIN = 20;

export interface Following {
  /** Runs the task until it has ended or only waits. */
  readonly run: () => Promise<Task>;
  /** Called whenever it begins to wait for something else. */
  readonly onWaits: (task: Task) => Promise<void>;
  /** Rejects when there is nobody any more who wants to know. */
  readonly sleep: (ms: number) => Promise<void>;
}

/** The task once it has ended. There is no limit to how long that takes: a signal may never come. */
export async function awaitEnd({ run, onWaits, sleep }: Following): Promise<Task> {
  let told = "";
  for (;;) {
    const task = await runUnlessBusy(run);
    if (task && isTerminal(task.status)) return task;
    const waits = task?.waiting_for ?? [];
    const telling = JSON.stringify(waits);
    if (task && waits.length > 0 && telling !== told) {
      told = telling;
      await onWaits(task);
    }
    await sleep(pauseOf(waits, Date.now()));
  }
}

/** How long to leave alone a task that waits for this, in milliseconds; `now` by the clock of this machine. */
export function pauseOf(waits: readonly Waiting[], now: number): number {
  const onlyTime = waits.length > 0 && waits.every(({ kind }) => kind === "time");
  const dues = waits.map(({ until }) => Date.parse(until ?? "") - now).filter((ms) => !Number.isNaN(ms));
  return Math.max(Math.min(onlyTime ? SLEEP_MS_MAX : LOOK_MS, ...dues), PAUSE_MS_MIN);
}

/** Undefined: another process drives the task, which takes it on as well as we would. */
async function runUnlessBusy(run: () => Promise<Task>): Promise<Task | undefined> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof TaskonautError && error.code === "task_busy") return undefined;
    throw error;
  }
}
