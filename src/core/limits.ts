// Every loop, batch, payload and wait has a named maximum. These are the defaults; units last.

/** How long tasks are kept once they have ended that way, in milliseconds; null: until somebody removes them. */
export interface Retention {
  readonly completed: number | null;
  readonly failed: number | null;
  readonly cancelled: number | null;
}

export interface Limits {
  /** Of a flow's input, as UTF-8 JSON text. */
  readonly inputBytes: number;
  /** Of a tool's output, as UTF-8 JSON text. */
  readonly outputBytes: number;
  /** Of one task, over its whole life. */
  readonly stepsPerTask: number;
  /** The approximate size of one task's record: its JSON texts, and a share for each step. A larger task is parked. */
  readonly taskBytes: number;
  /** Of one attempt of a tool that says nothing else. */
  readonly toolTimeoutMs: number;
  /** Of children: a task without a parent has depth 0. */
  readonly childDepth: number;
  /** How long a caller waits for its turn on a task that another is driving. */
  readonly busyMs: number;
  /** How long running steps may take to end when the process is told to leave. */
  readonly graceMs: number;
  /** Within this time after a worker's last sign of life, others take over its tasks. */
  readonly leaseMs: number;
  /** A longer wait between two attempts is durable: the task is released and comes back when it is due. */
  readonly retryWaitMs: number;
  /** If workers die so many times in a row while a step runs, its task is parked. */
  readonly deaths: number;
  /** How long a piece of a flow's own code may compute, from one decision to the next. */
  readonly flowStuckMs: number;
  /** How long the event loop of a worker may be stuck; then the process is killed. */
  readonly stuckMs: number;
  /** Of tasks whose flow says nothing else. */
  readonly retention: Retention;
  /** How long entries of the audit log are kept, in milliseconds; null: for ever. */
  readonly auditKeptMs: number | null;
}

const DAY_MS = 86_400_000;

export const DEFAULT_LIMITS: Limits = {
  inputBytes: 64 * 1024,
  outputBytes: 1024 * 1024,
  stepsPerTask: 1000,
  taskBytes: 64 * 1024 * 1024,
  toolTimeoutMs: 30_000,
  childDepth: 16,
  busyMs: 30_000,
  graceMs: 10_000,
  leaseMs: 15_000,
  retryWaitMs: 2000,
  deaths: 3,
  flowStuckMs: 2000,
  stuckMs: 60_000,
  retention: { completed: 30 * DAY_MS, failed: 90 * DAY_MS, cancelled: 90 * DAY_MS },
  auditKeptMs: null,
};

/** `max_steps` of a run: 1 to this many transitions. */
export const MAX_STEPS_MAX = 1000;

/** Characters of an idempotency key; it has one at least. */
export const IDEMPOTENCY_KEY_MAX = 255;

/** A task's priority in the queue: 0 (first) to this (last). */
export const PRIORITY_MAX = 9;

/** Tasks of one page of a list. */
export const PAGE_MAX = 1000;

/** A task is given a second to begin, or more. */
export const EXPIRES_MS_MIN = 1000;

/** The longest time of a rate, in milliseconds. */
export const RATE_MS_MAX = 365 * 86_400_000;
