// The options of an engine, and its interface.

import type { Clock } from "../core/clock.ts";
import type { Flow } from "../core/flow/flow.ts";
import type { CallTool } from "../core/flow/tool.ts";
import type { ToolWatch } from "../core/flow/tool-watch.ts";
import type { StartHeartbeat } from "../core/heartbeat.ts";
import type { Limits } from "../core/limits.ts";
import type { Log, LogMethod } from "../core/log.ts";
import type { TaskListener } from "../core/api/task-listener.ts";
import type { Taskonaut } from "../core/api/taskonaut.ts";
import type { Sessions } from "../core/api/sessions.ts";
import type { Gate } from "../core/api/tokens.ts";
import type { TellWait } from "../core/waiting.ts";
import type { Store } from "../store/store.ts";
import type { RunningWorker, WorkOptions } from "./queue/worker-tools.ts";

export interface EngineOptions {
  readonly store: Store;
  readonly flows: readonly Flow[];
  readonly clock: Clock;
  readonly log: Log;
  readonly limits: Limits;
  /** Gives a new UUID, version 7: ids of tasks and of this worker. */
  readonly newId: () => string;
  /** For people: host and process id. */
  readonly workerName: string;
  /** Keeps the lease of a worker that takes tasks from the queue; without it the event loop does. */
  readonly startHeartbeat?: StartHeartbeat;
  /** Told what a caller waits for. */
  readonly tellWait?: TellWait | undefined;
  /** Told what happens to the tasks that are driven here. */
  readonly listener?: TaskListener | undefined;
  /** Sees what tools leave uncaught. */
  readonly toolWatch?: ToolWatch;
  /** Where flows log; by default with everything else. */
  readonly flowLog?: LogMethod;
  /** Where tools log; by default with everything else. */
  readonly toolLog?: Log;
  /** Calls tools in place of the engine: a test of a flow passes its fakes here. */
  readonly callTool?: CallTool;
}

export interface Engine extends Taskonaut {
  readonly tokens: Gate;
  readonly sessions: Sessions;
  /** Takes due tasks from the queue and drives them, until it is stopped or the engine is closed. One at a time. */
  startWorker(options: WorkOptions): Promise<RunningWorker>;
}
