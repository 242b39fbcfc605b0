// Reads filters from text and writes them. Flags and parameters are pairs of name and value. Each filter has one canonical
// text, by which filters are compared.

import { TaskonautError, describeViolations, type Violation } from "../errors.ts";
import { suggest } from "../nearest.ts";
import { toMs } from "../record/duration.ts";
import { type FilterPair, FILTERS, type TaskFilter, timeOfBound } from "./task-filter.ts";

/** What is wrong with a list without values, in a filter. */
export const EMPTY_LIST = "expected at least one value; leave it out to let all tasks through";

export const FILTER_NAMES: readonly string[] = FILTERS.map(({ name }) => name);

/** The filter, and every problem with the pairs; `pathOf` tells where a pair of that name stands. */
export function readFilter(
  pairs: Iterable<FilterPair>,
  pathOf: (name: string) => string = (name) => name,
): { readonly filter: TaskFilter; readonly errors: readonly Violation[] } {
  const filter: TaskFilter = {};
  const errors: Violation[] = [];
  const seen = new Set<string>();
  for (const [name, value] of pairs) {
    const path = pathOf(name);
    const definition = FILTERS.find((each) => each.name === name);
    const problem =
      definition === undefined
        ? `unknown filter; known: ${FILTER_NAMES.join(", ")}${suggest(name, FILTER_NAMES)}`
        : seen.has(name) && !definition.repeatable
          ? "given more than once"
          : definition.take(filter, value);
    if (problem !== undefined) errors.push({ path, message: problem });
    seen.add(name);
  }
  return { filter, errors };
}

/**
 * In the order of the table. What `readFilter` makes of it is the same filter. Throws input_invalid if a list is empty: it
 * would let every task through, although none matches any of its values.
 */
export function filterPairs(filter: TaskFilter): readonly FilterPair[] {
  for (const [name, values] of Object.entries(filter)) {
    if (Array.isArray(values) && values.length === 0) throw filterInvalid([{ path: name, message: EMPTY_LIST }]);
  }
  return FILTERS.flatMap((definition) => definition.tell(filter).map((value): FilterPair => [definition.name, value]));
}

/** The canonical text of a filter: two filters are equal if their texts are. Empty if the filter matches all tasks. */
export function filterText(filter: TaskFilter): string {
  const pairs = filterPairs(filter);
  return pairs.length === 0 ? "" : JSON.stringify(pairs);
}

/** The filter that stands in such a text. Throws input_invalid. */
export function parseFilterText(text: string): TaskFilter {
  return checkFilter(readFilter(JSON.parse(text) as readonly FilterPair[]).filter);
}

/** A filter that came as an object, by the rules of the table. Throws input_invalid. */
export function checkFilter(given: TaskFilter): TaskFilter {
  const { filter, errors } = readFilter(filterPairs(given));
  if (errors.length > 0) throw filterInvalid(errors);
  return filter;
}

function filterInvalid(errors: readonly Violation[]): TaskonautError {
  return new TaskonautError("input_invalid", `The filter is wrong: ${describeViolations(errors)}.`, { errors });
}

/** The same filter with each duration replaced by its time, counted back from `now`: so its meaning does not change later. */
export function pinFilter(filter: TaskFilter, now: number): TaskFilter {
  const pinned: Record<string, unknown> = { ...filter };
  for (const field of BOUNDS) {
    const bound = filter[field];
    if (bound !== undefined) pinned[field] = new Date(timeOfBound(bound, now)).toISOString();
  }
  return pinned;
}

/** Whether what it means depends on the time at which it is asked. */
export function isTimed(filter: TaskFilter): boolean {
  return BOUNDS.some((field) => toMs(filter[field]) !== undefined);
}

const BOUNDS = ["since", "until", "updatedSince", "updatedUntil", "finishedSince", "finishedUntil"] as const;
