// The steps of one task that run in this process: tools, and children that are created or run here.
//
// An aborted tool may take time to end, or ignore the signal. It stays known here until it ends: as `stopping` while
// its outcome still counts, as `leaving` when nobody waits for the outcome any more. Its clean-up begins only after
// that (`endOfBefore`).

import { type Cut, isBeforeCut } from "../../core/flow/paths.ts";

/** A tool whose driver is gone: it runs on here until it ends. */
export interface LeavingTool {
  readonly path: string;
  readonly ended: Promise<void>;
}

interface RunningStep {
  readonly path: string;
  /** Undefined: a child, which hears of it in another way. */
  readonly abort: ((reason: unknown) => void) | undefined;
  /** Undefined: a child, which runs by its own flow. */
  readonly interrupt?: (reason: unknown) => void;
  readonly ended: Promise<void>;
}

export class RunningSteps {
  readonly #steps = new Map<string, RunningStep>();
  /** Ids of the aborted steps. */
  readonly #stopping = new Set<string>();
  readonly #leaving = new Map<string, RunningStep>();

  /** `left`: tools that still run here after their drivers of this task are gone. */
  constructor(left: readonly LeavingTool[] = []) {
    for (const [place, { path, ended }] of left.entries()) {
      const id = `left ${place}`;
      this.#leaving.set(id, { path, ended, abort: () => {} }); // it was aborted before
      const isGone = () => this.#leaving.delete(id);
      ended.then(isGone, isGone);
    }
  }

  /** Tools that still run, for the next driver of the task. */
  get tools(): readonly LeavingTool[] {
    const isNone = this.#steps.size === 0 && this.#leaving.size === 0;
    return isNone
      ? []
      : [...this.#steps.values(), ...this.#leaving.values()].filter(({ abort }) => abort !== undefined);
  }

  /** Leaving tools do not count. */
  get size(): number {
    return this.#steps.size;
  }

  /** Whether a tool was aborted whose outcome still counts. */
  get isStopping(): boolean {
    return this.#stopping.size > 0;
  }

  has(id: string): boolean {
    return this.#steps.has(id);
  }

  /** Leaving tools count, too. */
  isThere(id: string): boolean {
    return this.#steps.has(id) || this.#leaving.has(id);
  }

  add(id: string, step: RunningStep): void {
    this.#steps.set(id, step);
  }

  delete(id: string): void {
    this.#steps.delete(id);
    this.#stopping.delete(id);
    this.#leaving.delete(id);
  }

  ids(): readonly string[] {
    return [...this.#steps.keys()];
  }

  /** Aborts because of a pause: the attempt is made again, unless it ends normally. */
  interrupt(id: string, reason: unknown): void {
    this.#steps.get(id)?.interrupt?.(reason);
  }

  /** Its outcome still counts. */
  abort(id: string, reason: unknown): void {
    const abort = this.#steps.get(id)?.abort;
    if (!abort) return;
    this.#stopping.add(id);
    abort(reason);
  }

  /** Nobody waits for its outcome. */
  giveUp(id: string, reason: unknown): void {
    const step = this.#steps.get(id);
    if (!step?.abort) return;
    this.#steps.delete(id);
    this.#stopping.delete(id);
    this.#leaving.set(id, step);
    step.abort(reason);
  }

  giveUpAll(reason: unknown): void {
    for (const id of Array.from(this.#steps.keys())) this.giveUp(id, reason);
  }

  /** Resolves when everything that runs now has ended. */
  async ended(): Promise<void> {
    await Promise.all([...this.#steps.values()].map((step) => step.ended));
  }

  /** Resolves when the steps that were given up before these cuts have ended. Undefined: none of them runs. */
  endOfBefore(cuts: readonly Cut[] | undefined): Promise<unknown> | undefined {
    if (!cuts || this.#leaving.size === 0) return undefined;
    const before = [...this.#leaving.values()].filter(({ path }) => cuts.some((cut) => isBeforeCut(path, cut)));
    return before.length === 0 ? undefined : Promise.all(before.map((step) => step.ended));
  }
}
