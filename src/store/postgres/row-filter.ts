// A filter as a condition on rows of `tasks`. Its text is nearly the same for all filters: missing parts are null. So
// there are only a few texts, each prepared once for each connection.

import { ALL_FLOWS, type RowFilter } from "../../core/record/row-filter.ts";
import { WAIT_BITS } from "../../core/record/waits.ts";
import { searchedText } from "../search-found.ts";
import type { Parameter } from "./connection.ts";
import { type Schema, timestamp } from "./schema.ts";
import { writeArray } from "./row-encoding.ts";

/** The parameters of `matches`, in its order. */
export function filterParameters(filter: RowFilter): Parameter[] {
  const { created, updated, finished } = filter;
  return [
    filter.flows && writeArray(filter.flows),
    filter.statuses && writeArray(filter.statuses),
    filter.isParked,
    filter.waits === 0 && filter.signals.length === 0 ? null : filter.waits,
    writeArray(filter.signals),
    filter.isInDoubt,
    filter.needsPerson,
    writeArray(filter.tags.map(({ key }) => key)),
    writeArray(filter.tags.map(({ value }) => value)),
    ...[created, updated, finished].flatMap(({ since, until }) => [since, until]),
    filter.error === null ? null : searchedText(filter.error),
    filter.parentId,
    filter.schedule,
    filter.priority,
    writeArray(filter.pausedFlows),
    writeArray(filter.fullFlows.map(({ name }) => name)),
    writeArray(filter.fullFlows.map(({ perKey }) => perKey)),
  ];
}

/**
 * Whether row `t` matches the filter, whose parameters begin after the first `before`. Only filters that need other
 * tables read them; as values, not by `exists`, for which the planner may read a table whole.
 */
export function matches(schema: Schema, filter: RowFilter, before: number): string {
  let place = before;
  const next = (type: string): string => `$${++place}::${type}`;
  const [flows, statuses, isParked] = [next("text[]"), next("text[]"), next("boolean")];
  const [waits, signals] = [next("integer"), next("text[]")];
  const [isInDoubt, needsPerson] = [next("boolean"), next("boolean")];
  const [keys, values] = [next("text[]"), next("text[]")];
  const within = (column: string): string => {
    const [since, until] = [next("float8"), next("float8")];
    return `(${since} is null or ${column} >= ${timestamp(since)}) and (${until} is null or ${column} < ${timestamp(until)})`;
  };
  const spans = ["t.created_at", "t.updated_at", "t.finished_at"].map(within);
  const [error, parent, schedule, priority] = [next("text"), next("uuid"), next("text"), next("smallint")];
  const [paused, full, perKey] = [next("text[]"), next("text[]"), next("integer[]")];
  // a separately stored text (`payloads.ts`) is checked after it has been read
  const mayHold = `(left(t.error::text, 1) = ' ' or strpos(lower(t.error::text collate "C"), ${error}) > 0)`;
  const waitsForSignal =
    filter.signals.length === 0
      ? unused(signals)
      : `((t.waits & ${WAIT_BITS.signal}) <> 0 and (
          select true from ${schema}.task_steps s where s.task_id = t.id and s.kind = 'signal'
            and s.status in ('PLANNED', 'RUNNING') and s.target = any (${signals}) limit 1
        ) is true)`;
  const waitsForPause =
    filter.pausedFlows.length === 0
      ? unused(paused)
      : `(t.finished_at is null and t.parked_reason is null and t.lease_owner is null
          and (t.flow_name = any (${paused}) or '${ALL_FLOWS}' = any (${paused})))`;
  const waitsForLimit =
    filter.fullFlows.length === 0
      ? `(${unused(full)} or ${unused(perKey)})`
      : `(t.finished_at is null and t.parked_reason is null and t.lease_owner is null and t.due_at <= now() and (
          select f.most = 0 or f.most <= (
            select count(*) from ${schema}.tasks h
            where h.flow_name = t.flow_name and h.limit_key = t.limit_key and h.limited
          ) from unnest(${full}, ${perKey}) as f (name, most) where f.name = t.flow_name limit 1
        ) is true)`;
  const hasTags =
    filter.tags.length === 0
      ? `not (${unused(keys)} or ${unused(values)})`
      : `(
          select count(*) from unnest(${keys}, ${values}) as wanted (key, value)
          where (select g.value from ${schema}.task_tags g where g.task_id = t.id and g.key = wanted.key) = wanted.value
        ) = cardinality(${keys})`;
  return `(${flows} is null or t.flow_name = any (${flows}))
    and (${statuses} is null or t.status = any (${statuses}))
    and (not ${isParked} or t.parked_reason is not null)
    and (${waits} is null or (t.waits & ${waits}) <> 0 or ${waitsForSignal} or ${waitsForPause} or ${waitsForLimit})
    and (not ${isInDoubt} or (t.waits & ${WAIT_BITS.doubt}) <> 0)
    and (not ${needsPerson} or t.parked_reason is not null or (t.waits & ${WAIT_BITS.signal | WAIT_BITS.doubt}) <> 0)
    and ${hasTags}
    and ${spans.join(" and ")}
    and (${error} is null or ${mayHold})
    and (${parent} is null or t.parent_task_id = ${parent})
    and (${schedule} is null or t.schedule = ${schedule})
    and (${priority} is null or t.priority = ${priority})`;
}

/** False; the server needs the type of every parameter. */
function unused(parameter: string): string {
  return `(false and ${parameter} is null)`;
}
