// `?wait=10s`: how long a request waits for the end of a task.

import type { Violation } from "../core/errors.ts";
import { toMs } from "../core/record/duration.ts";
import { WAIT_MS_MAX } from "../core/api/results.ts";
import type { Query } from "./query.ts";

export const WAIT_PARAMETER = "wait";

/** In milliseconds. Undefined: the request does not wait. Violations are added to `errors`. */
export function readWait(query: Query, errors: Violation[]): number | undefined {
  const [text] = query.get(WAIT_PARAMETER) ?? [];
  if (text === undefined) return undefined;
  const ms = toMs(text);
  if (ms !== undefined && ms <= WAIT_MS_MAX) return ms;
  const expected = `expected a duration such as 500ms, 10s or 2m, at most ${WAIT_MS_MAX / 60_000}m`;
  errors.push({ path: WAIT_PARAMETER, message: `${expected}, received ${JSON.stringify(text)}` });
  return undefined;
}

/** The answer for a client that has left: nobody reads it. */
export const left = (): Response => new Response(null, { status: 499 });
