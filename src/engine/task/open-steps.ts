// Knows which steps of a task have no outcome yet, which of them only wait, and which outcomes the flow has not
// observed; and so what to do next.

import type { StepRow } from "../../core/record/record.ts";
import { isStepOpen } from "../../core/record/status.ts";
import { waitsOf } from "../../core/record/waits.ts";
import type { RunningSteps } from "./running-steps.ts";
import { isWait, waitKindOf } from "./wait-events.ts";

export class OpenSteps {
  /** In order of planning. */
  readonly #open = new Set<string>();
  /** Steps that an outsider or the clock settles, or starts again. */
  readonly #waiting = new Set<string>();
  /** Steps with an outcome that the flow has not been given, in the order of recording. */
  readonly #unobserved: string[] = [];
  #outcomes = 0;

  /** `observed`: how many outcomes the flow has been given. `rowOf` returns the current row. */
  constructor(
    steps: readonly StepRow[],
    observed: number,
    private readonly rowOf: (id: string) => StepRow,
    /** `plan` flows: steps run one after the other. */
    private readonly isSequential: boolean,
  ) {
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

  /** By step_index. */
  rows(): StepRow[] {
    return Array.from(this.#open, this.rowOf).toSorted((a, b) => a.step_index - b.step_index);
  }

  some(holds: (step: StepRow) => boolean): boolean {
    for (const id of this.#open) if (holds(this.rowOf(id))) return true;
    return false;
  }

  /** The step that was planned first. */
  get first(): StepRow | undefined {
    for (const id of this.#open) return this.rowOf(id);
    return undefined;
  }

  has(id: string): boolean {
    return this.#open.has(id);
  }

  waiting(): StepRow[] {
    return Array.from(this.#waiting, this.rowOf);
  }

  /** When the first wait ends, in store time; null: no wait ends by itself. */
  firstDue(): number | null {
    let first: number | null = null;
    for (const id of this.#waiting) {
      const { due_at } = this.rowOf(id);
      if (due_at !== null && (first === null || due_at < first)) first = due_at;
    }
    return first;
  }

  /** What the task waits for, as bits; unless it rests, only steps in doubt count. */
  waits(isResting: boolean): number | null {
    if (this.#waiting.size === 0) return null;
    const kinds = this.waiting().map(waitKindOf);
    return waitsOf(isResting ? kinds : kinds.filter((kind) => kind === "doubt"));
  }

  get areWaiting(): boolean {
    return this.#waiting.size > 0;
  }

  /** The earliest recorded outcome that the flow has not been given. */
  get nextUnobserved(): StepRow | undefined {
    const id = this.#unobserved[0];
    return id === undefined ? undefined : this.rowOf(id);
  }

  /** Steps whose tool or child is to be started now; in a `plan` flow only the first open step. */
  toStart(running: RunningSteps, isClaimed: boolean): StepRow[] {
    const steps: StepRow[] = [];
    if (this.isSequential && (running.size > 0 || this.#unobserved.length > 0)) return steps;
    for (const id of this.#open) {
      const step = this.rowOf(id);
      if (this.#isStartable(step, isClaimed) && !running.has(id)) steps.push(step);
      if (this.isSequential) break;
    }
    return steps;
  }

  /** A RUNNING child step has its task: a caller continues it by hand, and from the queue it runs by itself. */
  #isStartable({ id, kind, status }: StepRow, isClaimed: boolean): boolean {
    if (kind === "tool") return !this.#waiting.has(id);
    return kind === "child" && (status === "PLANNED" || !isClaimed);
  }

  /** Whether a transition can be made now, without news from outside. */
  hasWork(): boolean {
    if (this.#unobserved.length > 0) return true;
    for (const id of this.#open) {
      const { kind, status } = this.rowOf(id);
      if (kind === "tool" ? !this.#waiting.has(id) : kind === "child" && status === "PLANNED") return true;
      if (this.isSequential) return false;
    }
    return false;
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

  /** The step has an outcome. Returns its number: 1, 2, 3 … within the task. */
  end(id: string): number {
    this.giveUp(id);
    this.#unobserved.push(id);
    this.#outcomes += 1;
    return this.#outcomes;
  }

  /** Gives the step up. False: it already has an outcome, or was given up before. */
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
