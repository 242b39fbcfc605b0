import { TaskonautError } from "../../core/errors.ts";
import type { Flow } from "../../core/flow/flow.ts";
import { readGiven } from "../../core/flow/given-json.ts";
import { suggest } from "../../core/nearest.ts";
import type { JsonText } from "../../core/record/record.ts";
import { applyOwnContract } from "./own-code.ts";

/** The payload as it is recorded. Throws input_invalid for a signal the flow does not declare, or a payload that breaks its contract. */
export function readSignal(
  flow: Flow,
  { name, payload, bytesMax }: { name: string; payload: unknown; bytesMax: number },
): JsonText {
  const schema = flow.signals.get(name);
  if (!schema) {
    const names = [...flow.signals.keys()];
    const known = names.join(", ") || "none";
    const hint = suggest(name, names);
    throw new TaskonautError(
      "input_invalid",
      `Flow ${flow.name} takes no signal ${JSON.stringify(name)}${hint}${hint === "" ? "; it" : " It"} declares: ${known}.`,
      {
        errors: [{ path: "name", message: `unknown signal; declared: ${known}${hint}` }],
      },
    );
  }
  return readGiven(applyOwnContract(flow, `The contract of signal ${name}`, schema, payload), {
    what: "The payload",
    of: `signal ${name} of flow ${flow.name}`,
    named: `The payload of signal ${name}`,
    bytesMax,
    variable: "TASKONAUT_MAX_INPUT_BYTES",
  });
}
