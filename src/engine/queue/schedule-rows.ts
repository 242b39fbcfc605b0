// Compares the rows that a flow's definition asks for with the existing rows.

import type { Flow } from "../../core/flow/flow.ts";
import { toJsonText } from "../../core/record/json.ts";
import type { ScheduleRow } from "../../core/record/schedule.ts";
import { newScheduleRow, withTerms } from "../doors/schedule-row.ts";

export interface DeclaredRows {
  /** New and changed rows. */
  readonly rows: readonly ScheduleRow[];
  /** Schedules of others that have a name of the flow's. */
  readonly taken: readonly ScheduleRow[];
}

export async function declaredRows(
  flow: Flow,
  now: number,
  read: (name: string) => Promise<ScheduleRow | undefined>,
): Promise<DeclaredRows> {
  const rows: ScheduleRow[] = [];
  const taken: ScheduleRow[] = [];
  for (const { name, terms, input: given } of flow.schedules) {
    const json = toJsonText(given);
    const input = json.ok ? json.text : "{}"; // it was checked when the flow was defined
    const row = await read(name);
    if (row === undefined) rows.push(newScheduleRow({ name, flow: flow.name, owner: "flow", terms, input, now }));
    else if (row.owner !== "flow" || row.flow_name !== flow.name) taken.push(row);
    else {
      const changed = withTerms(row, terms, input, now);
      if (changed !== undefined) rows.push(changed);
    }
  }
  return { rows, taken };
}
