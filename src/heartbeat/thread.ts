// The heartbeat's thread: a separate entry point, with its own event loop and its own store. It renews the lease of the
// process's worker, if it has one, and watches the event loop of the main thread (`watch-loop.ts`).
//
// HT1. Nothing here waits for the main thread, because that may be stuck.
// HT2. The thread does everything that a worker and its peers use to find each other: row, lease and lock, news, and
//      the check of the others. On PostgreSQL that is one connection.

import { parentPort, workerData } from "node:worker_threads";
import { TaskonautError } from "../core/errors.ts";
import { messageOf } from "../core/record/stored-error.ts";
import { Beat, RENEWALS_PER_LEASE } from "../engine/process/beat.ts";
import { systemClock } from "../engine/process/system-clock.ts";
import { openSignOfLife } from "../store/open.ts";
import { CauseNote, LOOK_MS } from "./cause-note.ts";
import type { FromThread, ThreadData, ThrownError, ToThread } from "./messages.ts";
import { readActivity } from "./shared-activity.ts";
import { watchLoop } from "./watch-loop.ts";

/** For each call: an unanswered renewal must be repeated within the lease, but connecting takes time. */
const DEADLINE_MS_MIN = 3000;

const data = workerData as ThreadData;
const stop = new AbortController();
const tell = (message: FromThread): void => parentPort?.postMessage(message);
const watch = watchLoop(data);
tell({ kind: "watching" });
let beat: Beat | undefined;
parentPort?.on("message", (message: ToThread) => {
  if (message === "register") beat?.register();
  else stop.abort();
});
try {
  if (data.worker) await keepAlive(data.worker);
  else await untilStopped();
} catch (error) {
  if (!stop.signal.aborted) tell({ kind: "refused", error: thrown(error) });
} finally {
  clearInterval(watch);
  parentPort?.close();
}

/** Runs until it is told to stop. If the worker cannot be registered, throws the store's error. */
async function keepAlive(worker: NonNullable<ThreadData["worker"]>): Promise<void> {
  const deadlineMs = Math.max(worker.leaseMs / RENEWALS_PER_LEASE, DEADLINE_MS_MIN);
  const store = await openSignOfLife(data.address, { deadlineMs });
  try {
    beat = new Beat(worker, { store, clock: systemClock, tell });
    const news = await beat.start();
    tell({ kind: "started", news });
    const note = new CauseNote((cause) => store.noteCause(worker.id, cause), performance.now());
    const { activity } = data;
    const looking = activity && setInterval(() => note.look(readActivity(activity), performance.now()), LOOK_MS);
    await untilStopped();
    clearInterval(looking);
    await note.clear();
    await beat.stop();
  } finally {
    await store.close().catch(() => {}); // what the store held belongs to the process, which continues without it
  }
}

function untilStopped(): Promise<void> {
  return new Promise((resolve) => {
    if (stop.signal.aborted) resolve();
    else stop.signal.addEventListener("abort", () => resolve());
  });
}

function thrown(error: unknown): ThrownError {
  const isExplained = error instanceof TaskonautError;
  return {
    message: messageOf(error),
    code: isExplained ? error.code : undefined,
    details: isExplained ? error.details : {},
  };
}
