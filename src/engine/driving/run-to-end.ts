// `run`: makes one transition after the other for a caller, until the task has ended or can only wait.

import { TaskonautError } from "../../core/errors.ts";
import type { TaskRecord } from "../../core/record/record.ts";
import { isTerminal } from "../../core/record/status.ts";
import type { RunTask } from "../../core/api/create-task.ts";
import type { ChildTasks } from "./child-tasks.ts";
import type { TaskDriver } from "../task/task-driver.ts";
import type { DrivenTasks } from "./driven-tasks.ts";
import type { DrivingForCallers } from "./drive-for-caller.ts";

export interface RunTools {
  readonly callers: DrivingForCallers;
  readonly driven: DrivenTasks;
  readonly children: Pick<ChildTasks, "followCancelled">;
  /** The limit for one task. */
  readonly stepsMax: number;
  readonly isLeaving: () => boolean;
}

/**
 * Returns the durable record. `unborn`: as in `DrivingForCallers.drive`. Throws max_steps_exhausted, shutting_down, and
 * what driving throws.
 */
export async function runToEnd(
  taskId: string,
  { maxSteps }: RunTask,
  { callers, driven, children, stepsMax, isLeaving }: RunTools,
  unborn?: TaskDriver,
): Promise<TaskRecord> {
  let first = unborn;
  // a task with this many steps cannot make more transitions: each step is planned, run and observed once, also in its
  // clean-up
  let limit = maxSteps ?? 6 * stepsMax + 3;
  let made = 0;
  for (;;) {
    let hasMoved = true;
    let mover: TaskDriver | undefined;
    let start = 0;
    const countLost = (): void => {
      if (mover) made += mover.durableMoves - start;
      mover = undefined;
    };
    const drive = async (driver: TaskDriver): Promise<boolean> => {
      countLost();
      mover = driver;
      start = driver.durableMoves;
      let moves = 0;
      do {
        hasMoved = await driver.advance();
        if (!hasMoved) break;
        moves += 1;
        driver.writeSoon();
      } while (!driver.isEnded && made + moves < limit && !driven.isWanted(taskId) && !isLeaving());
      return moves > 0;
    };
    const record = await callers.drive(taskId, drive, first);
    first = undefined;
    countLost();
    if (isTerminal(record.task.status) || !hasMoved) {
      await children.followCancelled(record);
      return record;
    }
    // a task that began elsewhere may have more than it could have here
    if (maxSteps === undefined) limit = Math.max(limit, 6 * record.steps.length + 3);
    if (made >= limit) {
      throw new TaskonautError(
        "max_steps_exhausted",
        `Task ${taskId} did not reach terminal state within ${limit} steps`,
        {
          details: { id: taskId, status: record.task.status, max_steps: limit },
        },
      );
    }
    driven.assertOpen();
  }
}
