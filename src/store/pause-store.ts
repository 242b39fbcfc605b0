// The pauses in a store: of a flow, a tool, or everything. Claims skip the tasks of paused flows. The engine does the
// rest: `engine/process/known-pauses.ts` says why a pause is effective whatever processes do meanwhile.

import type { Judged } from "../core/record/judged.ts";
import type { Audited } from "./audit-store.ts";

export type PauseScope = "all" | "flow" | "tool";

export interface PauseRow {
  readonly scope: PauseScope;
  /** The name of the flow or the tool; empty for `all`. */
  readonly name: string;
  /** A new one for each pause of the same target. */
  readonly id: string;
  readonly reason: string | null;
  /** Who has paused it, for people. */
  readonly made_by: string;
  /** 1: work that ran at its start was told to stop. */
  readonly aborts: number;
  /** In store time. */
  readonly since: number;
}

/** TK5 in `limit-store.ts`. No limit has such a name. */
export function pauseLine(tool: string): string {
  return `${LINE}${tool}`;
}

/** The tool whose pause a step waits for in this line; undefined: it is the line of a limit. */
export function toolOfLine(line: string): string | undefined {
  return line.startsWith(LINE) ? line.slice(LINE.length) : undefined;
}

const LINE = "pause:";

export type NewPause = Omit<PauseRow, "since">;

/** What a process reads about the pauses. */
interface PausesRead {
  /** By scope, then by name. */
  readonly pauses: readonly Judged<PauseRow>[];
  /** Ids of the pauses that its worker has acknowledged, as `acknowledge` wrote them; null: it has no row. */
  readonly seen: string | null;
}

/** A worker that may not know of a pause yet. */
export interface UnawareWorker {
  readonly id: string;
  readonly name: string;
  /** 0: it takes no tasks from the queue. */
  readonly concurrency: number;
}

export interface PauseStore {
  read(workerId: string): Promise<PausesRead>;
  /** An existing pause is replaced, from now on. */
  put(pause: NewPause, audited?: Audited): Promise<PauseRow>;
  /** False if it was not paused. */
  remove(scope: PauseScope, name: string, audited?: Audited): Promise<boolean>;
  /**
   * The worker starts nothing that the pauses of these ids hold back. `seen` names exactly the pauses that it knows.
   */
  acknowledge(workerId: string, seen: string): Promise<void>;
  /** Workers, living and dead, that have not acknowledged this pause. */
  findUnaware(pauseId: string): Promise<readonly UnawareWorker[]>;
}
