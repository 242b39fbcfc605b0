// Follows a task to its end, through all its waits: for time, signals, children, the next attempt of a tool, a person who
// settles a doubt, and another process that drives the task.

import { TaskonautError } from "../core/errors.ts";
import { isTerminal } from "../core/record/status.ts";
import type { Task, Waiting } from "../core/api/task.ts";

/** How many children are checked each time. When one ends, the next one is checked. */
const CHILDREN_LOOKED_MAX = 32;

/** How often to check a wait that somebody else may end: by a signal, a child, a cancel, or by settling a doubt. */
const LOOK_MS = 500;
/** How often to check a wait for time: the store's clock ends it, and a cancel may end it earlier. */
const SLEEP_MS_MAX = 5_000;
/** The store's clock may be behind ours. So there is a pause between checks even if the wait is over by our clock. */
const PAUSE_MS_MIN = 20;

export interface Following {
  /** Runs the task until it ends, or until it can only wait. */
  readonly run: () => Promise<Task>;
  /**
   * Called each time the task begins to wait for something else. If it waits for nothing but children, `below` is the
   * descendant that waits for a person to settle a doubt.
   */
  readonly onWaits: (task: Task) => Promise<void>;
  /** How another task stands that it waits for. */
  readonly getTask: (id: string) => Promise<Task>;
  /** Rejects when nobody wants the result any more. */
  readonly sleep: (ms: number) => Promise<void>;
}

/**
 * Resolves with the task when it has ended. That may take for ever: a signal may never come. Throws task_parked if the
 * task waits for nothing but parked children: nobody drives those until a person resumes them.
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
 * The first descendant that only a person can help, because it is parked or in doubt. Undefined if something else can
 * still continue the task above: time, a signal or another child.
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

/** Undefined: another process drives the task, and does so as well as this one would. */
async function runUnlessBusy(run: () => Promise<Task>): Promise<Task | undefined> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof TaskonautError && error.code === "task_busy") return undefined;
    throw error;
  }
}
