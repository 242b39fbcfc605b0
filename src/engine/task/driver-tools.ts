// The tools of a driver, and its errors.

import type { Clock } from "../../core/clock.ts";
import type { Flow } from "../../core/flow/flow.ts";
import type { Limits } from "../../core/limits.ts";
import type { TaskNews } from "../../core/api/task-news.ts";
import type { TellWait } from "../../core/waiting.ts";
import type { Log, LogMethod } from "../../core/log.ts";
import type { JsonText, StepRow } from "../../core/record/record.ts";
import type { InboxPost, Store } from "../../store/store.ts";
import type { CommitWriter } from "../process/commit-writer.ts";
import type { ExecutionTools } from "./execute-tool.ts";
import type { Flows } from "./flows.ts";
import type { LimitDesk } from "../process/limit-desk.ts";
import type { KnownPauses } from "../process/known-pauses.ts";
import type { Lease } from "../process/lease.ts";
import type { ProgressWriter } from "../process/progress-writer.ts";
import type { StoreClock } from "../process/store-clock.ts";

export interface DriverTools {
  readonly store: Pick<Store, "location" | "now" | "readInbox" | "readTask">;
  readonly writer: CommitWriter;
  readonly children: Children;
  readonly lease: Lease;
  readonly limitDesk: Pick<LimitDesk, "take" | "giveBack">;
  readonly clock: Clock;
  readonly storeClock: StoreClock;
  readonly pauses: KnownPauses;
  readonly log: Log;
  readonly limits: Limits;
  /** What tools tell of their progress goes there. */
  readonly progress: Pick<ProgressWriter, "note" | "forget">;
  /** What tools are executed with. */
  readonly execution: ExecutionTools;
  /** Where the lines of flows go; undefined where the level is off. */
  readonly flowLog: LogMethod | undefined;
  /** How long a write under a lease is tried while the database is away. */
  readonly deliveryMs: () => number;
  /** Told what a caller waits for. */
  readonly tellWait?: TellWait | undefined;
  /** Told what happens to tasks; undefined: nobody shows them. */
  readonly news?: TaskNews | undefined;
  readonly flows: Flows;
  /** The end of a task is durable. It must not throw. */
  readonly onEnded: (taskId: string) => void;
  /** Something has come for a task that nobody holds any more. */
  readonly onWoken: (taskId: string) => void;
  /** The output of an at-most-once tool whose step is in doubt, or is so for whoever drives the task now. */
  readonly onLateOutput: (step: StepRow, output: JsonText) => void;
}

export interface ChildStep {
  readonly flow: Flow;
  readonly step: StepRow;
  readonly depth: number;
  /** The child is as urgent as its parent. */
  readonly priority: number;
  /** In store time: from then on a worker may take it. */
  readonly dueAt: number;
  /** What the child's trace is below; null: it has one of its own. */
  readonly traceparent: string | null;
}

/** How a step of kind child comes to its task. Its end comes through the inbox. */
export interface Children {
  /** Creates the child, in the queue, unless it is there. Throws what makes the step fail: input_invalid, flow_invalid; ObstacleError. */
  create(child: ChildStep): Promise<void>;
  /**
   * Creates it and runs it here. Resolves when it has ended or only waits, with the time (of the store) at which its own
   * next wait is due, null where no time is known. Throws as `create` does.
   */
  run(child: ChildStep): Promise<number | null>;
  /** What was left for another task is durable: a parent hears of its child's end, a child that it is cancelled. */
  onPosted(post: InboxPost): void;
}

/** Somebody else wrote to the task: read it again. */
export class LostTaskError extends Error {
  override readonly name = "LostTaskError";

  constructor(taskId: string) {
    super(`Somebody else wrote to task ${taskId}.`);
  }
}

/** A task of this id was in the store before: the one that was to be inserted is not there. */
export class TaskExistsError extends Error {
  override readonly name = "TaskExistsError";

  constructor(taskId: string) {
    super(`Task ${taskId} exists.`);
  }
}

/** A flow called what is not deterministic: the task is to be parked, with nothing of this transition recorded. */
export class FlowViolationError extends Error {
  override readonly name = "FlowViolationError";
}

/** This process cannot go on with the task, and another may: likewise. A child that cannot be created here is such a case. */
export class ObstacleError extends FlowViolationError {}
