import type { EventKind, TaskEvent } from "../../core/api/events.ts";
import { waitsFromBits } from "../../core/api/events.ts";
import { isTerminal, type TaskStatus } from "../../core/record/status.ts";
import type { EventRow } from "../../store/event-store.ts";

/** The events of a row of the journal: two, if the task had already ended when it was created. */
export function eventsOf(row: EventRow): readonly TaskEvent[] {
  const status = row.status as TaskStatus;
  const told = (kind: EventKind): TaskEvent => ({
    kind,
    task_id: row.task_id,
    version: row.version,
    flow_name: row.flow_name,
    status,
    parked: row.parked,
    waiting_for: waitsFromBits(row.waits),
    parent_task_id: row.parent_task_id,
    schedule: row.schedule,
    priority: row.priority,
    tags: row.tags === null ? {} : (JSON.parse(row.tags) as Readonly<Record<string, string>>),
    at: new Date(row.at).toISOString(),
  });
  if (row.kind === "removed" || !isTerminal(status)) return [told(row.kind)];
  return row.kind === "created" ? [told("created"), told("ended")] : [told("ended")];
}
