// Drives the task of an operation to its end, or follows it where a worker has it, and shows how far it is.

import { setTimeout } from "node:timers/promises";
import { type BulkTotals, totalsOf } from "../../core/api/bulk.ts";
import type { Task } from "../../core/api/task.ts";
import type { Taskonaut } from "../../core/api/taskonaut.ts";
import { awaitEnd } from "../await-end.ts";
import type { Call } from "../command.ts";
import { drive } from "../drive.ts";
import { openProgressBar } from "./progress-bar.ts";

const LOOK_MS = 300;

export interface Followed {
  readonly task: Task;
  readonly totals: BulkTotals;
}

/** Throws `cancelled` on Ctrl-C: the operation is kept, and any process may go on with it. */
export async function followOperation(call: Call, taskonaut: Taskonaut, id: string, all: number): Promise<Followed> {
  const bar = openProgressBar(call, all);
  try {
    const task = await drive(call, taskonaut, id, async (signal) => {
      const over = new AbortController();
      const stop = AbortSignal.any([signal, over.signal]);
      const watching = watch(stop, async () => bar.show(totalsOf(await taskonaut.getTask(id))));
      try {
        return await awaitEnd({
          run: () => taskonaut.runTask(id),
          getTask: (each) => taskonaut.getTask(each),
          sleep: (ms) => setTimeout(ms, undefined, { signal }),
          onWaits: async () => {},
        });
      } finally {
        over.abort();
        await watching;
      }
    });
    return { task, totals: totalsOf(task) };
  } finally {
    await bar.close();
  }
}

/** A failed read is tried again the next time: the operation itself reports what went wrong. */
async function watch(signal: AbortSignal, look: () => Promise<void>): Promise<void> {
  while (!signal.aborted) {
    await setTimeout(LOOK_MS, undefined, { signal }).catch(() => {});
    if (!signal.aborted) await look().catch(() => {});
  }
}
