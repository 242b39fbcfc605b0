// From a request for a schedule to its row. Nothing is written here.

import type { Flow } from "../../core/flow/flow.ts";
import { readGiven } from "../../core/flow/given-json.ts";
import { isName, tellWrongName } from "../../core/flow/names.ts";
import { faultOfFiringWords, fillFiring } from "../../core/flow/firing-input.ts";
import { readTerms } from "../../core/flow/schedule.ts";
import { describeViolations, TaskonautError, type Violation } from "../../core/errors.ts";
import type { Limits } from "../../core/limits.ts";
import { toJsonText } from "../../core/record/json.ts";
import type { ScheduleRow } from "../../core/record/schedule.ts";
import type { NewSchedule } from "../../core/api/schedules.ts";
import { applyOwnContract } from "./own-code.ts";
import { newScheduleRow } from "./schedule-row.ts";

/** Throws input_invalid with everything that is wrong, body_too_large. */
export function planSchedule(
  { name, flow: _flow, input = {}, ...options }: NewSchedule,
  flow: Flow,
  { now, limits }: { readonly now: number; readonly limits: Pick<Limits, "inputBytes"> },
): ScheduleRow {
  const errors: Violation[] = [];
  if (!isName(name)) errors.push({ path: "name", message: tellWrongName("schedule", name) });
  const terms = readTerms(options, (path, message) => errors.push({ path, message }));
  if (errors.length > 0) {
    throw new TaskonautError("input_invalid", `The schedule cannot be made: ${describeViolations(errors)}.`, {
      errors,
    });
  }
  const json = toJsonText(input);
  if (!json.ok) {
    throw new TaskonautError("input_invalid", "The input holds what JSON cannot carry.", { errors: json.errors });
  }
  const fault = faultOfFiringWords(input);
  if (fault !== undefined)
    throw new TaskonautError("input_invalid", `The input ${fault}.`, { errors: [{ path: "input", message: fault }] });
  // its input is kept as it came: each firing applies the contract that there is then
  const first = fillFiring(input, { at: now, timeZone: terms.time_zone });
  readGiven(applyOwnContract(flow, "Its input contract", flow.input, first), {
    what: "The input",
    of: `flow ${flow.name}`,
    named: `The input of flow ${flow.name}`,
    bytesMax: limits.inputBytes,
    variable: "TASKONAUT_MAX_INPUT_BYTES",
    at: "input",
  });
  return newScheduleRow({ name, flow: flow.name, owner: "command", terms, input: json.text, now });
}
