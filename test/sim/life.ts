// The life of a simulated process. What is under way for it reaches it while it runs, waits while it is paused, and is
// lost when it has died: nothing of a dead process ever goes on.

import type { Timeline } from "./timeline.ts";

export class Life {
  state: "running" | "paused" | "dead" = "running";
  #held: (() => void)[] = [];

  constructor(
    readonly name: string,
    private readonly timeline: Timeline,
  ) {}

  get isDead(): boolean {
    return this.state === "dead";
  }

  /** An answer, the end of a sleep: what the process reacts to. */
  reach(run: () => void): void {
    if (this.state === "running") run();
    else if (this.state === "paused") this.#held.push(run);
  }

  pause(): void {
    if (this.state === "running") this.state = "paused";
  }

  goOn(): void {
    if (this.state !== "paused") return;
    this.state = "running";
    for (const run of this.#held.splice(0)) this.timeline.after(0, () => this.reach(run));
  }

  die(): void {
    this.state = "dead";
    this.#held = [];
  }
}
