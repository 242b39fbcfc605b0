// The main thread's side of the heartbeat: starts its thread, restarts it if it ends, and passes its messages on.

import { TaskonautError } from "../core/errors.ts";
import type { BeatingWorker, Heartbeat } from "../core/heartbeat.ts";
import type { Log } from "../core/log.ts";
import { tellBeat } from "../engine/process/tell-beat.ts";
import type { StoreAddress } from "../store/address.ts";
import type { FromThread, LineStyle, ThrownError } from "./messages.ts";
import type { SharedActivity } from "./shared-activity.ts";
import { ThreadHandle } from "./thread-handle.ts";

export interface HeartbeatOptions extends BeatingWorker {
  /** Not an in-memory store: another thread could not open it. */
  readonly address: StoreAddress;
  /** How long the event loop may be blocked. After that the process is killed. */
  readonly stuckMs: number;
  /** The same for one piece of a flow's own code. By default there is no separate limit. */
  readonly flowStuckMs?: number;
  /** What the event loop is doing. Unset: nothing is named as the cause. */
  readonly activity?: SharedActivity;
  readonly log: Log;
  readonly line: LineStyle;
  /** Whether a person may press Ctrl-C. By default nobody may. */
  readonly atTerminal?: boolean;
}

/** In the compiled binary the thread's code is next to the main one's (see .scripts/build.ts). */
const ENTRY = new URL("./thread.ts", import.meta.url);

/** A tool may block for a moment, and a signal still stops the worker in good order. */
const DEAF_MS = 5000;
/** A person who presses Ctrl-C expects an end sooner. */
const DEAF_AT_TERMINAL_MS = 1000;

/** A thread should never end by itself. If it does, another one starts after this time. */
const RESTART_MS = 1000;

/**
 * Renews a worker's lease from a separate thread, also while the event loop is blocked. Once it has been blocked for
 * `stuckMs`, the thread writes a line to stderr and kills this process. Does not keep the process alive. A test may
 * replace the thread with `entry`.
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
    atTerminal = false,
  } = options;
  const limits = { stuckMs, flowStuckMs, deafMs: atTerminal ? DEAF_AT_TERMINAL_MS : DEAF_MS, isAtTerminal: atTerminal };
  const worker = { id, name, leaseMs, concurrency, flows, codes };
  const data = { address, worker, limits, activity: activity?.memory, line };
  const start = Promise.withResolvers<"notified" | "polling">();
  start.promise.catch(() => {}); // whoever awaits it gets the error
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
    else if (message.kind !== "watching") tellBeat(message, options, log);
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
