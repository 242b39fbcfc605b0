// Work that may take long: a task is driven until it is done, or until a signal says to leave.

import { TaskonautError } from "../core/errors.ts";
import type { TaskNews } from "../core/api/task-news.ts";
import type { Taskonaut } from "../core/api/taskonaut.ts";
import type { Call } from "./command.ts";
import { actorOf } from "./reason.ts";
import { findTaskId } from "./task-id.ts";

/** Opens what the command speaks to, and closes it whatever happens. `news`: who shows what happens meanwhile. */
export async function withTaskonaut<T>(
  call: Pick<Call, "wiring"> & Partial<Pick<Call, "changes" | "flags">>,
  use: (taskonaut: Taskonaut) => Promise<T>,
  news?: TaskNews,
): Promise<T> {
  const taskonaut = await call.wiring.openTaskonaut(news);
  const { changes, flags } = call;
  try {
    if (changes !== true || !flags) return await use(taskonaut);
    return await taskonaut.audit.acting(actorOf({ flags }), () => use(taskonaut));
  } finally {
    await taskonaut.close();
  }
}

/** The same, for a command whose first argument says which task it is about, in any way that a person may say it. */
export function withTask<T>(
  call: Pick<Call, "wiring" | "args" | "look"> & Partial<Pick<Call, "changes" | "flags">>,
  use: (taskonaut: Taskonaut, id: string) => Promise<T>,
  news?: TaskNews,
): Promise<T> {
  const { args, look } = call;
  const find = (taskonaut: Taskonaut): Promise<string> => findTaskId(taskonaut, args[0] ?? "", look.now);
  return withTaskonaut(call, async (taskonaut) => use(taskonaut, await find(taskonaut)), news);
}

export interface DriveOptions {
  /** Whether the task is followed over all its waits: then there may be nothing that runs, and it is followed again. */
  readonly follows?: boolean;
}

/** What is said at the first signal, and when everything has stopped. */
const FAREWELLS = {
  runs: {
    stopping: "Stopping after the running step; once more stops at once.\n",
    cancelled: "Stopped. Everything done so far is kept.",
  },
  follows: {
    stopping: "Stopping, after a step that runs; once more stops at once.\n",
    cancelled: "Stopped following. Everything done so far is kept.",
  },
  // nothing is waited for: the step runs over there
  remote: {
    stopping: "",
    cancelled: "Stopped waiting. The server continues the task.",
  },
};

/**
 * Drives a task. The first SIGINT or SIGTERM aborts the signal that `work` gets, lets the running step end and then
 * throws `cancelled`. What ends in spite of it is given as if there had been none.
 */
export async function drive<T>(
  { io, interrupts, isRemote }: Pick<Call, "io" | "interrupts" | "isRemote">,
  taskonaut: Taskonaut,
  id: string,
  work: (signal: AbortSignal) => Promise<T>,
  { follows = false }: DriveOptions = {},
): Promise<T> {
  const farewell = isRemote ? FAREWELLS.remote : follows ? FAREWELLS.follows : FAREWELLS.runs;
  const cancelled = new TaskonautError("cancelled", farewell.cancelled, { details: { task_id: id } });
  const leave = new AbortController();
  const stopped = Promise.withResolvers<never>();
  const stop = async (): Promise<never> => {
    leave.abort(cancelled);
    await io.stderr.write(farewell.stopping);
    await taskonaut.close();
    throw cancelled;
  };
  const stopListening = interrupts.onFirst(() => {
    stopped.resolve(stop());
  });
  try {
    return await Promise.race([work(leave.signal), stopped.promise]);
  } catch (error) {
    // the work fails too when its store closes under it
    throw leave.signal.aborted ? cancelled : error;
  } finally {
    stopListening();
  }
}
