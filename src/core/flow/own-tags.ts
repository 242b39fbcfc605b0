// The tags that a flow gives its tasks by their input.

import { describeViolations, TaskonautError, type Violation } from "../errors.ts";
import { tagViolations, type Tags } from "../record/tags.ts";
import { isObject, tellGiven } from "./definition.ts";

/** Numbers are recorded as texts, and what is undefined is left out. */
export type OwnTags = Readonly<Record<string, string | number | undefined>>;

/** Throws flow_invalid, and what the user's function throws. */
export function tagsOf(flow: string, tags: (input: unknown) => unknown, input: unknown): Tags {
  const given = tags(input);
  // a promise, say, or a Map: an object without tags, to look at
  if (!isPlain(given)) throw refusal(flow, [{ path: "tags", message: `${EXPECTED}, got ${tellGiven(given)}` }]);
  const errors = tagViolations(textsOf(given), "tags");
  if (errors.length === 0) return textsOf(given) as Tags;
  throw refusal(flow, errors);
}

const EXPECTED = 'expected an object of texts, such as { customer: "c1" }';

function refusal(flow: string, errors: readonly Violation[]): TaskonautError {
  return new TaskonautError(
    "flow_invalid",
    `Flow ${flow}: what its tags give for this input is wrong: ${describeViolations(errors)}.`,
    { errors },
  );
}

function isPlain(given: unknown): given is Readonly<Record<string, unknown>> {
  if (!isObject(given)) return false;
  const prototype: unknown = Object.getPrototypeOf(given);
  return prototype === null || prototype === Object.prototype;
}

function textsOf(given: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(given).flatMap(([key, value]) =>
      value === undefined ? [] : [[key, typeof value === "number" ? String(value) : value]],
    ),
  );
}
