// Describes a decision of a flow and its record for people. Of long values it shows the part where they differ.

import type { Decision, Program } from "../../core/flow/program.ts";
import type { JsonText, StepRow } from "../../core/record/record.ts";
import { readError, type StoredError } from "../../core/record/stored-error.ts";

const SHOWN_MAX = 200;

/** How much of the equal part is shown before a difference. */
const SHOWN_BEFORE = 60;

export function tellDecision(
  { kind, name, target, input, path }: Pick<Decision, "kind" | "name" | "target" | "input" | "path">,
  shown = excerptOf(input),
): string {
  return `${kind} ${name}${target !== null && target !== name ? ` (${target})` : ""} at ${path} with ${shown}`;
}

export function tellStep(step: StepRow, shown?: string): string {
  const { kind, step_name: name, target, input_payload: input, path } = step;
  return tellDecision({ kind, name, target, input, path }, shown);
}

export function tellRecorded(step: StepRow, shown?: string): string {
  return `step ${step.step_index} was recorded as ${tellStep(step, shown)}`;
}

/** Describes the end of a flow. */
export function tellEnd({ end }: Program, shown?: string): string {
  if (!end) return "it goes on";
  return end.kind === "completed" ? `it returns ${shown ?? excerptOf(end.output)}` : tellError(readError(end.error));
}

export function tellError({ name, message, at }: StoredError): string {
  return `it throws ${excerptOf(`${name}: ${message}`)}${at === undefined ? "" : ` at ${at}`}`;
}

/** The parts of two texts around their difference. */
export function tellBoth(one: JsonText, other: JsonText): readonly [string, string] {
  let same = 0;
  while (same < one.length && one[same] === other[same]) same++;
  const isLong = Math.max(one.length, other.length) > SHOWN_MAX;
  const from = isLong ? Math.max(0, same - SHOWN_BEFORE) : 0;
  return [excerptOf(one, from), excerptOf(other, from)];
}

function excerptOf(text: string, from = 0): string {
  const shown = text.slice(from, from + SHOWN_MAX);
  return `${from > 0 ? "…" : ""}${shown}${from + SHOWN_MAX < text.length ? "…" : ""}`;
}
