// Which of the workers whose leases still run are dead all the same. Workers watch each other by session locks, which
// the server frees when the connection of one ends. One that was killed has lost it; but so has one whose connection
// was cut.
//
// PD1. While a lease runs, a free lock alone proves nothing: the connection may have been terminated, the proxy or the
//      server may have restarted, another server may have taken over; and a living worker is back in a moment.
// PD2. A free lock proves a death if the process is on this machine, and the operating system says that it is gone.
// PD3. For a process elsewhere, a free lock proves a death if all of this is true: only the two kernels can affect the
//      connection (`graceMs` is given then); our connection is older than the fall of the lock, so that whatever cut
//      theirs did not cut ours; and the lock has been free, and the lease not renewed, for longer than the worker takes
//      to come back. If its lease had passed, we did not look at its lock: it may have been free since before our
//      connection, and stay free for a while after the lease is renewed.
// PD4. A worker that has proof ends the lease, unless it was renewed meanwhile: so all workers agree on who is dead.

import type { Whereabouts } from "../processes.ts";

/** A worker whose lease runs and whose lock is free. */
export interface Suspect {
  readonly id: string;
  /** Changes with every renewal. */
  readonly lease: string;
  readonly whereabouts: Whereabouts;
  /** Null: for a process elsewhere, only the lease counts (PD3). */
  readonly graceMs: number | null;
}

export interface Look {
  /** Ids of the workers whose leases have passed. */
  readonly passed: readonly string[];
  /** Identifies the connection. */
  readonly session: unknown;
  /** A monotonic time in milliseconds. */
  readonly now: number;
}

interface Absence {
  /** Undefined: the lease had passed. */
  readonly lease: string | undefined;
  readonly since: number;
  /** Free when we came, or when its lease had passed: we cannot know since when, and why. */
  readonly isOlder: boolean;
}

export class DeathWatch {
  #session: unknown;
  #absent: ReadonlyMap<string, Absence> = new Map();

  /** All suspects of one look. Returns the dead. */
  look(suspects: readonly Suspect[], { passed, session, now }: Look): Suspect[] {
    const isNew = session !== this.#session;
    if (isNew) this.#absent = new Map();
    this.#session = session;
    this.#absent = new Map([
      ...passed.map((id): [string, Absence] => [id, { lease: undefined, since: now, isOlder: true }]),
      ...suspects.map((suspect): [string, Absence] => [suspect.id, this.#absenceOf(suspect, now, isNew)]),
    ]);
    return suspects.filter((suspect) => this.#isDead(suspect, now));
  }

  #absenceOf({ id, lease }: Suspect, now: number, isNew: boolean): Absence {
    const before = this.#absent.get(id);
    if (before?.lease === lease) return before;
    return { lease, since: now, isOlder: before?.isOlder ?? isNew };
  }

  #isDead({ id, whereabouts, graceMs }: Suspect, now: number): boolean {
    switch (whereabouts) {
      case "there":
        return false;
      case "gone":
        return true; // PD2
      case "unknown": {
        const absence = this.#absent.get(id);
        return graceMs !== null && absence?.isOlder === false && now - absence.since >= graceMs; // PD3
      }
    }
  }
}
