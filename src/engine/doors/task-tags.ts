// The tags of a new task: those that its flow computes from the input, and those of the request, which override them.

import { describeViolations, TaskonautError } from "../../core/errors.ts";
import type { Flow } from "../../core/flow/flow.ts";
import { tagsOf } from "../../core/flow/own-tags.ts";
import { parseJson } from "../../core/record/json.ts";
import type { JsonText } from "../../core/record/record.ts";
import { type Tags, tagViolations, toTagsText } from "../../core/record/tags.ts";
import { computeBy } from "./own-code.ts";

/** As they are recorded; null: none. Throws input_invalid, flow_invalid. */
export function planTags(flow: Flow, input: JsonText, given: Tags | undefined): JsonText | null {
  if (flow.tags === undefined && given === undefined) return null;
  const tags = { ...ofFlow(flow, input), ...given };
  const errors = tagViolations(tags, "tags");
  if (errors.length === 0) return toTagsText(tags);
  throw new TaskonautError("input_invalid", `The tags are wrong: ${describeViolations(errors)}.`, { errors });
}

/** Of a task's tags those that do not come from its flow and its input. */
export function ownTags(flow: Flow, input: JsonText, tags: Tags): Tags {
  const derived = ofFlow(flow, input);
  return Object.fromEntries(Object.entries(tags).filter(([key, value]) => derived[key] !== value));
}

function ofFlow(flow: Flow, input: JsonText): Tags {
  const { name, tags } = flow;
  if (!tags) return {};
  return computeBy(flow, "tags", () => tagsOf(name, tags, parseJson(input)));
}
