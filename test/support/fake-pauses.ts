import type { Pause, Paused, PauseOptions, Pauses, PauseTarget } from "../../src/core/api/pauses.ts";
import { TaskonautError } from "../../src/core/errors.ts";

/** Pauses that hold nothing back. */
export class FakePauses implements Pauses {
  #all: readonly Pause[] = [];
  /** Workers that do not answer. */
  unanswered: readonly string[] = [];

  async list(): Promise<readonly Pause[]> {
    return this.#all;
  }

  async pause(target: PauseTarget, { reason, by }: PauseOptions = {}): Promise<Paused> {
    const since = new Date(Date.UTC(2026, 10, 23)).toISOString();
    const pause = { scope: target.scope, name: nameOf(target), reason: reason ?? null, by: by ?? "host:1", since };
    this.#all = [...this.#all.filter((one) => !isOf(one, target)), pause];
    return { pause, unanswered: this.unanswered };
  }

  async unpause(target: PauseTarget): Promise<void> {
    const left = this.#all.filter((one) => !isOf(one, target));
    if (left.length === this.#all.length) throw new TaskonautError("pause_not_found", "It is not paused.");
    this.#all = left;
  }
}

function nameOf(target: PauseTarget): string | null {
  return target.scope === "all" ? null : target.name;
}

function isOf({ scope, name }: Pause, target: PauseTarget): boolean {
  return scope === target.scope && name === nameOf(target);
}
