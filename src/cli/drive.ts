// Work that may take long: a task is driven until it is done, or until a signal says to leave.

import { TaskonautError } from "../core/errors.ts";
import type { TaskListener } from "../core/api/task-listener.ts";
import type { Taskonaut } from "../core/api/taskonaut.ts";
import type { Call } from "./command.ts";
import { actorOf } from "./reason.ts";
import { findTaskId } from "./task-id.ts";

/** Opens the store or the server for `use`, and closes it afterwards in any case. `listener` hears what happens meanwhile. */
export async function withTaskonaut<T>(
  call: Pick<Call, "wiring"> & Partial<Pick<Call, "changes" | "flags">>,
  use: (taskonaut: Taskonaut) => Promise<T>,
  listener?: TaskListener,
): Promise<T> {
  const taskonaut = await call.wiring.openTaskonaut(listener);
  const { changes, flags } = call;
  try {
    if (changes !== true || !flags) return await use(taskonaut);
    return await taskonaut.audit.acting(actorOf({ flags }), () => use(taskonaut));
  } finally {
    await taskonaut.close();
  }
}

/** The same, for a command whose first argument names a task: by its id, the beginning of its id, or `@last`. */
export function withTask<T>(
  call: Pick<Call, "wiring" | "args" | "look"> & Partial<Pick<Call, "changes" | "flags">>,
  use: (taskonaut: Taskonaut, id: string) => Promise<T>,
  listener?: TaskListener,
): Promise<T> {
  const { args, look } = call;
  const find = (taskonaut: Taskonaut): Promise<string> => findTaskId(taskonaut, args[0] ?? "", look.now);
  return withTaskonaut(call, async (taskonaut) => use(taskonaut, await find(taskonaut)), listener);
}

export interface DriveOptions {
  /** Whether the task is followed through all its waits. Then nothing may be running when a signal comes. */
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
  // this process waits for nothing: the step runs on the server
  remote: {
    stopping: "",
    cancelled: "Stopped waiting. The server continues the task.",
  },
};

/**
 * Drives a task. The first SIGINT or SIGTERM aborts the signal that `work` gets, lets the running step end, and throws
 * `cancelled`. If `work` ends nevertheless, its result is returned.
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
    // `work` also fails because its store is closed
    throw leave.signal.aborted ? cancelled : error;
  } finally {
    stopListening();
  }
}
