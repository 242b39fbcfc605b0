// The steps of one task that run in this process: tools, and children that are created or run here.
//
// A tool that is aborted may take its time until it has ended, or listen to nobody. Until then it is known here:
// while its outcome still counts it is `stopping`; where nobody waits for the outcome any more, it is `leaving`, and what
// cleans up after it begins no sooner (`endOfBefore`).

import { type Cut, isBeforeCut } from "../../core/flow/paths.ts";

/** A tool of a driver that is gone: it runs on here until it has ended. */
export interface LeavingTool {
  readonly path: string;
  readonly ended: Promise<void>;
}

interface RunningStep {
  readonly path: string;
  /** Undefined: a child, which hears of it in another way. */
  readonly abort: ((reason: unknown) => void) | undefined;
  /** Undefined: a child, which goes by its own flow. */
  readonly interrupt?: (reason: unknown) => void;
  readonly ended: Promise<void>;
}

export class RunningSteps {
  readonly #steps = new Map<string, RunningStep>();
  /** Ids of those that were aborted. */
  readonly #stopping = new Set<string>();
  readonly #leaving = new Map<string, RunningStep>();

  /** `left`: what still runs here of drivers of this task that are gone. */
  constructor(left: readonly LeavingTool[] = []) {
    for (const [place, { path, ended }] of left.entries()) {
      const id = `left ${place}`;
      this.#leaving.set(id, { path, ended, abort: () => {} }); // it was told already
      const isGone = () => this.#leaving.delete(id);
      ended.then(isGone, isGone);
    }
  }

  /** Tools that still run, for whoever drives the task next. */
  get tools(): readonly LeavingTool[] {
    const isNone = this.#steps.size === 0 && this.#leaving.size === 0;
    return isNone
      ? []
      : [...this.#steps.values(), ...this.#leaving.values()].filter(({ abort }) => abort !== undefined);
  }

  /** Those that are leaving do not count. */
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

  /** Also one that is leaving. */
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

  /** Because of a pause: it is made again, unless it ends all the same. */
  interrupt(id: string, reason: unknown): void {
    this.#steps.get(id)?.interrupt?.(reason);
  }

  /** What it comes to still counts. */
  abort(id: string, reason: unknown): void {
    const abort = this.#steps.get(id)?.abort;
    if (!abort) return;
    this.#stopping.add(id);
    abort(reason);
  }

  /** Nobody waits for what it comes to. */
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

  /** Resolves when those that run now have ended. */
  async ended(): Promise<void> {
    await Promise.all([...this.#steps.values()].map((step) => step.ended));
  }

  /** Resolves when what was given up before these cuts has ended. Undefined: nothing of it runs. */
  endOfBefore(cuts: readonly Cut[] | undefined): Promise<unknown> | undefined {
    if (!cuts || this.#leaving.size === 0) return undefined;
    const before = [...this.#leaving.values()].filter(({ path }) => cuts.some((cut) => isBeforeCut(path, cut)));
    return before.length === 0 ? undefined : Promise.all(before.map((step) => step.ended));
  }
}
