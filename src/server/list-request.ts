// Reads requests for tasks: which tasks, how many, and how much of each.

import type { ListTasks } from "../core/api/taskonaut.ts";
import type { StepRange } from "../core/record/step-range.ts";
import type { TaskFilter } from "../core/api/task-filter.ts";
import type { Violation } from "../core/errors.ts";
import { PAGE_MAX } from "../core/limits.ts";
import { suggest } from "../core/nearest.ts";
import { inputInvalid } from "./check.ts";
import { FILTER_PARAMETERS, readFilterQuery, REPEATABLE_FILTERS } from "./filter-query.ts";
import { readStepRange, STEPS_PARAMETER } from "./pick-steps.ts";
import { type Query, violationsOf } from "./query.ts";
import { readWait, WAIT_PARAMETER } from "./waiting.ts";

const VIEW_PARAMETERS: readonly string[] = ["view", STEPS_PARAMETER];
export const TASK_PARAMETERS: readonly string[] = [...VIEW_PARAMETERS, WAIT_PARAMETER];
export const LIST_PARAMETERS: readonly string[] = ["limit", "cursor", ...VIEW_PARAMETERS, ...FILTER_PARAMETERS];

/** Page size for a request that has only a cursor. */
const DEFAULT_LIMIT = 100;

export type View = "summary" | undefined;

/** Throws input_invalid. */
export function readTaskRequest(query: Query): {
  readonly view: View;
  readonly steps: StepRange | undefined;
  readonly waitMs: number | undefined;
} {
  const errors = violationsOf(query, TASK_PARAMETERS);
  const view = viewOf(query, errors);
  const steps = readStepRange(query, errors);
  const waitMs = readWait(query, errors);
  if (errors.length > 0) throw inputInvalid(errors);
  return { view, steps, waitMs };
}

/** Undefined: the whole task. */
function viewOf(query: Query, errors: Violation[]): View {
  const [view] = query.get("view") ?? [];
  if (view === undefined || view === "summary") return view;
  const message = `expected summary, received ${JSON.stringify(view)}${suggest(view, ["summary"])}`;
  errors.push({ path: "view", message });
  return undefined;
}

/** Throws input_invalid with every violation. */
export function readListRequest(query: Query): {
  readonly view: View;
  readonly steps: StepRange | undefined;
  /** The request is for all tasks, however many: it has no limit and no page. */
  readonly isAll: boolean;
  readonly request: ListTasks & { readonly filter: TaskFilter };
} {
  const errors = violationsOf(query, LIST_PARAMETERS, REPEATABLE_FILTERS);
  const [limit] = query.get("limit") ?? [];
  const [cursor] = query.get("cursor") ?? [];
  const view = viewOf(query, errors);
  const steps = readStepRange(query, errors);
  const filter = readFilterQuery(query, errors);
  const count = limit === undefined ? DEFAULT_LIMIT : /^\d{1,4}$/.test(limit) ? Number(limit) : 0;
  if (count < 1 || count > PAGE_MAX) {
    const message = `expected a whole number from 1 to ${PAGE_MAX}, received ${JSON.stringify(limit)}`;
    errors.push({ path: "limit", message });
  }
  if (errors.length > 0) throw inputInvalid(errors);
  const request = { limit: count, filter, steps, ...(cursor !== undefined && { cursor }) };
  return { view, steps, isAll: limit === undefined && cursor === undefined, request };
}

/** Throws input_invalid with every violation. */
export function readCountRequest(query: Query): TaskFilter {
  const errors = violationsOf(query, FILTER_PARAMETERS, REPEATABLE_FILTERS);
  const filter = readFilterQuery(query, errors);
  if (errors.length > 0) throw inputInvalid(errors);
  return filter;
}
