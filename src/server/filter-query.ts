// Filters in a query: `?flow=order&status=FAILED&since=2h&tag=customer=c1`.

import { FILTER_NAMES, readFilter } from "../core/api/filter-text.ts";
import { type FilterPair, FILTERS, type TaskFilter } from "../core/api/task-filter.ts";
import type { Violation } from "../core/errors.ts";
import type { Query } from "./query.ts";

export const FILTER_PARAMETERS: readonly string[] = FILTER_NAMES;

export const REPEATABLE_FILTERS: readonly string[] = FILTERS.filter(({ repeatable }) => repeatable).map(
  ({ name }) => name,
);

/** Reads the filter from the parameters that belong to it. */
export function readFilterQuery(query: Query, errors: Violation[]): TaskFilter {
  const pairs = [...query].flatMap(([name, values]) =>
    FILTER_NAMES.includes(name) ? values.map((value): FilterPair => [name, value]) : [],
  );
  const { filter, errors: problems } = readFilter(pairs);
  errors.push(...problems);
  return filter;
}
