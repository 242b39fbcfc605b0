// The main thread's side of the heartbeat: starts its thread, again where it has ended by itself, and hands on what the thread
// has to tell.

import { TaskonautError } from "../core/errors.ts";
import type { BeatingWorker, Heartbeat } from "../core/heartbeat.ts";
import type { Log } from "../core/log.ts";
import { tellBeat } from "../engine/process/tell-beat.ts";
import type { StoreAddress } from "../store/address.ts";
import type { FromThread, LineStyle, ThrownError } from "./messages.ts";
import type { SharedActivity } from "./shared-activity.ts";
import { ThreadHandle } from "./thread-handle.ts";

export interface HeartbeatOptions extends BeatingWorker {
  /** Not in memory: no other thread could reach it. */
  readonly address: StoreAddress;
  /** How long the event loop may be blocked; then the process is killed. */
  readonly stuckMs: number;
  /** The same for one piece of a flow's own code; by default no other. */
  readonly flowStuckMs?: number;
  /** What the event loop is doing; without it nobody is told to be the cause. */
  readonly activity?: SharedActivity;
  readonly log: Log;
  readonly line: LineStyle;
}

/** In the compiled binary the thread's code lies beside the main one's (see .scripts/build.ts). */
const ENTRY = new URL("./thread.ts", import.meta.url);

/** A tool may block for a moment, and the worker still leave in good order at a signal. */
const DEAF_MS = 5000;

/** A thread that ended by itself, which none should, is followed by another one. */
const RESTART_MS = 1000;

/**
 * Keeps the sign of life of a worker from a thread that goes on while the event loop is blocked; and kills this process,
 * with a line on stderr, once it has been blocked for `stuckMs`. Does not keep the process alive. `entry` is what a test
 * may put in the thread's place.
 */
export function startHeartbeat(options: HeartbeatOptions, entry = ENTRY): Heartbeat {
  const {
    id,
    name,
    leaseMs,
    concurrency,
    flows = [],
    codes = {},
    address,
    stuckMs,
    flowStuckMs = stuckMs,
    activity,
    log,
    line,
  } = options;
  const limits = { stuckMs, flowStuckMs, deafMs: DEAF_MS };
  const worker = { id, name, leaseMs, concurrency, flows, codes };
  const data = { address, worker, limits, activity: activity?.memory, line };
  const start = Promise.withResolvers<"notified" | "polling">();
  start.promise.catch(() => {}); // whoever waits for it hears of it
  let restart: Timer | undefined;
  let state: "starting" | "beating" | "stopped" = "starting";
  let thread = startThread();

  function startThread(): ThreadHandle {
    const started = new ThreadHandle(entry, data, hear);
    started.ended.then(startAgain, startAgain);
    return started;
  }

  function startAgain(error: string | undefined): void {
    if (state !== "beating")
      return start.reject(new Error(`The heartbeat's thread ended: ${error ?? "it was stopped"}.`));
    log.error?.("the heartbeat's thread ended; it is started again", { worker_id: id, error });
    restart = setTimeout(() => (thread = startThread()), RESTART_MS);
    restart.unref();
  }

  function hear(message: FromThread): void {
    if (state === "stopped") return;
    if (message.kind === "started") {
      state = "beating";
      start.resolve(message.news);
    } else if (message.kind === "refused") start.reject(thrownAgain(message.error));
    else tellBeat(message, options, log);
  }

  return {
    started: start.promise,
    register: () => thread.tell("register"),
    async stop() {
      state = "stopped";
      clearTimeout(restart);
      await thread.stop();
    },
  };
}

function thrownAgain({ code, message, details }: ThrownError): Error {
  return code === undefined ? new Error(message) : new TaskonautError(code, message, { details });
}
