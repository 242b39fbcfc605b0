// Work that may take long: a task is driven until it is done, or until a signal says to leave.

import { TaskonautError } from "../core/errors.ts";
import type { Taskonaut } from "../core/taskonaut.ts";
import type { Call } from "./command.ts";

/** Opens what the command speaks to, and closes it whatever happens. */
export async function withTaskonaut<T>(
  { wiring }: Pick<Call, "wiring">,
  use: (taskonaut: Taskonaut) => Promise<T>,
): Promise<T> {
  const taskonaut = await wiring.openTaskonaut();
  try {
    return await use(taskonaut);
  } finally {
    await taskonaut.close();
  }
}

/**
 * Drives a task. The first SIGINT or SIGTERM lets the running step end and then throws `cancelled`, which says how to
 * go on. What comes to its end in spite of the signal is given as if there had been none.
 */
export async function drive<T>(
  { io, interrupts }: Pick<Call, "io" | "interrupts">,
  taskonaut: Taskonaut,
  id: string,
  work: () => Promise<T>,
): Promise<T> {
  const cancelled = new TaskonautError(
    "cancelled",
    `Stopped. Everything done so far is kept; \`taskonaut run-task ${id}\` goes on from there.`,
    { details: { task_id: id } },
  );
  const stopped = Promise.withResolvers<never>();
  let isStopping = false;
  const stop = async (): Promise<never> => {
    isStopping = true;
    await io.stderr.write("Stopping after the running step; once more stops at once.\n");
    await taskonaut.close();
    throw cancelled;
  };
  const stopListening = interrupts.onFirst(() => {
    stopped.resolve(stop());
  });
  try {
    return await Promise.race([work(), stopped.promise]);
  } catch (error) {
    // the work fails too when its store closes under it
    throw isStopping ? cancelled : error;
  } finally {
    stopListening();
  }
}
