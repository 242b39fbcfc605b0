// Puts an input together from its parts. A part's keys say where it stands: `["items", 0, "sku"]`.

import type { Violation } from "../core/errors.ts";
import type { Json } from "../core/record/json-value.ts";
import type { Keys } from "./field-place.ts";

export interface Part {
  readonly keys: Keys;
  /** As it was typed, for messages: `--items.0.sku`. */
  readonly flag: string;
  readonly value: Json;
}

/** Each part has a place of its own. Adds contradictions, and gaps in lists, to `problems`. */
export function assembleInput(parts: readonly Part[], problems: Violation[]): Json {
  return valueAt(parts, 0, problems);
}

/** Of the parts whose keys are the same up to `depth`. */
function valueAt(parts: readonly Part[], depth: number, problems: Violation[]): Json {
  const whole = parts.find(({ keys }) => keys.length === depth);
  if (whole) {
    for (const { flag } of parts)
      if (flag !== whole.flag)
        problems.push({ path: flag, message: `contradicts ${whole.flag}: give the whole or its parts` });
    return whole.value;
  }
  const groups = Map.groupBy(parts, ({ keys }) => keys[depth] ?? "");
  const kinds = new Set([...groups.keys()].map((key) => typeof key));
  if (kinds.size > 1) {
    const [first, ...others] = [...groups.values()].map(([part]) => part?.flag ?? "");
    problems.push({ path: others.at(-1) ?? "", message: `contradicts ${first}: one is of a list, one of an object` });
    return null;
  }
  const below = new Map([...groups].map(([key, group]) => [key, valueAt(group, depth + 1, problems)]));
  return kinds.has("number") ? listOf(groups, below, depth, problems) : Object.fromEntries(below); // not by assignment: a field may be called __proto__
}

function listOf(
  groups: ReadonlyMap<string | number, readonly Part[]>,
  below: ReadonlyMap<string | number, Json>,
  depth: number,
  problems: Violation[],
): Json[] {
  const places = [...groups.keys()].map(Number).toSorted((a, b) => a - b);
  const gap = places.findIndex((place, index) => place !== index);
  if (gap !== -1) {
    const [part] = groups.get(places[gap] ?? 0) ?? [];
    const before = [...(part?.keys.slice(0, depth) ?? []), gap].join(".");
    problems.push({ path: part?.flag ?? "", message: `--${before} is missing: the places of a list count from 0` });
  }
  return places.map((place) => below.get(place) ?? null);
}
