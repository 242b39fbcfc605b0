// Searches of the simulated database: by as much of a filter as operations on many tasks have here.

import type { RowFilter, Span } from "../../src/core/record/row-filter.ts";
import type { TaskRow } from "../../src/core/record/record.ts";
import type { FoundTasks, SearchPage, TaskList } from "../../src/store/store.ts";
import { recordOf, type SimDatabase, type StoredTask } from "./sim-database.ts";

/** Few, so that an operation has several pages. */
const PAGE = 2;

export function searchSimTasks(database: SimDatabase, page: SearchPage): FoundTasks {
  const { found, next } = select(database, page);
  return { rows: found.map(({ task }) => task), ...(next && { next }) };
}

export function listSimTasks(database: SimDatabase, page: SearchPage): TaskList {
  const { found, next } = select(database, page);
  return { tasks: found.map((stored) => ({ record: recordOf(stored) })), ...(next && { next }) };
}

function select(
  database: SimDatabase,
  { filter, limit, after }: SearchPage,
): { readonly found: readonly StoredTask[]; readonly next: FoundTasks["next"] } {
  const all = database.tasks
    .filter(({ task }) => !filter || matches(task, filter))
    .filter(({ task }) => !after || isAfter(task, after.createdAt, after.id))
    .toSorted(({ task: a }, { task: b }) => b.created_at - a.created_at || (a.id < b.id ? 1 : -1));
  const found = all.slice(0, Math.min(limit, PAGE));
  const last = found.at(-1)?.task;
  return { found, next: last && found.length < all.length ? { createdAt: last.created_at, id: last.id } : undefined };
}

function isAfter({ created_at: at, id }: TaskRow, createdAt: number, afterId: string): boolean {
  return at < createdAt || (at === createdAt && id < afterId);
}

function matches(task: TaskRow, { flows, statuses, isParked, created, updated, finished }: RowFilter): boolean {
  return (
    (flows?.includes(task.flow_name) ?? true) &&
    (statuses?.includes(task.status) ?? true) &&
    (!isParked || task.parked_reason !== null) &&
    isWithin(task.created_at, created) &&
    isWithin(task.updated_at, updated) &&
    isWithin(task.finished_at, finished)
  );
}

function isWithin(time: number | null, { since, until }: Span): boolean {
  return (since === null || (time !== null && time >= since)) && (until === null || (time !== null && time < until));
}
