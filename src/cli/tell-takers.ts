// Prints a task after a signal, a retry or an enqueue, and says which worker will continue it, or what to run if there is
// none.

import { isTerminal } from "../core/record/status.ts";
import type { Task, Timestamp } from "../core/api/task.ts";
import type { Taskonaut } from "../core/api/taskonaut.ts";
import type { Worker } from "../core/api/worker.ts";
import type { Call } from "./command.ts";
import type { Hint, Hints } from "./hint.ts";
import { findPause, hintsOfTask } from "./next-steps.ts";
import { describeTarget } from "./pause-target.ts";
import { printTask, tell } from "./print.ts";
import { showTime } from "./times.ts";

/**
 * Prints the task on stdout. On stderr it says what was done (`Signal approved is delivered to task …`) and who continues,
 * unless --json is given. `more` are further hints for a task that has not ended.
 */
export async function printTaken(
  call: Call,
  taskonaut: Taskonaut,
  task: Task,
  { done, more = [] }: { readonly done: string; readonly more?: readonly Hint[] },
): Promise<void> {
  // with --json nothing is said, so no worker is looked for
  if (isTerminal(task.status) || call.flags.has("json")) {
    await printTask(call, taskonaut, task);
    return tell(call, [done]);
  }
  const { text, steps } = await findTakers(call, taskonaut, task);
  const own = [...steps, ...more];
  const hints = [...call.hints.before(own), ...own];
  await printTask(call, taskonaut, task, hints);
  // a person finds the commands in the task that is printed
  await tell(call, [[done, text].filter(Boolean).join(" ")], call.look.style === "readable" ? [] : hints);
}

interface Takers {
  readonly text: string;
  /** What to run where there are none. */
  readonly steps: readonly Hint[];
}

async function findTakers(call: Call, taskonaut: Taskonaut, task: Task): Promise<Takers> {
  // the request itself has succeeded: it is not an error if the workers cannot be listed
  const workers = await taskonaut.listWorkers().catch(() => undefined);
  if (workers === undefined) return { text: "", steps: [] };
  const alive = workers.filter(({ state }) => state === "alive");
  const driver = alive.find(({ id }) => id === task.lease_owner);
  if (driver) return { text: `Worker ${driver.name} drives the task now.`, steps: [] };
  const pause = findPause(task);
  if (pause)
    return {
      text: `It waits: ${describeTarget(pause)} is paused.`,
      steps: call.hints.give("unpause", { target: pause }),
    };
  const takers = alive.filter(({ concurrency, flows }) => concurrency > 0 && flows.includes(task.flow_name));
  const isLater = isDueLater(task, call.look.now());
  if (takers.length > 0) return { text: describeTakers(takers, isLater ? task.due_at : null), steps: [] };
  const hasOthers = alive.some(({ concurrency }) => concurrency > 0);
  return {
    text: hasOthers ? `No worker that has flow ${task.flow_name} is running.` : "No worker is running.",
    steps: suggestTakers(hintsOfTask(call, task), task.id, isLater),
  };
}

const NAMES_MAX = 3;

/** `at`: when the task is due; null: it is. */
function describeTakers(takers: readonly Worker[], at: Timestamp | null): string {
  const names = takers.slice(0, NAMES_MAX).map(({ name }) => name);
  const more = takers.length > NAMES_MAX ? ", …" : "";
  const who =
    takers.length === 1 ? `Worker ${names[0]}` : `One of ${takers.length} workers (${names.join(", ")}${more})`;
  return at === null ? `${who} picks it up.` : `${who} picks it up at ${showTime(at)}.`;
}

function isDueLater({ due_at, waiting_for }: Task, now: number): boolean {
  return due_at !== null && Date.parse(due_at) > now && waiting_for.length === 0;
}

/** `run-task` would start it at once, even before it is due. With a server, nobody here can start a worker on its database. */
function suggestTakers(hints: Hints, id: string, isLater: boolean): readonly Hint[] {
  return [
    ...(isLater ? [] : hints.give("followTask", { id })),
    ...hints.give(hints.isRemote ? "startWorkerOfServer" : "work"),
  ];
}
