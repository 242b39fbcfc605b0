// New tasks that share the record of another one up to a step.

import type { Execution } from "../record/record.ts";
import type { CreatedTask, CreateTask } from "./create-task.ts";

export interface ForkTask extends Pick<CreateTask, "start" | "priority" | "idempotencyKey"> {
  /** The step_index of the first step that is not taken over, from 1; one more than there are steps: all of them are. */
  readonly from: number;
  /** In the place of the task's input; unset: the same. */
  readonly input?: unknown;
  /** Outputs of steps before that one, by step_index, in the place of what is recorded. */
  readonly set?: Readonly<Record<string, unknown>>;
}

/** An effect of the task that the fork will repeat, unless its flow decides otherwise. */
export interface ForkEffect {
  readonly step_index: number;
  readonly step_name: string;
  /** The tool, or the flow of the child. */
  readonly target: string | null;
  readonly kind: "tool" | "child";
  readonly execution: Execution | null;
  /** The new idempotency key; for a child, the id of its new task. */
  readonly idempotency_key: string;
}

export interface ForkPreview {
  /** The id that the fork has with this idempotency key; without a key it gets another one. */
  readonly id: string;
  readonly flow_name: string;
  readonly forked_from: { readonly task_id: string; readonly step: number };
  /** How many steps it takes over with their outcomes. */
  readonly shared_steps: number;
  /** In the order of their steps. */
  readonly effects: readonly ForkEffect[];
}

export interface Forks {
  /** What `create` would make, which is not made. Throws what it throws. */
  preview(id: string, request: ForkTask): Promise<ForkPreview>;
  /**
   * Makes it, whatever state the task is in. Throws task_not_found, flow_not_loaded, input_invalid (no such step, an input
   * or an output that breaks its contract), task_not_forkable (the flow decides otherwise than is recorded),
   * idempotency_key_reused.
   */
  create(id: string, request: ForkTask): Promise<CreatedTask>;
}
