// The lease of an engine: under what name this process holds tasks, and who keeps it alive.

import { Lease } from "./process/lease.ts";
import { ownHeartbeat } from "./process/own-heartbeat.ts";
import type { EngineOptions } from "./engine-options.ts";
import { leaseWithin } from "./queue/maintenance.ts";
import type { Flows } from "./task/flows.ts";

/** `id`: of the worker that it is a lease of. */
export function leaseOf(options: EngineOptions, id: string, { names, codes }: Pick<Flows, "names" | "codes">): Lease {
  const { store, clock, log, limits, workerName } = options;
  const beatByHand = ownHeartbeat(store, clock, log);
  return new Lease(
    { id, name: workerName, leaseMs: leaseWithin(limits.leaseMs), flows: names, codes },
    { store, beatByHand, beatForQueue: options.startHeartbeat ?? beatByHand },
  );
}
