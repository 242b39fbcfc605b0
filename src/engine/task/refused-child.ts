// A child that could not be created: its step fails. A later retry of the step creates the child. So the record says
// that the child never existed, unlike a child that was removed after it had effects.

import type { JsonText } from "../../core/record/record.ts";
import { readError, toStoredError } from "../../core/record/stored-error.ts";

/** Any other error is a problem of this process. */
const REFUSALS: ReadonlySet<string> = new Set(["input_invalid", "flow_invalid", "unique_key_taken"]);

export function isRefusal(code: string): boolean {
  return REFUSALS.has(code);
}

export function storeRefusal(error: Error): JsonText {
  return JSON.stringify({ ...toStoredError(error), fields: { created: false } });
}

/** Recognized by the error of its step. */
export function wasRefused(error: JsonText | null): boolean {
  if (error === null) return false;
  const { name, fields } = readError(error);
  return isRefusal(name) && fields?.["created"] === false;
}
