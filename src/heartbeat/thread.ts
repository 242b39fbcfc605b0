// The thread of the heartbeat: an entry of its own, with an event loop and a store of its own. It renews the lease of
// the process's worker, and kills the process when the event loop of the main thread has been blocked for too long.
//
// T1. Nothing here waits for the main thread, nor for whoever reads stderr: either may be what is stuck.
// T2. Of the worker it renews the row and nothing else. Its lock is the main thread's.

import { write } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";
import { systemClock } from "../engine/system-clock.ts";
import { createLog } from "../log/create-log.ts";
import type { Store } from "../store/store.ts";
import { beatMs, type FromThread, type StorePlace, type ThreadData } from "./messages.ts";
import { renewUntil, RENEWALS_PER_LEASE } from "./renewal.ts";
import { Watchdog } from "./watchdog.ts";

/** How long whoever reads stderr may take for the last line (T1). */
const LAST_LINE_MS = 1000;

const data = workerData as ThreadData;
const stop = new AbortController();
parentPort?.once("message", () => stop.abort());
const watch = watchLoop();
await renewUntil(stop.signal, {
  workerId: data.workerId,
  leaseMs: data.leaseMs,
  openStore: () => openStore(data.place, data.leaseMs / RENEWALS_PER_LEASE),
  clock: systemClock,
  tell: (message: FromThread) => parentPort?.postMessage(message),
});
clearInterval(watch);

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
    { worker_id: data.workerId, worker: data.workerName, pid: process.pid },
  );
  await Promise.race([new Promise((resolve) => write(2, lines.join(""), resolve)), Bun.sleep(LAST_LINE_MS)]);
  process.kill(process.pid, "SIGKILL");
  return new Promise(() => {});
}

async function openStore(place: StorePlace, deadlineMs: number): Promise<Store> {
  if (place.dialect === "sqlite") {
    const { openSqliteStore } = await import("../store/sqlite/store.ts");
    return openSqliteStore({ path: place.path, deadlineMs });
  }
  const { openPostgresStore } = await import("../store/postgres/store.ts");
  return openPostgresStore({ url: place.url, schema: place.schema, deadlineMs });
}
