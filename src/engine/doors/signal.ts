import { applyContract } from "../../core/flow/contract.ts";
import { describeViolations, TaskonautError } from "../../core/errors.ts";
import type { Flow } from "../../core/flow/flow.ts";
import { toJsonText } from "../../core/record/json.ts";
import type { JsonText } from "../../core/record/record.ts";

/** The payload as it is recorded. Throws input_invalid for a signal the flow does not declare, or a payload that breaks its contract. */
export function readSignal(
  flow: Flow,
  { name, payload, bytesMax }: { name: string; payload: unknown; bytesMax: number },
): JsonText {
  const schema = flow.signals.get(name);
  if (!schema) {
    const known = [...flow.signals.keys()].join(", ") || "none";
    throw new TaskonautError(
      "input_invalid",
      `Flow ${flow.name} takes no signal ${JSON.stringify(name)}; it declares: ${known}.`,
      {
        errors: [{ path: "name", message: `unknown signal; declared: ${known}` }],
      },
    );
  }
  const parsed = applyContract(schema, payload);
  const json = parsed.ok ? toJsonText(parsed.value) : parsed;
  if (!json.ok) {
    throw new TaskonautError(
      "input_invalid",
      `The payload breaks the contract of signal ${name} of flow ${flow.name}: ${describeViolations(json.errors)}`,
      {
        errors: json.errors,
      },
    );
  }
  const bytes = Buffer.byteLength(json.text);
  if (bytes <= bytesMax) return json.text;
  throw new TaskonautError(
    "body_too_large",
    `The payload of signal ${name} is ${bytes} bytes of JSON; the limit is ${bytesMax} (TASKONAUT_MAX_INPUT_BYTES).`,
  );
}
