// A task's place while it is driven here: since when it is in the queue, whether this process holds it, and why it is
// parked. `standing.ts` has the rules.

import { type Standing, standingOf } from "./standing.ts";

/** The other facts that its standing follows from. */
interface Progress {
  readonly isEnded: boolean;
  readonly isAtWork: boolean;
  readonly firstDue: () => number | null;
  /** What the task waits for, whether it rests or not. */
  readonly waits: (isResting: boolean) => number | null;
}

export class Place {
  /** Ids of steps for which this process holds the task (U2). */
  readonly #holding = new Set<string>();
  #parked: { readonly reason: string; readonly code: string | null } | undefined;
  #isUnread = false;

  constructor(
    private readonly workerId: string,
    private readonly storeTime: () => number,
    /** U1: since when a worker may take the task, in store time; null: the task is not in the queue. */
    private queuedAt: number | null,
    private claimed: boolean,
  ) {}

  get isClaimed(): boolean {
    return this.claimed;
  }

  get parkedReason(): string | undefined {
    return this.#parked?.reason;
  }

  hold(stepId: string): void {
    this.#holding.add(stepId);
  }

  /** Returns whether the task was held for this step. */
  stopHolding(stepId: string): boolean {
    return this.#holding.delete(stepId);
  }

  stopHoldingAll(): void {
    this.#holding.clear();
    this.claimed = false;
  }

  /** Releases the task, unless its steps still hold it. `isUnread`: something may have come that nobody has read. */
  letGo(isUnread: boolean): void {
    this.claimed = false;
    this.#isUnread = isUnread;
  }

  park(reason: string, code: string | null): void {
    this.#parked = { reason, code };
    this.claimed = false;
  }

  unpark(): void {
    this.#parked = undefined;
    this.enqueue();
  }

  /** From now on at the latest, a worker may take the task if no living worker holds it. */
  enqueue(): void {
    const now = this.storeTime();
    if (this.queuedAt === null || this.queuedAt > now) this.queuedAt = now;
  }

  standing({ isEnded, isAtWork, firstDue, waits }: Progress): Standing {
    const isHeld = this.#holding.size > 0 || this.claimed;
    const isBusy = isHeld || isAtWork || this.#isUnread;
    const standing = standingOf({
      isEnded,
      parked: this.#parked,
      holder: isHeld ? this.workerId : null,
      isAtWork,
      isUnread: this.#isUnread,
      queuedAt: this.queuedAt,
      firstDue: isBusy ? null : firstDue(),
      waits: isEnded ? null : waits(!isBusy),
      now: this.storeTime(),
    });
    if (isBusy && standing.due_at !== null) this.queuedAt = standing.due_at;
    return standing;
  }
}
