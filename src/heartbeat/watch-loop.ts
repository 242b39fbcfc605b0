// The thread's actions when the event loop of the main thread is stuck: it lets signals end the process, and finally
// kills it itself.
//
// HW1. Nothing here waits for the main thread, the reader of stderr, or the database: each of them may be stuck.
// HW2. Before it kills the process, it records the cause, if that is known. Then only that task is a suspect.

import { write } from "node:fs";
import type { Doing } from "../core/flow/activity.ts";
import { createLog } from "../log/create-log.ts";
import type { LogFields } from "../core/log.ts";
import type { Culprit, DeathCause } from "../store/blame.ts";
import { putDownBlame } from "../store/open.ts";
import { HearingWatch } from "./hearing.ts";
import { beatMs, type ThreadData } from "./messages.ts";
import { SignalActions } from "./signal-actions.ts";
import { readActivity, type Seen } from "./shared-activity.ts";
import { Watchdog } from "./watchdog.ts";

/** How long the reader of stderr and the database may take before the process is killed (HW1). */
const LAST_WORDS_MS = 1000;

/** An id that no worker has. */
const NO_WORKER = "00000000-0000-0000-0000-000000000000";

export function watchLoop(data: ThreadData): Timer {
  const { stuckMs: stuckMax, flowStuckMs } = data.limits;
  const periodMs = beatMs(data.limits);
  const loop = new Watchdog(periodMs, performance.now());
  const piece = new Watchdog(periodMs, performance.now());
  const hearing = new HearingWatch(data.limits, new SignalActions(), (signal) => process.kill(process.pid, signal));
  const isListening = (): boolean => data.activity === undefined || readActivity(data.activity).isListening;
  const timer = setInterval(() => {
    const seen = data.activity && readActivity(data.activity);
    const stuckMs = loop.look(Atomics.load(data.turns, 0), performance.now());
    const pieceMs = piece.look(seen?.count ?? 0, performance.now());
    hearing.look({ stuckMs, isLeaving: seen?.isLeaving ?? false, isListening }, performance.now());
    const isFlowStuck = seen?.doing === "flow" && pieceMs >= flowStuckMs;
    if (stuckMs < stuckMax && !isFlowStuck) return;
    clearInterval(timer);
    const heldMs = seen?.doing ? Math.min(stuckMs, pieceMs) : stuckMs;
    killProcess(data, heldMs / 1000, seen).catch(() => {}); // nobody is left to handle the error
  }, periodMs);
  return timer;
}

/** Uses SIGKILL: a blocked loop receives no softer signal, and recorded data survives it. */
async function killProcess(data: ThreadData, seconds: number, seen: Seen | undefined): Promise<never> {
  const lines: string[] = [];
  const log = createLog({ level: "error", ...data.line, write: (line) => lines.push(line) });
  const worker = data.worker && { worker_id: data.worker.id, worker: data.worker.name };
  const culprit = seen?.doing && seen.culprit;
  log.error?.(tellKill(seconds, seen?.doing), { ...worker, pid: process.pid, ...(culprit && fieldsOf(culprit)) });
  await Promise.race([
    Promise.all([
      new Promise((resolve) => write(2, lines.join(""), resolve)),
      // if the database cannot record it, the process that takes over finds out
      culprit && blame(data, { ...culprit, seconds }).catch(() => {}),
    ]),
    Bun.sleep(LAST_WORDS_MS),
  ]);
  process.kill(process.pid, "SIGKILL");
  return new Promise(() => {});
}

function fieldsOf(culprit: Culprit): LogFields {
  if ("taskId" in culprit) return { task_id: culprit.taskId, ...(culprit.stepId && { step_id: culprit.stepId }) };
  const { at, ...named } = culprit;
  return { ...named, ...(at !== "" && { at }) };
}

function tellKill(seconds: number, doing: Doing | undefined): string {
  const killed = `the event loop was blocked for ${seconds.toFixed(1)} s; this process is killed, so that others take its tasks over.`;
  if (doing === "flow")
    return `${killed} A flow only decides: what takes long belongs in a tool, as does a regular expression that may`;
  return `${killed} A tool must not block: it should await what takes long, or hand it to a child process or a thread`;
}

async function blame({ address, worker }: ThreadData, what: DeathCause): Promise<void> {
  await putDownBlame(address, { ...what, workerId: worker?.id ?? NO_WORKER, isKilled: true }, LAST_WORDS_MS);
}
