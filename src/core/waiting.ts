// Says what a call waits for, once it has waited so long that a person would wonder.

/** Told what stands between `Waiting for` and a full stop: `the database /home/me/tasks.db, which another process keeps locked`. */
export type TellWait = (what: string) => void;

/** Who drives a task, as far as it is known. */
export interface Driver {
  /** Of its worker; undefined: its row is gone. */
  readonly name: string | undefined;
  /** That it is at; undefined: none runs. */
  readonly step: { readonly step_index: number; readonly step_name: string } | undefined;
  /** Milliseconds since 1970: since when the step runs, or nothing has changed. */
  readonly since: number;
}

/** `worker host:17 drives it, step 2 charge since 2026-11-29 03:39:25Z` */
export function describeDriver({ name, step, since }: Driver): string {
  const who = name === undefined ? "another process drives it" : `worker ${name} drives it`;
  const time = new Date(since).toISOString().replace("T", " ").replace(/\.\d+/, "");
  return step ? `${who}, step ${step.step_index} ${step.step_name} since ${time}` : `${who}, since ${time}`;
}

/** After so long. */
export const WONDERS_MS = 1000;
