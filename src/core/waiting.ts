// What a call waits for, told once it has waited so long that a person wonders.

/** Told what stands after `Waiting for`: `the database /home/me/tasks.db, which another process keeps locked`. */
export type TellWait = (what: string) => void;

/** After so long. */
export const WONDERS_MS = 1000;
