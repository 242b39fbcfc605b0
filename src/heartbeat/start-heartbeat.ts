// The main thread's side of the heartbeat: starts its thread, shows it that the event loop turns, and says in the log
// what the thread has to tell.

import type { BeatingWorker, Heartbeat } from "../core/heartbeat.ts";
import type { Log } from "../core/log.ts";
import { beatMs, type FromThread, type LineStyle, type StorePlace, type ThreadData } from "./messages.ts";
import { ThreadHandle } from "./thread-handle.ts";

export interface HeartbeatOptions extends BeatingWorker {
  /** Not in memory: no other thread could reach it. */
  readonly place: StorePlace;
  /** How long the event loop may be blocked; then the process is killed. */
  readonly stuckMs: number;
  readonly log: Log;
  readonly line: LineStyle;
}

/** In the compiled binary the thread's code lies beside the main one's (see .scripts/build.ts). */
const ENTRY = new URL("./thread.ts", import.meta.url);

/** A thread that ended by itself, which none should, is followed by another one. */
const RESTART_MS = 1000;

/**
 * Renews the lease of a registered worker, three times within its length, from a thread that goes on while the event
 * loop is blocked; and kills this process, with a line on stderr, once it has been blocked for `stuckMs`. Does not keep
 * the process alive. `entry` is what a test may put in the thread's place.
 */
export function startHeartbeat(options: HeartbeatOptions, entry = ENTRY): Heartbeat {
  const { id, name, leaseMs, onGone, place, stuckMs, log, line } = options;
  const turns = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  const data: ThreadData = { place, workerId: id, workerName: name, leaseMs, stuckMs, line, turns };
  const turning = setInterval(() => Atomics.add(turns, 0, 1), beatMs(stuckMs));
  turning.unref();
  let restart: Timer | undefined;
  let isStopped = false;
  let thread = startThread();

  function startThread(): ThreadHandle {
    const started = new ThreadHandle(entry, data, hear);
    started.ended.then(startAgain, startAgain);
    return started;
  }

  function startAgain(error: string | undefined): void {
    if (isStopped) return;
    log.error?.("the heartbeat's thread ended; it is started again", { worker_id: id, error });
    restart = setTimeout(() => (thread = startThread()), RESTART_MS);
    restart.unref();
  }

  function hear(message: FromThread): void {
    if (isStopped) return;
    const { kind, ...fields } = message;
    if (kind === "failed") log.warn?.("worker lease not renewed", { worker_id: id, ...fields });
    else if (kind === "recovered") log.info?.("worker lease renewed again", { worker_id: id, ...fields });
    else {
      log.warn?.("the worker's row is gone", { worker_id: id });
      onGone();
    }
  }

  return {
    async stop() {
      isStopped = true;
      clearTimeout(restart);
      await thread.stop();
      clearInterval(turning);
    },
  };
}
