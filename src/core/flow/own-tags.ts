// The tags that a flow gives its tasks by their input.

import { describeViolations, TaskonautError } from "../errors.ts";
import { tagViolations, type Tags } from "../record/tags.ts";
import { isObject } from "./definition.ts";

/** Numbers are recorded as texts, and what is undefined is left out. */
export type OwnTags = Readonly<Record<string, string | number | undefined>>;

/** Throws flow_invalid, and what the user's function throws. */
export function tagsOf(flow: string, tags: (input: unknown) => unknown, input: unknown): Tags {
  const given = tags(input);
  const errors = isObject(given) ? tagViolations(textsOf(given), "tags") : tagViolations(given, "tags");
  if (errors.length === 0) return textsOf(given as OwnTags) as Tags;
  throw new TaskonautError(
    "flow_invalid",
    `Flow ${flow}: what its tags give for this input is wrong: ${describeViolations(errors)}.`,
    { errors },
  );
}

function textsOf(given: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(given).flatMap(([key, value]) =>
      value === undefined ? [] : [[key, typeof value === "number" ? String(value) : value]],
    ),
  );
}
