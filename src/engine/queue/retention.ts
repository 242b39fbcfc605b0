// A worker's duty to remove tasks that ended long enough ago.
//
// RT1. A worker removes the tasks of its own flows, because only the flow says how long they are kept. If no worker has
//      a flow, its tasks stay until somebody purges them.
// RT2. Only one worker removes tasks at a time, as long as it renews its lease with every portion.
// RT3. It rests after each portion, so running work is hardly slowed down, however much there is to remove.

import { END_STATUSES, type EndStatus, keptMsOf } from "../../core/flow/retention.ts";
import type { Retention } from "../../core/limits.ts";
import { type EndedPlace, portionsOf } from "../../store/removal-store.ts";
import type { Store } from "../../store/store.ts";
import { hasPassed } from "../process/has-passed.ts";
import type { DriverTools } from "../task/driver-tools.ts";
import type { Lease } from "../process/lease.ts";
import type { Flows } from "../task/flows.ts";
import type { Duty } from "./maintenance.ts";

/** How often to check whether it is time. */
const LOOK_MS = 1000;

const HOUR_MS = 3_600_000;

/** A worker that has just started has other things to do. */
const FIRST_MS = 60_000;

/** RT2. How long others wait for a worker that died. */
const LEASE_MS = 30_000;

const REST_MS_MAX = LEASE_MS / 3;

export interface RetentionTools extends Pick<DriverTools, "clock" | "log"> {
  readonly flows: Pick<Flows, "all">;
  readonly store: Pick<Store, "removal">;
  readonly limits: { readonly retention: Retention };
  readonly lease: Pick<Lease, "workerId">;
}

/** Goes through the ended tasks, by the store's own time, and removes the ones that are past their time. */
export function retentionDuty(tools: RetentionTools): Duty {
  const { clock } = tools;
  let nextAt = clock.now() + Math.min(FIRST_MS, pauseOf(tools));
  return {
    name: "remove ended tasks",
    everyMs: LOOK_MS,
    async do(signal) {
      if (clock.now() < nextAt) return;
      if (await removeAll(tools, signal)) nextAt = clock.now() + pauseOf(tools);
    },
  };
}

/** A walk through all ended tasks is worth while once in a fraction of the time that they are kept. */
function pauseOf({ flows, limits }: RetentionTools): number {
  const times = flows.all().flatMap((flow) => END_STATUSES.map((status) => keptMsOf(flow, status, limits.retention)));
  return Math.min(HOUR_MS, ...times.flatMap((ms) => (ms === null ? [] : [ms / 24])));
}

/** False if another worker is doing it, or the signal came. */
async function removeAll(tools: RetentionTools, signal: AbortSignal): Promise<boolean> {
  const { flows, lease, limits, store } = tools;
  const walk: Walk = { hasLease: false };
  try {
    for (const flow of flows.all()) {
      for (const status of END_STATUSES) {
        const keptMs = keptMsOf(flow, status, limits.retention);
        if (keptMs !== null && !(await removeOf({ flow: flow.name, status, keptMs }, walk, tools, signal)))
          return false;
      }
    }
    return true;
  } finally {
    // the next worker need not wait until the lease has passed
    if (walk.hasLease) await store.removal.removeTasks({ ids: [], lease: { owner: lease.workerId, ms: 0 } });
  }
}

/** A walk that found nothing has no lease. */
interface Walk {
  hasLease: boolean;
}

interface Which {
  readonly flow: string;
  readonly status: EndStatus;
  readonly keptMs: number;
}

async function removeOf(which: Which, walk: Walk, tools: RetentionTools, signal: AbortSignal): Promise<boolean> {
  const { clock, log, store, lease } = tools;
  const { removal } = store;
  let removed = 0;
  const rest = (): Promise<boolean> =>
    hasPassed(Math.min(REST_MS_MAX, Math.max(1, Math.ceil(removal.restMs()))), signal, clock);
  try {
    for (let after: EndedPlace | undefined; ;) {
      const { ids, next } = await removal.findEnded({ ...which, ...(after && { after }) });
      let left = ids.length;
      for (const portion of portionsOf(ids, removal)) {
        const mine = { owner: lease.workerId, ms: LEASE_MS };
        const result = await removal.removeTasks({ ids: portion, keptMs: which.keptMs, lease: mine });
        walk.hasLease = result.kind !== "busy";
        if (result.kind === "busy") return false;
        removed += result.count;
        left -= portion.length;
        if (left > 0 && !(await rest())) return false;
      }
      if (!next) return true;
      after = next;
      if (!(await rest())) return false;
    }
  } finally {
    if (removed > 0) log.info?.("ended tasks removed", { flow: which.flow, status: which.status, tasks: removed });
  }
}
