// The thread of the heartbeat: an entry of its own, with an event loop and a store of its own. It keeps the sign of life of
// the process's worker, and kills the process when the event loop of the main thread has been blocked for too long.
//
// T1. Nothing here waits for the main thread, nor for whoever reads stderr: either may be what is stuck.
// T2. All by which a worker and its peers know of each other is the thread's: row, lease and lock, news, and the look at the
//     others. On PostgreSQL it is one connection.

import { write } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";
import { TaskonautError } from "../core/errors.ts";
import { messageOf } from "../core/stored-error.ts";
import { Beat, RENEWALS_PER_LEASE } from "../engine/beat.ts";
import { systemClock } from "../engine/system-clock.ts";
import { createLog } from "../log/create-log.ts";
import type { SignOfLife, Store } from "../store/store.ts";
import {
  beatMs,
  type FromThread,
  type StorePlace,
  type ThreadData,
  type ThrownError,
  type ToThread,
} from "./messages.ts";
import { Watchdog } from "./watchdog.ts";

/** How long whoever reads stderr may take for the last line (T1). */
const LAST_LINE_MS = 1000;

/** Of each call: a renewal that is not answered is to be tried again within the lease, but connecting takes its time. */
const DEADLINE_MS_MIN = 3000;

const data = workerData as ThreadData;
const stop = new AbortController();
const tell = (message: FromThread): void => parentPort?.postMessage(message);
const watch = watchLoop();
let beat: Beat | undefined;
parentPort?.on("message", (message: ToThread) => {
  if (message === "register") beat?.register();
  else stop.abort();
});
try {
  await keepAlive();
} catch (error) {
  if (!stop.signal.aborted) tell({ kind: "refused", error: thrown(error) });
} finally {
  clearInterval(watch);
  parentPort?.close();
}

/** Until it is told to stop. Throws what the store throws, where the worker cannot be registered. */
async function keepAlive(): Promise<void> {
  const deadlineMs = Math.max(data.worker.leaseMs / RENEWALS_PER_LEASE, DEADLINE_MS_MIN);
  const store = await openStore(data.place, deadlineMs);
  try {
    beat = new Beat(data.worker, { store, clock: systemClock, tell });
    const news = await beat.start();
    tell({ kind: "started", news });
    await new Promise<void>((resolve) => {
      if (stop.signal.aborted) resolve();
      else stop.signal.addEventListener("abort", () => resolve());
    });
    await beat.stop();
  } finally {
    await store.close().catch(() => {}); // what it held is its process's, which goes on without it
  }
}

function thrown(error: unknown): ThrownError {
  const isExplained = error instanceof TaskonautError;
  return {
    message: messageOf(error),
    code: isExplained ? error.code : undefined,
    details: isExplained ? error.details : {},
  };
}

function watchLoop(): Timer {
  const periodMs = beatMs(data.stuckMs);
  const watchdog = new Watchdog(periodMs, performance.now());
  const timer = setInterval(() => {
    const stuckMs = watchdog.look(Atomics.load(data.turns, 0), performance.now());
    if (stuckMs < data.stuckMs) return;
    clearInterval(timer);
    killProcess(stuckMs).catch(() => {}); // there is nobody left to tell
  }, periodMs);
  return timer;
}

/** SIGKILL: a blocked loop hears nothing softer, and what is recorded survives it. */
async function killProcess(stuckMs: number): Promise<never> {
  const lines: string[] = [];
  const log = createLog({ level: "error", ...data.line, write: (line) => lines.push(line) });
  log.error?.(
    `the event loop was blocked for ${(stuckMs / 1000).toFixed(1)} s; this process is killed, so that others take its tasks over. A tool must not block: it should await what takes long, or hand it to a child process or a thread`,
    { worker_id: data.worker.id, worker: data.worker.name, pid: process.pid },
  );
  await Promise.race([new Promise((resolve) => write(2, lines.join(""), resolve)), Bun.sleep(LAST_LINE_MS)]);
  process.kill(process.pid, "SIGKILL");
  return new Promise(() => {});
}

async function openStore(place: StorePlace, deadlineMs: number): Promise<SignOfLife & Pick<Store, "close">> {
  if (place.dialect === "sqlite") {
    const { openSqliteStore } = await import("../store/sqlite/store.ts");
    return openSqliteStore({ path: place.path, deadlineMs });
  }
  const { openPostgresLifeline } = await import("../store/postgres/lifeline.ts");
  return openPostgresLifeline({ url: place.url, schema: place.schema, deadlineMs });
}
