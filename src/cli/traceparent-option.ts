// The trace that a new task is in: `--traceparent 00-…`.

import { readTraceparent, tellNoTraceparent, TRACEPARENT } from "../core/record/trace-context.ts";
import type { Option } from "./option.ts";
import type { Call } from "./command.ts";
import { usageError } from "./usage.ts";

export const TRACEPARENT_OPTION: Option = {
  name: TRACEPARENT,
  value: "header",
  summary: "The trace that the task is in (W3C Trace Context; default: its own)",
};

/** Nothing where none is given. Throws usage. */
export function readTraceparentOption({ flags }: Pick<Call, "flags">): { readonly traceparent?: string } {
  const text = flags.get(TRACEPARENT_OPTION.name);
  if (text === undefined) return {};
  const traceparent = readTraceparent(text);
  if (traceparent !== undefined) return { traceparent };
  throw usageError([{ path: `--${TRACEPARENT_OPTION.name}`, message: tellNoTraceparent(text) }]);
}
