// Values that come from outside (inputs, payloads of signals, outputs that a person gives): checked by their contract, and
// written as the JSON text that is recorded.

import { describeViolations, TaskonautError, type Violation } from "../errors.ts";
import { type JsonResult, toJsonText } from "../record/json.ts";
import type { JsonText } from "../record/record.ts";
import type { ContractResult } from "./contract.ts";

export interface Given {
  /** "The input". */
  readonly what: string;
  /** Of which contract: "flow order". */
  readonly of: string;
  /** How it is called where it is too large: "The input of flow order". */
  readonly named: string;
  /** In bytes of JSON. */
  readonly bytesMax: number;
  /** The variable that says so. */
  readonly variable: string;
  /** The limit's name, where another process may take what is too large here. */
  readonly limit?: string;
  /** Where it stands in the request; by default it is the whole. */
  readonly at?: string;
}

/** What a contract made of a value, as JSON text. */
export function toContractJson(parsed: ContractResult<unknown>): JsonResult {
  return parsed.ok ? toJsonText(parsed.value) : parsed;
}

/** Throws input_invalid with every violation, body_too_large. */
export function readGiven(parsed: ContractResult<unknown>, given: Given): JsonText {
  const json = toContractJson(parsed);
  if (!json.ok) {
    const { what, of, at } = given;
    const message = `${what} breaks the contract of ${of}: ${describeViolations(json.errors)}`;
    throw new TaskonautError("input_invalid", message, {
      errors: at === undefined ? json.errors : below(at, json.errors),
    });
  }
  const bytes = Buffer.byteLength(json.text);
  if (bytes <= given.bytesMax) return json.text;
  throw new TaskonautError(
    "body_too_large",
    `${given.named} is ${bytes} bytes of JSON; the limit is ${given.bytesMax} (${given.variable}).`,
    given.limit === undefined ? {} : { details: { limit: given.limit } },
  );
}

function below(at: string, errors: readonly Violation[]): Violation[] {
  return errors.map(({ path, message }) => ({ path: path === "" ? at : `${at}.${path}`, message }));
}
