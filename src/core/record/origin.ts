// Where a task comes from that was forked from another one.

import type { JsonText } from "./record.ts";

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

export function readOrigin(text: JsonText | null): Origin | undefined {
  return text === null ? undefined : (JSON.parse(text) as Origin);
}
