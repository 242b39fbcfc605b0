// A filter as a condition on rows of `tasks`. Its text is the same for all filters: missing parts are null.

import type { SQLQueryBindings } from "bun:sqlite";
import { ALL_FLOWS, type RowFilter } from "../../core/record/row-filter.ts";
import { WAIT_BITS } from "../../core/record/waits.ts";
import { searchedText } from "../search-found.ts";

export function filterParameters(filter: RowFilter): Record<string, SQLQueryBindings> {
  const { created, updated, finished } = filter;
  return {
    flows: filter.flows && JSON.stringify(filter.flows),
    statuses: filter.statuses && JSON.stringify(filter.statuses),
    isParked: filter.isParked ? 1 : 0,
    waits: filter.waits === 0 && filter.signals.length === 0 ? null : filter.waits,
    signals: JSON.stringify(filter.signals),
    pausedFlows: filter.pausedFlows.length === 0 ? null : JSON.stringify(filter.pausedFlows),
    fullFlows: filter.fullFlows.length === 0 ? null : JSON.stringify(filter.fullFlows),
    isInDoubt: filter.isInDoubt ? 1 : 0,
    needsPerson: filter.needsPerson ? 1 : 0,
    tags: filter.tags.length === 0 ? null : JSON.stringify(filter.tags.map(({ key, value }) => [key, value])),
    createdSince: created.since,
    createdUntil: created.until,
    updatedSince: updated.since,
    updatedUntil: updated.until,
    finishedSince: finished.since,
    finishedUntil: finished.until,
    error: filter.error === null ? null : searchedText(filter.error),
    parentId: filter.parentId,
    schedule: filter.schedule,
    priority: filter.priority,
  };
}

const within = (column: string, name: string): string =>
  `($${name}Since is null or ${column} >= $${name}Since) and ($${name}Until is null or ${column} < $${name}Until)`;

/** A pause of its flow would hold it back. */
const IS_HELD = "t.finished_at is null and t.parked_reason is null and t.lease_owner is null";

/**
 * Whether row `t` matches the filter of these parameters. A separately stored text is checked after it has been read.
 */
export const MATCHES = `
  ($flows is null or t.flow_name in (select value from json_each($flows)))
  and ($statuses is null or t.status in (select value from json_each($statuses)))
  and (not $isParked or t.parked_reason is not null)
  and ($waits is null or (t.waits & $waits) <> 0 or ((t.waits & ${WAIT_BITS.signal}) <> 0 and exists (
    select 1 from task_steps s where s.task_id = t.id and s.kind = 'signal'
      and (s.status = 'PLANNED' or s.status = 'RUNNING') and s.target in (select value from json_each($signals))
  )) or ($pausedFlows is not null and ${IS_HELD} and exists (
    select 1 from json_each($pausedFlows) where value = t.flow_name or value = '${ALL_FLOWS}'
  )) or ($fullFlows is not null and ${IS_HELD} and exists (
    select 1 from json_each($fullFlows) f where f.value ->> 'name' = t.flow_name and t.due_at <= f.value ->> 'dueBy'
      and (f.value ->> 'perKey' = 0 or f.value ->> 'perKey' <= (
        select count(*) from tasks h indexed by tasks_held
        where h.flow_name = t.flow_name and h.limit_key = t.limit_key and h.lease_owner is not null
          and h.limited = 1
      ))
  )))
  and (not $isInDoubt or (t.waits & ${WAIT_BITS.doubt}) <> 0)
  and (not $needsPerson or t.parked_reason is not null or (t.waits & ${WAIT_BITS.signal | WAIT_BITS.doubt}) <> 0)
  and ($tags is null or not exists (
    select 1 from json_each($tags) wanted where not exists (
      select 1 from task_tags g
      where g.task_id = t.id and g.key = wanted.value ->> 0 and g.value = wanted.value ->> 1
    )
  ))
  and ${within("t.created_at", "created")}
  and ${within("t.updated_at", "updated")}
  and ${within("t.finished_at", "finished")}
  and ($error is null or substr(t.error, 1, 1) = ' ' or instr(lower(t.error), $error) > 0)
  and ($parentId is null or t.parent_task_id = $parentId)
  and ($schedule is null or t.schedule = $schedule)
  and ($priority is null or t.priority = $priority)`;
