// What happens to a run from outside: signals, and a cancel.

import { hasCode, TaskonautError } from "../core/errors.ts";
import { toMilliseconds } from "../core/flow/duration.ts";
import { isTerminal } from "../core/record/status.ts";
import type { Engine } from "../engine/engine-options.ts";
import type { Moment, RunOptions, TimedSignal } from "./api.ts";

export interface Happening {
  /** The step that it follows; undefined: it follows the begin. */
  readonly after: string | undefined;
  /** So long after that. */
  readonly ms: number;
  readonly happen: (engine: Engine) => Promise<void>;
}

/** `ids` of the run's tasks so far, the flow's own first. */
export function readHappenings({ signals = [], cancel }: RunOptions, ids: readonly string[]): readonly Happening[] {
  const happenings = signals.map((signal, index) => ({
    ...momentOf(signal),
    happen: (engine: Engine) => deliver(signal, `signal ${index}`, { engine, ids }),
  }));
  if (!cancel) return happenings;
  const { force = false } = cancel;
  const cancelled = async (engine: Engine): Promise<void> => {
    await engine.cancelTask(ids[0] ?? "", { force });
  };
  return [...happenings, { ...momentOf(cancel), happen: cancelled }];
}

function momentOf({ at = 0, after }: Moment): Pick<Happening, "after" | "ms"> {
  return { after, ms: toMilliseconds(at) };
}

async function deliver(
  { name, payload, flow }: TimedSignal,
  idempotencyKey: string,
  { engine, ids }: { readonly engine: Engine; readonly ids: readonly string[] },
): Promise<void> {
  const tasks = flow === undefined ? ids.slice(0, 1) : await openTasksOf(flow, engine, ids);
  if (tasks.length === 0) {
    throw new TaskonautError("usage", `signals: nothing can hear ${name}: no task of flow ${flow} is open by then.`);
  }
  for (const id of tasks) {
    try {
      await engine.signalTask(id, { name, payload, idempotencyKey });
    } catch (error) {
      if (!hasCode(error, "task_ended")) throw error; // it has ended just then
    }
  }
}

async function openTasksOf(flow: string, engine: Engine, ids: readonly string[]): Promise<readonly string[]> {
  const tasks = await Promise.all(ids.map((id) => engine.getTask(id)));
  return tasks.filter((task) => task.flow_name === flow && !isTerminal(task.status)).map(({ id }) => id);
}
