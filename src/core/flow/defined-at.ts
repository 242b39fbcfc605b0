// Where a tool or a flow is defined, for errors without a place of their own: a broken contract, a timeout.

import { placeOf } from "../record/stored-error.ts";

/** `/flows/pay.ts:12:9`, where `define` is called in a user's file; undefined where that cannot be told. */
export function definedAt(define: (...given: never[]) => unknown): string | undefined {
  const here = new Error();
  Error.captureStackTrace(here, define);
  return placeOf(here);
}
