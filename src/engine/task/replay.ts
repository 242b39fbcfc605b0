// Replay: a new program gets the recorded outcomes one after the other, and each decision is compared with the record:
// the steps that it plans, in their order, and the steps that it gives up.
//
// Y1. The replay plans exactly the steps of the record, with the same path, kind, name, target and input.
// Y2. A step that is open in the record is open in the replay, and the replay has given up every CANCELLED step. A step
//     with an outcome may be either: its outcome was recorded before the flow observed it. A CANCELLED step with a
//     number among the outcomes had not begun and held back a group that had failed (G5): it does so in the replay, too.

import { canonicalJson } from "../../core/record/json.ts";
import type { Decision, Observed, Program, Turn } from "../../core/flow/program.ts";
import type { StepRow, TaskRow } from "../../core/record/record.ts";
import { isStepOpen } from "../../core/record/status.ts";
import { readTags, toTagsText } from "../../core/record/tags.ts";
import { toStoredError } from "../../core/record/stored-error.ts";
import { tellBoth, tellDecision, tellEnd, tellRecorded, tellStep, tellError } from "./tell-decision.ts";

/** What a replay needs to know about a task. */
export interface Recorded {
  readonly task: Pick<TaskRow, "observed_count" | "cancelled_after" | "cancelled_at"> &
    Partial<Pick<TaskRow, "tags" | "given_tags">>;
  /** By step_index. */
  readonly steps: readonly StepRow[];
}

export class Replay {
  /** By the id of the step. */
  readonly decisionOf = new Map<string, Decision>();
  /** Paths of steps whose outcome the flow no longer waits for. */
  readonly abandoned = new Set<string>();
  #planned = 0;

  constructor(
    private readonly program: Program,
    private readonly record: Recorded,
  ) {}

  /**
   * Yields after each observation. Returns the first difference as a sentence about the flow (Y1); undefined: there is
   * none.
   */
  *run(): Generator<undefined, string | undefined> {
    const { program, record } = this;
    const { task, steps } = record;
    const observed = task.observed_count === 0 ? [] : observedOf(record);
    try {
      let difference = this.#compare(program.start());
      for (let count = 0; difference === undefined; count++) {
        if (task.cancelled_after === count) difference = this.#compare(program.cancel(task.cancelled_at ?? 0));
        const step = observed[count];
        if (!step || difference !== undefined) break;
        if (program.end) return tellEndBefore(program, step);
        if (step.step_index > this.#planned) return this.#tellMissing(step);
        if (this.#isNotHeld(step)) return this.#tellNotGivenUp(step);
        difference = this.#compare(program.observe(step.path, outcomeOf(step), step.observed_at ?? 0));
        yield;
      }
      const missing = steps[this.#planned];
      return difference ?? (missing && this.#tellMissing(missing));
    } catch (error) {
      const next = steps[this.#planned];
      return next ? `${tellError(toStoredError(error))} where ${tellRecorded(next)}` : tellError(toStoredError(error));
    }
  }

  /** Call it after the replay. Returns the first difference in the open steps, as a sentence about the flow (Y2). */
  compareOpen(): string | undefined {
    for (const step of this.record.steps) {
      const isGivenUp = this.abandoned.has(step.path);
      // one that is held is given up as soon as nothing beside it works
      if (step.status === "CANCELLED" && step.outcome_seq === null && !isGivenUp) return this.#tellNotGivenUp(step);
      if (!isStepOpen(step.status)) continue;
      if (isGivenUp) return `${tellPlace(step)} was recorded as open, now it gives that step up`;
      if (this.program.end) return `${tellPlace(step)} was recorded as open, now ${tellEnd(this.program)}`;
    }
    return undefined;
  }

  /**
   * Call it after the replay of a task that has not ended. Its flow still waited when its last outcomes came: a flow
   * that has ended by then was changed. Returns that as a sentence about the flow.
   */
  compareGoingOn(): string | undefined {
    const { program, record } = this;
    if (!program.end) return undefined;
    const next = record.steps.find(({ outcome_seq }) => (outcome_seq ?? 0) > record.task.observed_count);
    return next && tellEndBefore(program, next);
  }

  /**
   * Call it after the replay. Checks that the flow has set the recorded tags; otherwise returns a sentence about the
   * flow.
   */
  compareTags(): string | undefined {
    const { tags = null, given_tags = null } = this.record.task;
    const { tags: now } = this.program;
    if (now === undefined && given_tags === null) return undefined;
    const decided = now === undefined ? toTagsText(readTags(given_tags)) : toTagsText(now);
    if (decided === tags) return undefined;
    return `it was recorded to have set the tags ${tags ?? "{}"}, now they are ${decided ?? "{}"}`;
  }

  /** Otherwise the flow would wait for it for ever: its outcome never comes. */
  #isNotHeld({ status, path }: StepRow): boolean {
    return status === "CANCELLED" && !this.abandoned.has(path) && !this.program.holdingBack().has(path);
  }

  #tellNotGivenUp(step: StepRow): string {
    return `${tellPlace(step)} was recorded as given up, now it waits for that step`;
  }

  #tellMissing(step: StepRow): string {
    return tellMissing(step, this.program);
  }

  #compare(turn: Turn): string | undefined {
    for (const path of turn.abandoned) this.abandoned.add(path);
    for (const decision of turn.planned) {
      const step = this.record.steps[this.#planned++];
      if (!step) return `it plans step ${this.#planned}, ${tellDecision(decision)}, which was never recorded`;
      const difference = differenceOf(step, decision);
      if (difference !== undefined) return difference;
      this.decisionOf.set(step.id, decision);
    }
    return undefined;
  }
}

function tellEndBefore(program: Program, step: StepRow): string {
  return `${tellEnd(program)} before the outcome of step ${step.step_index}, ${tellStep(step)}, which was recorded`;
}

function tellPlace(step: StepRow): string {
  return `step ${step.step_index}, ${tellStep(step)},`;
}

export function outcomeOf(step: StepRow): Observed {
  if (step.output_payload !== null) return { kind: "completed", output: step.output_payload };
  if (step.error !== null) return { kind: "failed", error: step.error };
  if (step.status === "CANCELLED") return { kind: "held" };
  throw new Error(`Step ${step.id} of task ${step.task_id} has no outcome.`);
}

/** In the order in which the flow was given their outcomes. */
function observedOf({ task, steps }: Recorded): readonly StepRow[] {
  return steps
    .filter((step) => step.outcome_seq !== null && step.outcome_seq <= task.observed_count)
    .toSorted((a, b) => (a.outcome_seq ?? 0) - (b.outcome_seq ?? 0));
}

/** Shows both sides in a sentence about the flow; undefined: they are equal. */
export function differenceOf(step: StepRow, decision: Decision): string | undefined {
  if (isSame(step, decision)) return undefined;
  const [recorded, now] = tellBoth(step.input_payload, decision.input);
  return `${tellRecorded(step, recorded)}, now it decides ${tellDecision(decision, now)}`;
}

/** For a recorded step that the flow does not plan. */
export function tellMissing(step: StepRow, program: Program): string {
  if (program.end) return `${tellEnd(program)} where ${tellRecorded(step)}`;
  return `it does not plan step ${step.step_index}, recorded as ${tellStep(step)}`;
}

function isSame(step: StepRow, decision: Decision): boolean {
  return (
    step.path === decision.path &&
    step.kind === decision.kind &&
    step.step_name === decision.name &&
    step.target === decision.target &&
    (step.input_payload === decision.input || canonicalJson(step.input_payload) === canonicalJson(decision.input))
  );
}
