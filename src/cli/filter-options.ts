// Filters as options of commands: `--flow order --status FAILED --since 2h --tag customer=c1`.

import { readFilter } from "../core/api/filter-text.ts";
import { type FilterPair, FILTERS, type TaskFilter } from "../core/api/task-filter.ts";
import type { Option } from "./option.ts";
import type { Call } from "./command.ts";
import { usageError } from "./usage.ts";

export const FILTER_OPTIONS: readonly Option[] = FILTERS.map(({ name, value, repeatable, summary }) => ({
  name,
  summary,
  ...(value !== undefined && { value }),
  ...(repeatable && { repeatable }),
}));

/** Throws usage with every problem. */
export function readFilterOptions({ flags, lists }: Pick<Call, "flags" | "lists">): TaskFilter {
  const pairs = FILTERS.flatMap(({ name }) => {
    const value = flags.get(name);
    return [...(lists.get(name) ?? []), ...(value === undefined ? [] : [value])].map((each): FilterPair => [
      name,
      each,
    ]);
  });
  const { filter, errors } = readFilter(pairs, (name) => `--${name}`);
  if (errors.length > 0) throw usageError(errors);
  return filter;
}
