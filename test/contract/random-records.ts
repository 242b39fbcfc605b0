// Tasks of every kind that a filter could tell from others, with few different values, so that filters meet them.

import fc from "fast-check";

import type { StepRow, TaskRecord, TaskRow } from "../../src/core/record/record.ts";
import type { TaskStatus } from "../../src/core/record/status.ts";
import { toTagsText } from "../../src/core/record/tags.ts";
import { waitsOf } from "../../src/core/record/waits.ts";
import { inStatus, stepRow, T0, taskRow } from "./rows.ts";

export const FLOWS = ["order", "ship", "order.v2"] as const;
export const SIGNALS = ["approved", "paid"] as const;
export const PARENTS = [1, 2].map((n) => `00000000-0000-7000-8000-00000000000${n}`);
export const TAGS = { customer: ["c1", "c2", ""], größe: ["ü=1", "x"] } as const;
export const SCHEDULES = ["nightly", "weekly"] as const;
const MESSAGES = [
  "Timeout after 30s",
  'It said "no\\way"',
  "größer als Ü\n",
  "message",
  `${"long ".repeat(1000)} tail timeOUT`,
] as const;

/** Milliseconds between two times that differ. */
export const STEP_MS = 60_000;

const moment = fc.nat({ max: 9 });
const STATUSES: readonly TaskStatus[] = [
  "PLANNED",
  "RUNNING",
  "WAITING_OBSERVATION",
  "COMPLETED",
  "FAILED",
  "CANCELLED",
];

const parts = fc.record({
  flow: fc.constantFrom(...FLOWS),
  status: fc.constantFrom(...STATUSES),
  created: moment,
  later: moment,
  isParked: fc.boolean(),
  waits: fc.array(fc.constantFrom("sleep", "child", "retry", "doubt", ...SIGNALS), { maxLength: 3 }),
  customer: fc.option(fc.constantFrom(...TAGS.customer)),
  size: fc.option(fc.constantFrom(...TAGS["größe"])),
  message: fc.constantFrom(...MESSAGES),
  parent: fc.option(fc.constantFrom(...PARENTS)),
  schedule: fc.option(fc.constantFrom(...SCHEDULES)),
  priority: fc.constantFrom(0, 5, 5, 5, 9),
  traceparent: fc.option(fc.constant("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")),
});

export const randomRecord: fc.Arbitrary<TaskRecord> = parts.map((part): TaskRecord => {
  const { status, flow, parent, schedule, priority, customer, size, traceparent } = part;
  const isOpen = ["PLANNED", "RUNNING", "WAITING_OBSERVATION"].includes(status);
  const created_at = T0 + part.created * STEP_MS;
  const updated_at = created_at + part.later * STEP_MS;
  const tags = { ...(customer !== null && { customer }), ...(size !== null && { größe: size }) };
  const over: Partial<TaskRow> = {
    ...inStatus(status),
    flow_name: flow,
    version: status === "PLANNED" ? 1 : 2,
    ...(status === "FAILED" && { error: JSON.stringify({ name: "Error", message: part.message }) }),
    created_at,
    updated_at,
    finished_at: isOpen ? null : updated_at,
    parked_reason: isOpen && part.isParked ? "why" : null,
    parent_task_id: parent,
    schedule,
    priority,
    traceparent,
    tags: toTagsText(tags),
  };
  const task = taskRow(over);
  if (status !== "WAITING_OBSERVATION") return { task, steps: [], calls: [] };
  const steps = part.waits.map((wait, place) => waitingStep(task.id, wait, place + 1));
  const kinds = steps.map(({ kind, doubt }) =>
    kind === "sleep" ? "time" : kind === "tool" ? (doubt === null ? "retry" : "doubt") : kind,
  );
  return { task: { ...task, waits: waitsOf(kinds) }, steps, calls: [] };
});

function waitingStep(taskId: string, wait: string, step_index: number): StepRow {
  const at = { step_index, step_name: wait, execution: null, status: "RUNNING" } as const;
  switch (wait) {
    case "sleep":
      return stepRow(taskId, { ...at, kind: "sleep", target: null, due_at: T0 });
    case "child":
      return stepRow(taskId, { ...at, kind: "child", target: "ship" });
    case "retry":
      return stepRow(taskId, { ...at, kind: "tool", target: "pay", due_at: T0 });
    case "doubt":
      return stepRow(taskId, { ...at, kind: "tool", target: "pay", doubt: '{"name":"Error","message":"who knows"}' });
    default:
      return stepRow(taskId, { ...at, kind: "signal", target: wait });
  }
}
