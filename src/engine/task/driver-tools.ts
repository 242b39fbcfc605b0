// The tools of a driver, and its errors.

import type { Clock } from "../../core/clock.ts";
import type { Flow } from "../../core/flow/flow.ts";
import type { Limits } from "../../core/limits.ts";
import type { TaskListener } from "../../core/api/task-listener.ts";
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
  readonly limitDesk: Pick<LimitDesk, "take" | "giveBack" | "noteLeft">;
  readonly clock: Clock;
  readonly storeClock: StoreClock;
  readonly pauses: KnownPauses;
  readonly log: Log;
  readonly limits: Limits;
  /** Receives the progress of tools. */
  readonly progress: Pick<ProgressWriter, "note" | "forget">;
  /** The options for executing tools. */
  readonly execution: ExecutionTools;
  /** Receives the log lines of flows; undefined if the level is off. */
  readonly flowLog: LogMethod | undefined;
  /** How long a write under a lease is retried during an outage of the database. */
  readonly deliveryMs: () => number;
  /** Receives the reason why a caller waits. */
  readonly tellWait?: TellWait | undefined;
  /** Receives the events of tasks; undefined: nobody shows them. */
  readonly listener?: TaskListener | undefined;
  readonly flows: Flows;
  /** The end of a task is durable. It must not throw. */
  readonly onEnded: (taskId: string) => void;
  /** The inbox has something for a task that nobody holds any more. */
  readonly onWoken: (taskId: string) => void;
  /**
   * The late output of an at-most-once tool whose step is in doubt, or is in doubt for the current driver of the task.
   */
  readonly onLateOutput: (step: StepRow, output: JsonText) => void;
}

export interface ChildStep {
  readonly flow: Flow;
  readonly step: StepRow;
  readonly depth: number;
  /** The child is as urgent as its parent. */
  readonly priority: number;
  /** A worker may take the child from then on, in store time. */
  readonly dueAt: number;
  /** The parent of the child's trace; null: the child has its own trace. */
  readonly traceparent: string | null;
}

/** How a step of kind child gets its task. The child's end comes through the inbox. */
export interface Children {
  /**
   * Creates the child in the queue, unless it exists. Throws the errors that make the step fail: input_invalid,
   * flow_invalid; ObstacleError.
   */
  create(child: ChildStep): Promise<void>;
  /**
   * Creates the child and runs it here. Resolves when it has ended or only waits, with the store time at which its own
   * next wait is due, null if no time is known. Throws as `create` does.
   */
  run(child: ChildStep): Promise<number | null>;
  /** A post to another task is durable: a parent hears of its child's end, or a child of its cancel. */
  onPosted(post: InboxPost): void;
}

/** Somebody else wrote to the task: read it again. */
export class LostTaskError extends Error {
  override readonly name = "LostTaskError";

  constructor(taskId: string) {
    super(`Somebody else wrote to task ${taskId}.`);
  }
}

/** The store already had a task with this id, so the new one was not inserted. */
export class TaskExistsError extends Error {
  override readonly name = "TaskExistsError";

  constructor(taskId: string) {
    super(`Task ${taskId} exists.`);
  }
}

/**
 * A flow called something that is not deterministic: the task is parked, and nothing of this transition is recorded.
 */
export class FlowViolationError extends Error {
  override readonly name = "FlowViolationError";
}

/**
 * This process cannot continue the task, but another may: the task is parked as well. For example, a child cannot be
 * created here.
 */
export class ObstacleError extends FlowViolationError {}
