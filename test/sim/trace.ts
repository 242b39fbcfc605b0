// What happened in a simulation, for whoever has to find out why it went wrong, and for the proof that a seed always
// leads to the same.

/** So many of the last events are shown with a breach. */
const SHOWN = 80;

export class Trace {
  readonly events: string[] = [];
  readonly breaches: string[] = [];

  constructor(private readonly now: () => number) {}

  /** `what` starts with who did it. */
  note(what: string): void {
    this.events.push(`${String(this.now()).padStart(7)} ${what}`);
  }

  /** Something that must never happen has happened. */
  breach(what: string): void {
    this.note(`BREACH ${what}`);
    this.breaches.push(what);
  }

  /** Throws where there was a breach; `rerun` tells how to see it again. */
  throwBreach(rerun: string): void {
    const [first] = this.breaches;
    if (first === undefined) return;
    throw new Error(`${first}\n\n${rerun}\n\nThe last of ${this.events.length} events:\n${this.tail()}`);
  }

  tail(): string {
    return this.events.slice(-SHOWN).join("\n");
  }
}
