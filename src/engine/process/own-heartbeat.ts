// The heartbeat of a process that keeps it on its own event loop: it holds a caller's work, or has no thread for it.

import type { Clock } from "../../core/clock.ts";
import type { StartHeartbeat } from "../../core/heartbeat.ts";
import type { Log } from "../../core/log.ts";
import type { SignOfLife } from "../../store/store.ts";
import { Beat } from "./beat.ts";
import { tellBeat } from "./tell-beat.ts";

export function ownHeartbeat(store: SignOfLife, clock: Clock, log: Log): StartHeartbeat {
  return (worker) => {
    const beat = new Beat(worker, { store, clock, tell: (event) => tellBeat(event, worker, log) });
    const started = beat.start();
    return {
      started,
      register: () => beat.register(),
      async stop() {
        await started.catch(() => {}); // its caller hears of it
        await beat.stop();
      },
    };
  };
}
