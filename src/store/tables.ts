// The columns of the tables, each defined once. Both dialects derive their statements that insert, change and read rows
// from it: a new column needs a line here, one in a migration of each store, and its uses. The type of its row says
// what it means (`core/record/record.ts`).

import type { InboxRow, StepRow, TaskRow, ToolCallRow } from "../core/record/record.ts";
import type { PauseRow } from "./pause-store.ts";
import {
  OVERLAPS,
  type ScheduleRow,
  type ScheduleSourceRow,
  SKIP_KINDS,
  type SkipRow,
} from "../core/record/schedule.ts";
import type { PayloadRow } from "./payloads.ts";
import type { TagRow } from "./tag-rows.ts";
import { type AuditRow, WAYS } from "../core/record/audit.ts";
import {
  ruleBrokenByCall,
  ruleBrokenBySchedule,
  ruleBrokenByStep,
  ruleBrokenByTask,
} from "../core/record/row-rules.ts";
import { NEXT, NEXT_STEP } from "../core/record/status.ts";
import { ROLES } from "../core/api/roles.ts";
import type { SessionRow } from "./session-store.ts";
import type { WorkerRow } from "./worker-store.ts";
import type { TokenRow } from "./token-store.ts";
import { define } from "./table.ts";

export const TASKS = define<TaskRow>({
  name: "tasks",
  key: ["id"],
  columns: {
    id: { type: "uuid" },
    flow_name: { type: "text" },
    flow_code: { type: "text", changes: true, nullable: true },
    flow_file: { type: "text", nullable: true },
    parent_task_id: { type: "uuid", nullable: true },
    parent_step_id: { type: "uuid", nullable: true },
    schedule: { type: "text", begins: null },
    tags: { type: "json", changes: true, begins: null },
    given_tags: { type: "json", changes: true, begins: null },
    traceparent: { type: "text", begins: null },
    origin: { type: "json", begins: null },
    waits: { type: "smallint", changes: true, begins: null },
    depth: { type: "integer" },
    status: { type: "text", changes: true, words: Object.keys(NEXT) },
    version: { type: "bigint", changes: true },
    current_step: { type: "integer", changes: true, begins: 0 },
    observed_count: { type: "integer", changes: true, begins: 0 },
    cancelled_after: { type: "integer", changes: true, begins: null },
    cancelled_at: { type: "time", changes: true, begins: null },
    recorded_bytes: { type: "bigint", changes: true },
    priority: { type: "smallint", changes: true },
    limit_key: { type: "text", begins: null },
    unique_key: { type: "text", begins: null },
    expires_at: { type: "time", changes: true, begins: null },
    cancel_reason: { type: "text", changes: true, begins: null },
    // a change writes it unless an outsider came meanwhile: then it is due at once
    due_at: { type: "time", nullable: true },
    wake_seq: { type: "bigint", begins: 0 },
    lease_owner: { type: "uuid", changes: true, begins: null },
    parked_reason: { type: "text", changes: true, begins: null },
    parked_code: { type: "text", changes: true, begins: null },
    created_at: { type: "time" },
    updated_at: { type: "time", changes: true },
    finished_at: { type: "time", changes: true, begins: null },
    input_payload: { type: "json" },
    output_payload: { type: "json", changes: true, begins: null },
    error: { type: "json", changes: true, begins: null },
    left_undone: { type: "json", changes: true, begins: null },
  },
  brokenBy: ruleBrokenByTask,
});

export const TASK_STEPS = define<StepRow>({
  name: "task_steps",
  key: ["task_id", "id"],
  columns: {
    task_id: { type: "uuid" },
    id: { type: "uuid" },
    step_index: { type: "integer" },
    path: { type: "text" },
    kind: { type: "text", words: ["tool", "sleep", "signal", "child"] },
    step_name: { type: "text" },
    target: { type: "text", nullable: true },
    execution: { type: "text", nullable: true, words: ["pure", "at-least-once", "at-most-once"] },
    status: { type: "text", changes: true, words: Object.keys(NEXT_STEP) },
    outcome_seq: { type: "integer", changes: true, begins: null },
    attempt_epoch: { type: "integer", changes: true, begins: 0 },
    starts: { type: "integer", changes: true, begins: 0 },
    due_at: { type: "time", changes: true, nullable: true },
    observed_at: { type: "time", changes: true, begins: null },
    created_at: { type: "time" },
    updated_at: { type: "time", changes: true },
    input_payload: { type: "json" },
    output_payload: { type: "json", changes: true, begins: null },
    error: { type: "json", changes: true, begins: null },
    limited_by: { type: "text", changes: true, begins: null },
    doubt: { type: "json", changes: true, begins: null },
  },
  brokenBy: ruleBrokenByStep,
});

export const TOOL_CALLS = define<ToolCallRow>({
  name: "tool_calls",
  key: ["task_id", "task_step_id", "tool_name"],
  columns: {
    task_id: { type: "uuid" },
    task_step_id: { type: "uuid" },
    id: { type: "uuid", derived: true },
    idempotency_key: { type: "text", derived: true },
    tool_name: { type: "text" },
    status: { type: "text", changes: true, words: ["COMPLETED", "RUNNING", "FAILED"] },
    retry_count: { type: "integer", changes: true, begins: 0 },
    attempt_epoch: { type: "integer", changes: true, begins: 0 },
    started_at: { type: "time", changes: true },
    finished_at: { type: "time", changes: true, nullable: true },
    created_at: { type: "time" },
    request_payload: { type: "json" },
    response_payload: { type: "json", changes: true, nullable: true },
    error: { type: "json", changes: true, begins: null },
    last_error: { type: "json", changes: true, begins: null },
    progress: { type: "json", changes: true, begins: null },
  },
  brokenBy: ruleBrokenByCall,
});

export const TASK_INBOX = define<InboxRow>({
  name: "task_inbox",
  key: ["task_id", "seq"],
  columns: {
    task_id: { type: "uuid" },
    seq: { type: "bigint" },
    kind: { type: "text", words: ["signal", "child", "cancel", "resolve", "ticket"] },
    name: { type: "text", nullable: true },
    step_id: { type: "uuid", nullable: true },
    attempt_epoch: { type: "integer", nullable: true },
    idempotency_key: { type: "text", nullable: true },
    created_at: { type: "time" },
    payload: { type: "json", nullable: true },
    error: { type: "json", nullable: true },
  },
});

export const PAYLOADS = define<PayloadRow>({
  name: "payloads",
  key: ["task_id", "key"],
  columns: { task_id: { type: "uuid" }, key: { type: "text" }, text: { type: "text" } },
});

export const TASK_TAGS = define<TagRow>({
  name: "task_tags",
  key: ["task_id", "key"],
  columns: {
    task_id: { type: "uuid" },
    key: { type: "text" },
    value: { type: "text" },
    created_at: { type: "time" },
  },
});

export interface StoredWorker extends WorkerRow {
  /** See `Processes.own`. */
  readonly process: string;
  readonly lease_ms: number;
  /** What may kill it, as JSON (`DeathCause`). */
  readonly cause: string | null;
}

export const WORKERS = define<StoredWorker>({
  name: "workers",
  key: ["id"],
  columns: {
    id: { type: "uuid" },
    name: { type: "text" },
    process: { type: "text" },
    concurrency: { type: "integer", range: [0, Number.MAX_SAFE_INTEGER] },
    flows: { type: "text", json: "names" },
    codes: { type: "text", json: "object" },
    started_at: { type: "time" },
    lease_until: { type: "time" },
    lease_ms: { type: "integer", range: [1, Number.MAX_SAFE_INTEGER] },
    cause: { type: "text", begins: null },
  },
});

export const PAUSES = define<PauseRow>({
  name: "pauses",
  key: ["scope", "name"],
  columns: {
    scope: { type: "text", words: ["tool", "flow", "all"] },
    name: { type: "text" },
    id: { type: "uuid" },
    reason: { type: "text", nullable: true },
    made_by: { type: "text" },
    aborts: { type: "smallint", range: [0, 1] },
    since: { type: "time" },
  },
  brokenBy: ({ scope, name }) => ((scope === "all") === (name === "") ? undefined : "all_has_no_name"),
});

export const TOKENS = define<TokenRow>({
  name: "tokens",
  key: ["id"],
  columns: {
    id: { type: "text" },
    name: { type: "text" },
    role: { type: "text", words: ROLES },
    flows: { type: "text", nullable: true, json: "names" },
    hides_payloads: { type: "smallint", range: [0, 1] },
    secret_hash: { type: "text" },
    old_hash: { type: "text", begins: null },
    old_until: { type: "time", begins: null },
    created_at: { type: "time" },
    expires_at: { type: "time", nullable: true },
    revoked_at: { type: "time", begins: null },
    last_used_at: { type: "time", begins: null },
  },
  brokenBy: (row) => ((row.old_hash === null) === (row.old_until === null) ? undefined : "old_secret_ends"),
});

export const SESSIONS = define<SessionRow>({
  name: "sessions",
  key: ["hash"],
  columns: {
    hash: { type: "text" },
    token_id: { type: "text", nullable: true },
    secret_hash: { type: "text", nullable: true },
    created_at: { type: "time" },
    used_at: { type: "time" },
  },
});

export const AUDIT_LOG = define<AuditRow>({
  name: "audit_log",
  key: ["seq"],
  columns: {
    seq: { type: "bigint" },
    at: { type: "time" },
    who: { type: "text" },
    token_id: { type: "text", nullable: true },
    role: { type: "text" },
    way: { type: "text", words: WAYS },
    action: { type: "text" },
    target_kind: { type: "text" },
    target: { type: "text" },
    reason: { type: "text", nullable: true },
    request_id: { type: "text", nullable: true },
    address: { type: "text", nullable: true },
    state_before: { type: "text", nullable: true },
    state_after: { type: "text", nullable: true },
    previous_hash: { type: "text" },
    hash: { type: "text" },
  },
});

export const SCHEDULES = define<ScheduleRow>({
  name: "schedules",
  key: ["name"],
  columns: {
    name: { type: "text" },
    flow_name: { type: "text", changes: true },
    owner: { type: "text", words: ["command", "flow"] },
    version: { type: "bigint", changes: true },
    cron: { type: "text", changes: true, nullable: true },
    every_ms: { type: "bigint", changes: true, nullable: true },
    time_zone: { type: "text", changes: true },
    input: { type: "json", changes: true },
    overlap: { type: "text", changes: true, words: OVERLAPS },
    catch_up: { type: "text", changes: true, words: ["none", "last", "within"] },
    catch_up_ms: { type: "bigint", changes: true, nullable: true },
    jitter_ms: { type: "bigint", changes: true },
    priority: { type: "smallint", changes: true },
    nominal_at: { type: "time", changes: true, nullable: true },
    next_at: { type: "time", changes: true, nullable: true },
    queued_at: { type: "time", changes: true, nullable: true },
    paused_at: { type: "time", changes: true, nullable: true },
    pause_reason: { type: "text", changes: true, nullable: true },
    deaths: { type: "integer", changes: true },
    fired_at: { type: "time", changes: true, nullable: true },
    last_task_id: { type: "uuid", changes: true, nullable: true },
    fired_count: { type: "bigint", changes: true },
    skipped_count: { type: "bigint", changes: true },
    skip_from: { type: "time", changes: true, nullable: true },
    skip_kind: { type: "text", changes: true, nullable: true },
    created_at: { type: "time" },
    updated_at: { type: "time", changes: true },
  },
  brokenBy: ruleBrokenBySchedule,
});

export const SCHEDULE_SKIPS = define<SkipRow>({
  name: "schedule_skips",
  key: ["schedule_name", "from_at"],
  columns: {
    schedule_name: { type: "text" },
    from_at: { type: "time" },
    until_at: { type: "time", changes: true },
    count: { type: "bigint", changes: true, range: [1, Number.MAX_SAFE_INTEGER] },
    kind: { type: "text", words: SKIP_KINDS },
    reason: { type: "text", changes: true },
    recorded_at: { type: "time", changes: true },
  },
});

export const SCHEDULE_SOURCES = define<ScheduleSourceRow>({
  name: "schedule_sources",
  key: ["flow_name"],
  columns: {
    flow_name: { type: "text" },
    code: { type: "text", changes: true },
    seen: { type: "json", changes: true, json: "names" },
    version: { type: "bigint", changes: true },
    confirmed_at: { type: "time", changes: true },
  },
});

export const TABLES = [
  TASKS,
  TASK_STEPS,
  TOOL_CALLS,
  TASK_INBOX,
  TASK_TAGS,
  PAYLOADS,
  WORKERS,
  PAUSES,
  TOKENS,
  AUDIT_LOG,
  SESSIONS,
  SCHEDULES,
  SCHEDULE_SKIPS,
  SCHEDULE_SOURCES,
] as const;
