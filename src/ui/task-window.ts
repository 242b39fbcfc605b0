// A task and its visible steps: of 20,000 nobody sees more than some dozens at once.

import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import type { StepSummary, TaskSummary } from "../core/api/task.ts";
import { type ApiError, get } from "./api.ts";
import { useLive } from "./live.ts";
import { isEnded } from "./standing.ts";

/** Windows begin at a multiple of this, and are twice as long, so scrolling rarely causes a request. */
const HALF = 250;
/** More steps than are visible on each side of the middle one. */
const SEEN = 40;
/** No request is sent until scrolling has stopped for this time. */
const REST_MS = 120;

interface TaskWindow {
  readonly task: TaskSummary | undefined;
  /** The loaded steps by step_index, the newest version of each. */
  readonly steps: ReadonlyMap<number, StepSummary>;
  readonly count: number;
  readonly error: ApiError | undefined;
  readonly refresh: () => void;
  /** Call it with the step in the middle of the visible ones. */
  readonly lookAt: (index: number) => void;
}

/** `around`: the step that is shown first. */
export function useTaskWindow(id: string, around: number): TaskWindow {
  const [begin, setBegin] = useState(beginOf(around));
  const { data, error, refresh } = useLive(
    `${id} ${begin}`,
    async (signal) => {
      const path = `/tasks/${encodeURIComponent(id)}?view=summary&steps=${begin}-${begin + 2 * HALF - 1}`;
      return (await get<TaskSummary>(path, signal)).body;
    },
    { isTold: true, events: ({ task_id, parent_task_id }) => task_id === id || parent_task_id === id },
  );
  const known = useRef<Known>({ task: undefined, steps: new Map() });
  if (data && data !== known.current.task) {
    known.current.task = data;
    for (const step of data.steps) known.current.steps.set(step.step_index, step);
  }
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  const lookAt = useCallback((index: number) => {
    clearTimeout(timer.current);
    timer.current = setTimeout(
      () => setBegin((before) => (isKnown(known.current, index) ? before : beginOf(index))),
      REST_MS,
    );
  }, []);
  const { task, steps } = known.current;
  return { task, steps, count: task?.step_count ?? task?.steps.length ?? 0, error, refresh, lookAt };
}

interface Known {
  task: TaskSummary | undefined;
  readonly steps: Map<number, StepSummary>;
}

/** The steps around it are loaded, and no longer change. */
function isKnown({ task, steps }: Known, index: number): boolean {
  if (!task || !isEnded(task.status)) return false;
  const count = task.step_count ?? 0;
  return [Math.max(1, index - SEEN), Math.min(count, index + SEEN)].every((each) => steps.has(each));
}

/** The first step of the window that has this step in its middle. */
function beginOf(index: number): number {
  const middle = Number.isNaN(index) ? 1 : index;
  return Math.max(0, Math.round(middle / HALF) - 1) * HALF + 1;
}
