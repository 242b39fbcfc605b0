// Time in a simulation: a queue of what is going to happen. Nothing runs by itself; each step takes the next event and
// lets the program go on until it waits for another one, so the order of everything is the order of this queue.

import { turn } from "../support/fake-clock.ts";

/** Turns of the event loop in which nothing was asked for; then nobody is about to do anything. */
const QUIET_TURNS = 4;

/** What a program may ask for the time, and for events, within one event; then it goes round in circles. */
const ASKED_MAX = 100_000;

export interface Appointment {
  cancel(): void;
}

interface Entry {
  readonly at: number;
  readonly number: number;
  readonly run: () => void;
}

export class Timeline {
  /** Milliseconds since the simulation began. */
  now = 0;
  /** Events so far. */
  steps = 0;
  /** The next one last; of those at one time, that was asked for first comes first. */
  readonly #entries: Entry[] = [];
  #asked = 0;
  #askedNow = 0;

  /** Throws where the program goes on and on without waiting for anything: nothing else could stop it. */
  count(): void {
    this.#askedNow += 1;
    if (this.#askedNow > ASKED_MAX) throw new Error("The program goes round in circles within one event.");
  }

  get isSpinning(): boolean {
    return this.#askedNow > ASKED_MAX;
  }

  after(ms: number, run: () => void): Appointment {
    this.count();
    const entry: Entry = { at: this.now + Math.max(0, ms), number: ++this.#asked, run };
    let low = 0;
    for (let high = this.#entries.length; low < high;) {
      const middle = (low + high) >> 1;
      if ((this.#entries[middle] as Entry).at > entry.at) low = middle + 1;
      else high = middle;
    }
    this.#entries.splice(low, 0, entry);
    return {
      cancel: () => {
        const place = this.#entries.indexOf(entry);
        if (place >= 0) this.#entries.splice(place, 1);
      },
    };
  }

  /** Lets the next event happen, and all that follows from it at once. False: there is none. */
  async step(): Promise<boolean> {
    const entry = this.#entries.pop();
    if (!entry) return false;
    this.now = entry.at;
    this.steps += 1;
    this.#askedNow = 0;
    entry.run();
    await this.settle();
    return true;
  }

  /** Until nothing is ready any more. */
  async settle(): Promise<void> {
    for (let quiet = 0, asked = this.#asked; quiet < QUIET_TURNS; quiet += 1) {
      await turn();
      if (asked !== this.#asked) quiet = 0;
      asked = this.#asked;
    }
  }
}
