// The tools with which an engine drives tasks: its parts, and the values of its options.

import type { Log, LogFields } from "../core/log.ts";
import type { StepRow, JsonText } from "../core/record/record.ts";
import { tellLateOutput } from "./doors/late-output.ts";
import type { DrivingTools } from "./driving/driving-tools.ts";
import type { EngineOptions } from "./engine-options.ts";
import { CommitWriter } from "./process/commit-writer.ts";
import type { EventHub } from "./process/event-hub.ts";
import { Pace } from "./process/pace.ts";
import { ProgressWriter } from "./process/progress-writer.ts";
import type { QueueNotifier } from "./process/queue-notifier.ts";
import { tellingScheduleEnds } from "./process/schedule-ends.ts";
import { tellingHub } from "./process/telling-hub.ts";

/** So long a caller waits for the database to come back before it hears of the outage. */
const DELIVERY_MS = 5_000;

type Parts = Pick<
  DrivingTools,
  | "flows"
  | "audit"
  | "driven"
  | "stored"
  | "lease"
  | "limitDesk"
  | "children"
  | "storeClock"
  | "pauses"
  | "onEnded"
  | "onWoken"
> & {
  readonly notifier: QueueNotifier;
  readonly events: EventHub;
  /** The engine is being closed. */
  readonly isLeaving: () => boolean;
  /** Tasks are driven for a worker too. */
  readonly hasWorker: () => boolean;
};

export function drivingToolsOf(
  options: EngineOptions,
  { notifier, events, isLeaving, hasWorker, ...parts }: Parts,
): DrivingTools {
  const { store, clock, log, limits, listener } = options;
  return {
    ...parts,
    store,
    clock,
    log,
    limits,
    writer: new CommitWriter(tellingHub(tellingScheduleEnds(store, notifier, log), events), new Pace(clock)),
    progress: new ProgressWriter({ store, clock, workerId: parts.lease.workerId }),
    execution: {
      clock,
      log,
      toolLog: options.toolLog,
      outputBytesMax: limits.outputBytes,
      timeoutMs: limits.toolTimeoutMs,
      retryWaitMs: limits.retryWaitMs,
      pauses: parts.pauses,
      watch: options.toolWatch,
      call: options.callTool,
      listener,
    },
    listener,
    flowLog: options.flowLog ?? (log.info && ((message, fields) => tellFlow(log, message, fields))),
    tellWait: options.tellWait,
    // a worker has no caller that needs to hear of an outage
    deliveryMs: () => (hasWorker() && !isLeaving() ? Number.POSITIVE_INFINITY : DELIVERY_MS),
    onLateOutput: (step: StepRow, output: JsonText) => {
      const told = tellLateOutput(step, output, { store, clock, log, isLeaving, onPosted: parts.onWoken });
      told.catch(() => {}); // it never rejects
    },
  };
}

/** A named function: the log tells who has called. */
function tellFlow(log: Log, message: string, fields?: LogFields): void {
  log.info?.(message, fields);
}
