// Runs a task as far as the options of `run-flow` and `run-task` say.

import { setTimeout } from "node:timers/promises";
import { MAX_STEPS_MAX } from "../core/limits.ts";
import type { Task } from "../core/api/task.ts";
import type { Taskonaut } from "../core/api/taskonaut.ts";
import { hasCode } from "../core/errors.ts";
import { awaitEnd } from "./await-end.ts";
import type { Option } from "./option.ts";
import type { Call } from "./command.ts";
import { drive } from "./drive.ts";
import type { RunView } from "./live/run-view.ts";
import { tellWaits } from "./print.ts";
import { readCount, usageError } from "./usage.ts";

export const RUN_OPTIONS: readonly Option[] = [
  { name: "max-steps", value: "N", summary: `Stop after N transitions, 1 to ${MAX_STEPS_MAX}` },
  { name: "wait", summary: "Follow a task that waits (time, a signal, a child, a person) to its end" },
];

export interface RunOptions {
  readonly maxSteps: number | undefined;
  /** Whether to follow the task over all its waits. */
  readonly waits: boolean;
}

interface Running extends RunOptions {
  readonly id: string;
  /** The task as it is, where it is known. */
  readonly known?: Task;
  /** Shows it meanwhile. */
  readonly view?: RunView | undefined;
  /** Runs the task until it ends or can only wait, in place of `runTask`. */
  readonly runOnce?: () => Promise<Task>;
}

/** Throws usage. */
export function readRunOptions({ flags }: Pick<Call, "flags">): RunOptions {
  const maxSteps = readCount(flags, "max-steps", { min: 1, max: MAX_STEPS_MAX });
  const waits = flags.has("wait");
  if (waits && maxSteps !== undefined) {
    throw usageError([{ path: "--wait", message: "contradicts --max-steps: it follows the task to its end" }]);
  }
  return { maxSteps, waits };
}

/** Throws what running throws, and `cancelled`. */
export async function runOn(call: Call, taskonaut: Taskonaut, { view, known, ...options }: Running): Promise<Task> {
  try {
    view?.start(taskonaut, known ?? options.id);
    const task = await follow(call, taskonaut, { view, ...options });
    view?.read(task);
    await view?.close({ keeps: false });
    return task;
  } catch (error) {
    // what runs here ends first
    if (view && hasCode(error, "cancelled")) await taskonaut.close().catch(() => {}); // the next close throws the same
    // a parked task is shown whole
    await view?.close({ keeps: !hasCode(error, "task_parked") });
    throw error;
  }
}

async function follow(
  call: Call,
  taskonaut: Taskonaut,
  { id, maxSteps, waits, view, runOnce }: Omit<Running, "known">,
): Promise<Task> {
  const run = runOnce ?? (() => taskonaut.runTask(id, maxSteps === undefined ? {} : { maxSteps }));
  const task = await drive(
    call,
    taskonaut,
    id,
    (signal) => {
      if (!waits) return run();
      // hears of the end at once, in whichever process it happens
      const sleep = async (ms: number): Promise<void> => {
        const leave = new AbortController();
        const either = AbortSignal.any([signal, leave.signal]);
        const ended = taskonaut.results.awaitSummary(id, { waitMs: ms, signal: either });
        try {
          await Promise.race([setTimeout(ms, undefined, { signal: either }), ended]);
        } finally {
          leave.abort();
          ended.catch(() => {});
        }
      };
      return awaitEnd({
        run,
        sleep,
        getTask: (each) => taskonaut.getTask(each),
        async onWaits(waiting) {
          view?.read(waiting);
          const subject = waiting.id === id.toLowerCase() ? "The task" : `Its child ${waiting.id}`;
          await tellWaits(call, taskonaut, waiting, subject);
        },
      });
    },
    { follows: waits },
  );
  // a person finds it in the task that is printed
  if (call.look.style !== "readable") await tellWaits(call, taskonaut, task);
  return task;
}
