// A child that could not be made: that is the failure of its step. Who retries the step later makes the child, so the record
// says that there never was one: one that was removed since has had its effects.

import type { JsonText } from "../../core/record/record.ts";
import { readError, toStoredError } from "../../core/record/stored-error.ts";

/** All else is the trouble of this process. */
const REFUSALS: ReadonlySet<string> = new Set(["input_invalid", "flow_invalid", "unique_key_taken"]);

export function isRefusal(code: string): boolean {
  return REFUSALS.has(code);
}

export function storeRefusal(error: Error): JsonText {
  return JSON.stringify({ ...toStoredError(error), fields: { created: false } });
}

/** By the error of its step. */
export function wasRefused(error: JsonText | null): boolean {
  if (error === null) return false;
  const { name, fields } = readError(error);
  return isRefusal(name) && fields?.["created"] === false;
}
