import { TIMER_MS_MAX } from "./core/flow/duration.ts";
import { readKeptFor, tellWrongKeptFor } from "./core/flow/retention.ts";
import { TaskonautError } from "./core/errors.ts";
import { DEFAULT_LIMITS, type Limits, type Retention } from "./core/limits.ts";

interface Variable {
  readonly limit: Exclude<keyof Limits, "retention" | "auditKeptMs">;
  readonly min: number;
  readonly max: number;
}

const DAY_MS = 86_400_000;

/** Both databases hold texts of twice this. */
const BYTES_MAX = 256 * 1024 * 1024;

/** Whoever drives a task has it in memory. */
const TASK_BYTES_MAX = 4 * 1024 * 1024 * 1024;

/** The limits that a person may set, by environment variable. */
const VARIABLES: Readonly<Record<string, Variable>> = {
  TASKONAUT_MAX_INPUT_BYTES: { limit: "inputBytes", min: 1, max: BYTES_MAX },
  TASKONAUT_MAX_OUTPUT_BYTES: { limit: "outputBytes", min: 1, max: BYTES_MAX },
  TASKONAUT_MAX_STEPS: { limit: "stepsPerTask", min: 1, max: 1_000_000 },
  TASKONAUT_MAX_TASK_BYTES: { limit: "taskBytes", min: 1024, max: TASK_BYTES_MAX },
  TASKONAUT_TOOL_TIMEOUT_MS: { limit: "toolTimeoutMs", min: 1, max: TIMER_MS_MAX },
  TASKONAUT_MAX_CHILD_DEPTH: { limit: "childDepth", min: 1, max: 1000 },
  // a worker with a shorter one does little but renew it; a longer one keeps the tasks of a lost machine for days
  TASKONAUT_LEASE_MS: { limit: "leaseMs", min: 1000, max: DAY_MS },
  TASKONAUT_GRACE_MS: { limit: "graceMs", min: 1, max: DAY_MS },
  // a flow takes milliseconds; a machine may be slow
  TASKONAUT_FLOW_STUCK_MS: { limit: "flowStuckMs", min: 100, max: DAY_MS },
  // a shorter one would kill what only computes for a while
  TASKONAUT_STUCK_MS: { limit: "stuckMs", min: 1000, max: DAY_MS },
};

/** How long ended tasks are kept whose flow says nothing else. */
const RETENTION: Readonly<Record<string, keyof Retention>> = {
  TASKONAUT_RETENTION_COMPLETED: "completed",
  TASKONAUT_RETENTION_FAILED: "failed",
  TASKONAUT_RETENTION_CANCELLED: "cancelled",
};

/** How long entries of the audit log are kept. */
const AUDIT_RETENTION = "TASKONAUT_RETENTION_AUDIT";

type Environment = Readonly<Record<string, string | undefined>>;

/** The defaults, with what the environment says in place of them; an empty variable is none. Throws usage. */
export function readLimits(env: Environment): Limits {
  const limits: { -readonly [Limit in keyof Limits]: Limits[Limit] } = { ...DEFAULT_LIMITS };
  for (const [name, { limit, min, max }] of Object.entries(VARIABLES)) {
    const text = env[name];
    if (!text) continue;
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= min && value <= max)) {
      throw new TaskonautError(
        "usage",
        `${name} must be an integer from ${min} to ${max}, got ${JSON.stringify(text)}.`,
      );
    }
    limits[limit] = value;
  }
  const audit = env[AUDIT_RETENTION];
  return {
    ...limits,
    retention: readRetention(env),
    auditKeptMs: audit ? keptFor(AUDIT_RETENTION, audit, "entries") : DEFAULT_LIMITS.auditKeptMs,
  };
}

/** Throws usage. */
function readRetention(env: Environment): Retention {
  const retention: { -readonly [End in keyof Retention]: Retention[End] } = { ...DEFAULT_LIMITS.retention };
  for (const [name, end] of Object.entries(RETENTION)) {
    const text = env[name];
    if (text) retention[end] = keptFor(name, text);
  }
  return retention;
}

/** Milliseconds; null: for ever. Throws usage. */
function keptFor(name: string, text: string, what?: string): number | null {
  const ms = readKeptFor(text);
  if (ms === undefined) throw new TaskonautError("usage", `${name}: ${tellWrongKeptFor(text, what)}.`);
  return ms;
}
