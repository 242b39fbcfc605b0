// Which steps of one task have no outcome yet, which of them only wait, and which outcomes the flow has not been given.

import type { StepRow } from "../../core/record/record.ts";
import { isStepOpen } from "../../core/record/status.ts";
import { isWait } from "./wait-events.ts";

export class OpenSteps {
  /** In order of planning. */
  readonly #open = new Set<string>();
  /** Those that an outsider or the clock settles, or sets going again. */
  readonly #waiting = new Set<string>();
  /** Those with an outcome that the flow has not been given, in the order in which they were recorded. */
  readonly #unobserved: string[] = [];
  #outcomes = 0;

  /** `observed`: so many outcomes the flow has been given. */
  constructor(steps: readonly StepRow[], observed: number) {
    const unobserved: StepRow[] = [];
    for (const step of steps) {
      if (step.outcome_seq !== null) {
        this.#outcomes += 1;
        if (step.outcome_seq > observed) unobserved.push(step);
      }
      if (isStepOpen(step.status)) this.add(step);
    }
    unobserved.sort((a, b) => (a.outcome_seq ?? 0) - (b.outcome_seq ?? 0));
    for (const step of unobserved) this.#unobserved.push(step.id);
  }

  /** In order of planning. */
  ids(): Iterable<string> {
    return this.#open;
  }

  has(id: string): boolean {
    return this.#open.has(id);
  }

  waiting(): Iterable<string> {
    return this.#waiting;
  }

  get areWaiting(): boolean {
    return this.#waiting.size > 0;
  }

  isWaiting(id: string): boolean {
    return this.#waiting.has(id);
  }

  /** The earliest outcome that the flow has not been given. */
  get nextUnobserved(): string | undefined {
    return this.#unobserved[0];
  }

  add(step: StepRow): void {
    this.#open.add(step.id);
    if (isWait(step)) this.#waiting.add(step.id);
  }

  wait(id: string): void {
    this.#waiting.add(id);
  }

  goOn(id: string): void {
    this.#waiting.delete(id);
  }

  /** It has an outcome. Gives its number: 1, 2, 3 … within the task. */
  end(id: string): number {
    this.giveUp(id);
    this.#unobserved.push(id);
    this.#outcomes += 1;
    return this.#outcomes;
  }

  /** Nobody waits for it any more. False: it has an outcome already, or was given up. */
  giveUp(id: string): boolean {
    this.#waiting.delete(id);
    return this.#open.delete(id);
  }

  /** The flow was given the next outcome. */
  noteObserved(): void {
    this.#unobserved.shift();
  }

  giveUpAll(): void {
    this.#open.clear();
    this.#waiting.clear();
    this.#unobserved.length = 0;
  }
}
