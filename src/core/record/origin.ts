// Where a task comes from that was forked from another one.

import type { JsonText } from "./record.ts";
import { isObject } from "./untrusted.ts";

export interface Origin {
  /** The task that it was forked from. */
  readonly task_id: string;
  /** The step_index of the first step that was not taken over. */
  readonly step: number;
  /** What the flow draws its random numbers from: the id of the first task that was forked. */
  readonly seed_id: string;
  /** What the flow takes for the time of its beginning: when that one was created. */
  readonly began_at: number;
}

/** Throws if the text is not that of an origin. */
export function readOrigin(text: JsonText | null): Origin | undefined {
  if (text === null) return undefined;
  const origin: unknown = JSON.parse(text);
  if (!isObject(origin) || typeof origin["step"] !== "number" || typeof origin["task_id"] !== "string") {
    throw new Error("The text is not that of an origin.");
  }
  return origin as unknown as Origin;
}
