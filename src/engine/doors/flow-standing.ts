// The state of flows in a database: their pauses, and their schedules.

import type { Schedule } from "../../core/api/schedules.ts";
import type { FlowDescription, FlowSchedule } from "../../core/api/taskonaut.ts";
import type { Store } from "../../store/store.ts";
import { NOBODY } from "../process/nobody.ts";
import { toPause } from "../task/to-pause.ts";
import { toListed } from "./schedule-damage.ts";

/** Those that are told of all flows together, in order of name. */
const SCHEDULES_MAX = 1000;

/** The descriptions, as they are known to this process, with how each flow stands in the store. */
export async function withStanding<Described extends FlowDescription>(
  flows: readonly Described[],
  store: Pick<Store, "pauses" | "schedules" | "location">,
): Promise<readonly Described[]> {
  const [{ pauses }, rows] = await Promise.all([
    store.pauses.read(NOBODY),
    store.schedules.list({ limit: SCHEDULES_MAX }),
  ]);
  const stored = rows.map((row) => toListed(row, store.location));
  return flows.map((flow) => ({
    ...flow,
    schedules: schedulesOf(flow, stored),
    pauses: pauses
      .filter(({ scope, name }) => scope === "all" || (scope === "flow" && name === flow.name))
      .map(toPause),
  }));
}

/** What is stored, and what the file says that no worker has had yet. */
function schedulesOf({ name: flow, schedules: said }: FlowDescription, stored: readonly Schedule[]): FlowSchedule[] {
  const own = stored.filter(({ flow_name }) => flow_name === flow).map(toFlowSchedule);
  const unseen = said.filter(({ name }) => !own.some((each) => each.name === name));
  return [...own, ...unseen].toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function toFlowSchedule({ name, owner, cron, every_ms, time_zone, next_at, paused_at }: Schedule): FlowSchedule {
  return { name, owner, cron, every_ms, time_zone, next_at, paused_at };
}
