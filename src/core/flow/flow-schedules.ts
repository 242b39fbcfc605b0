// The `schedules` of a flow's definition: what is wrong with them is told with all else that is wrong with it.

import { describeViolations } from "../errors.ts";
import { applyContract, type Schema } from "./contract.ts";
import { type Faults, isObject, tellGiven } from "./definition.ts";
import { faultOfFiringWords, fillFiring } from "./firing-input.ts";
import { toContractJson } from "./given-json.ts";
import { faultOfContract } from "./json-contract.ts";
import { isName, tellWrongName } from "./names.ts";
import { parseJson, toJsonText } from "../record/json.ts";
import { type FlowSchedule, readTerms, SCHEDULE_OPTIONS } from "./schedule.ts";

export function readFlowSchedules(given: unknown, input: unknown, faults: Faults): readonly FlowSchedule[] {
  if (given === undefined) return [];
  if (!Array.isArray(given)) {
    faults.add(
      "schedules",
      `schedules must be a list such as [{ name: "nightly", cron: "30 2 * * *" }], got ${tellGiven(given)}`,
    );
    return [];
  }
  const names = new Set<string>();
  return (given as readonly unknown[]).flatMap((each, place) => {
    const path = ["schedules", String(place)];
    if (!isObject(each)) {
      faults.add(
        path,
        `schedules: each is an object such as { name: "nightly", cron: "30 2 * * *" }, got ${tellGiven(each)}`,
      );
      return [];
    }
    const { name } = each;
    const owner = isName(name) ? `schedule ${name}` : `schedules[${place}]`;
    faults.addUnknownKeys(each, "a schedule", SCHEDULE_OPTIONS, path);
    if (!isName(name))
      faults.add(
        [...path, "name"],
        `${owner}: ${name === undefined ? "name is missing" : tellWrongName("schedule", name)}`,
      );
    else if (names.has(name)) faults.add([...path, "name"], `${owner} is there twice`);
    else names.add(name);
    const isTimingMeant = faults.isMeant([...path, "cron"]) || faults.isMeant([...path, "every"]);
    const terms = readTerms(each, (option, message) => {
      if (option === "cron" && each["cron"] === undefined && isTimingMeant) return;
      faults.add([...path, option], `${owner}: ${option} ${message}`);
    });
    checkInput(each["input"], input, (message) => faults.add([...path, "input"], `${owner}: input ${message}`));
    return [{ name: name as string, terms, input: each["input"] ?? {} }];
  });
}

/** Any would do. */
const SOME_FIRING = { at: 0, timeZone: "UTC" };

/** What tasks are to be made of is tried when the flow is defined, and not at three in the morning. */
function checkInput(given: unknown, schema: unknown, complain: (message: string) => void): void {
  const raw = toJsonText(given ?? {});
  if (!raw.ok) return complain(`is no JSON (${describeViolations(raw.errors)})`);
  const input = parseJson(raw.text);
  const fault = faultOfFiringWords(input);
  if (fault !== undefined) return complain(fault);
  if (schema === undefined || faultOfContract(schema, ["takes", "gives"]) !== undefined) return; // that is told of itself
  const json = toContractJson(applyContract(schema as Schema, fillFiring(input, SOME_FIRING)));
  if (!json.ok) complain(`breaks the flow's contract (${describeViolations(json.errors)})`);
}
