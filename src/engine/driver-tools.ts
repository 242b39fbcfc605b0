// What a driver is handed, and how it fails.

import type { Clock } from "../core/clock.ts";
import type { Flow } from "../core/flow.ts";
import type { Limits } from "../core/limits.ts";
import type { Log } from "../core/log.ts";
import type { StepRow } from "../core/record.ts";
import type { InboxPost, Store } from "../store/store.ts";
import type { CommitWriter } from "./commit-writer.ts";
import type { Lease } from "./lease.ts";

export interface DriverTools {
  readonly store: Pick<Store, "now" | "readInbox" | "readTask">;
  readonly writer: CommitWriter;
  readonly children: Children;
  readonly lease: Lease;
  readonly clock: Clock;
  readonly log: Log;
  readonly limits: Limits;
}

/** How a step of kind child comes to its task. */
export interface Children {
  /**
   * Creates the child unless it is there, and runs it. Resolves when it has ended or only waits, with the time (of the
   * store) at which its own next wait is due, null where no time is known; its end comes through the inbox. Throws what makes the step fail: input_invalid, flow_invalid, body_too_large.
   */
  run(child: { readonly flow: Flow; readonly step: StepRow; readonly depth: number }): Promise<number | null>;
  /** What was left for another task is durable: a parent hears of its child's end, a child that it is cancelled. */
  onPosted(post: InboxPost): void;
}

/** Somebody else wrote to the task: read it again. */
export class LostTaskError extends Error {
  override readonly name = "LostTaskError";
}

/** A flow called what is not deterministic: the task is to be parked, with nothing of this transition recorded. */
export class FlowViolationError extends Error {
  override readonly name = "FlowViolationError";
}
