// Follows a task to its end, over all that it waits for: time, signals, children, the next attempt of a tool, a person
// who settles a doubt, and others that drive it.

import { TaskonautError } from "../core/errors.ts";
import { isTerminal } from "../core/record/status.ts";
import type { Task, Waiting } from "../core/api/task.ts";

/** How many children are looked at each time; one that ends makes room for the next. */
const CHILDREN_LOOKED_MAX = 32;

/** Somebody else may end the wait (a signal, a child, a cancel, who settles a doubt): so often is looked. */
const LOOK_MS = 500;
/** Where only time is waited for: the clock that ends the wait is the store's, and a cancel may come all the same. */
const SLEEP_MS_MAX = 5_000;
/** That clock may be behind ours: a wait that is over by ours is no reason to ask without a pause. */
const PAUSE_MS_MIN = 20;

export interface Following {
  /** Runs the task until it has ended or only waits. */
  readonly run: () => Promise<Task>;
  /**
   * Called whenever it begins to wait for something else; and where all that it waits for are children, with the task
   * below it that waits for a person to settle a doubt.
   */
  readonly onWaits: (task: Task) => Promise<void>;
  /** How another task stands that it waits for. */
  readonly getTask: (id: string) => Promise<Task>;
  /** Rejects when there is nobody any more who wants to know. */
  readonly sleep: (ms: number) => Promise<void>;
}

/**
 * The task once it has ended. There is no limit to how long that takes: a signal may never come. Throws task_parked where
 * all that it waits for are children that nobody drives any more before a person has resumed them.
 */
export async function awaitEnd({ run, onWaits, getTask, sleep }: Following): Promise<Task> {
  let told = "";
  const tell = async (task: Task): Promise<void> => {
    const telling = JSON.stringify([task.id, task.waiting_for]);
    if (telling === told) return;
    told = telling;
    await onWaits(task);
  };
  for (;;) {
    const task = await runUnlessBusy(run);
    if (task && isTerminal(task.status)) return task;
    const waits = task?.waiting_for ?? [];
    const stuck = task && (await findStuck(task, getTask, { looks: CHILDREN_LOOKED_MAX }));
    if (task && stuck && stuck.parked_reason !== null) throw parkedChild(task, stuck);
    if (task && waits.length > 0) await tell(stuck ?? task);
    await sleep(pauseOf(waits, Date.now()));
  }
}

/** How long to leave alone a task that waits for this, in milliseconds; `now` by the clock of this machine. */
export function pauseOf(waits: readonly Waiting[], now: number): number {
  const onlyTime = waits.length > 0 && waits.every(({ kind }) => kind === "time" || kind === "retry");
  const dues = waits.map(({ until }) => Date.parse(until ?? "") - now).filter((ms) => !Number.isNaN(ms));
  return Math.max(Math.min(onlyTime ? SLEEP_MS_MAX : LOOK_MS, ...dues), PAUSE_MS_MIN);
}

/**
 * The first task below one that waits for nothing else, which only a person can take on: it is parked, or in doubt. Time, a
 * signal or another child would take the one above on.
 */
async function findStuck(
  { waiting_for }: Task,
  getTask: Following["getTask"],
  left: { looks: number },
): Promise<Task | undefined> {
  let first: Task | undefined;
  for (const { kind, until, task_id } of waiting_for) {
    if (kind !== "child" || until !== null || task_id === null || left.looks === 0) return undefined;
    left.looks -= 1;
    const child = await getTask(task_id);
    const stuck = isStuck(child) ? child : await findStuck(child, getTask, left);
    if (!stuck) return undefined;
    first ??= stuck;
  }
  return first;
}

function isStuck({ parked_reason, waiting_for }: Task): boolean {
  return parked_reason !== null || (waiting_for.length > 0 && waiting_for.every(({ kind }) => kind === "doubt"));
}

function parkedChild({ id }: Task, child: Task): TaskonautError {
  return new TaskonautError(
    "task_parked",
    `Task ${id} waits for its child ${child.id}, which is parked. ${child.parked_reason}`,
    { details: { task_id: child.id, waiting_task_id: id } },
  );
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
