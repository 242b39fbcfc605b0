// A new task that shares the record of another one up to a step. Nothing is written here.
//
// FK1. The fork takes over the steps before it that have an outcome, in the order in which the flow observed the outcomes.
//      Everything that led to a step has an outcome and comes before it, so the shared part is complete.
// FK2. Ids and idempotency keys are the new task's own: no effect is mistaken for one of the other task.
// FK3. The values that the flow draws (random numbers, ids, its first time) have the same source as in the other task.
// FK4. The flow runs on the shared part, and must decide what is recorded. The rows of the new task are its decisions. So it
//      is a task like any other, and any process can resume it.

import { createProgram } from "../../core/flow/create-program.ts";
import type { Flow } from "../../core/flow/flow.ts";
import type { Decision, Observed, Program, Turn } from "../../core/flow/program.ts";
import { idempotencyKeyOf, stepId, toolCallId } from "../../core/record/ids.ts";
import { type Origin, readOrigin } from "../../core/record/origin.ts";
import type { JsonText, StepRow, TaskRecord, TaskRow, ToolCallRow } from "../../core/record/record.ts";
import { bytesOfStep, bytesOfText } from "../../core/record/record-size.ts";
import { toTagsText } from "../../core/record/tags.ts";
import { programTaskOf } from "../task/program-task.ts";
import { differenceOf, outcomeOf, tellMissing } from "../task/replay.ts";
import { toStepRow } from "../task/step-row.ts";
import { tellError } from "../task/tell-decision.ts";
import { tellViolation } from "../task/tell-violation.ts";
import { toStoredError } from "../../core/record/stored-error.ts";

export interface ForkPlan {
  readonly flow: Flow;
  /** The other task. */
  readonly record: TaskRecord;
  /** Before this step_index. */
  readonly from: number;
  /** Gives the output as it is recorded, where it was given for the step. Throws what the fork is refused with. */
  readonly outputOf: (step: StepRow, decision: Decision) => JsonText | undefined;
  /** The new task as it would be if nothing were shared. */
  readonly base: TaskRow;
  readonly storeNow: number;
  readonly stepsMax: number;
}

export type Fork =
  | { readonly kind: "planned"; readonly record: TaskRecord; readonly shared: number }
  /** As a sentence about the flow. */
  | { readonly kind: "refused"; readonly reason: string };

/** Yields after each outcome that the flow is given. */
export function* planFork(plan: ForkPlan): Generator<undefined, Fork> {
  const { flow, record, base, stepsMax } = plan;
  const { task } = record;
  const origin = originOf(task, plan.from);
  const row: TaskRow = { ...base, origin: JSON.stringify(origin) };
  const program = createProgram(flow, programTaskOf(row, Math.max(stepsMax, record.steps.length)));
  const rows = new ForkedRows(plan, row, program);
  rows.decide(() => program.start());
  for (const step of keptOf(record, plan.from)) {
    if (rows.difference !== undefined || program.end) break;
    rows.give(step);
    yield;
  }
  if (program.obstacle !== undefined) return { kind: "refused", reason: program.obstacle };
  if (program.violation) return { kind: "refused", reason: tellViolation(program, rows.record) };
  const difference = rows.difference ?? rows.tellMissing();
  if (difference !== undefined) return { kind: "refused", reason: difference };
  return { kind: "planned", record: rows.finish(), shared: rows.shared };
}

/** FK3: of a fork of a fork it is that of the first task. */
function originOf({ id, origin, created_at }: TaskRow, step: number): Origin {
  const before = readOrigin(origin);
  return {
    task_id: id,
    step,
    seed_id: before?.seed_id ?? id,
    began_at: before?.began_at ?? created_at,
  };
}

/**
 * FK1: those that the flow was given, in that order. What came after a cancel is left to be given again: the cancel is not
 * taken over.
 */
function keptOf({ task, steps }: TaskRecord, from: number): readonly StepRow[] {
  const until = task.cancelled_after ?? task.observed_count;
  return steps
    .filter(({ step_index, outcome_seq }) => step_index < from && outcome_seq !== null && outcome_seq <= until)
    .toSorted((one, other) => (one.outcome_seq ?? 0) - (other.outcome_seq ?? 0));
}

const STATUS_OF = { completed: "COMPLETED", failed: "FAILED", held: "CANCELLED" } as const;

interface ForkedStep {
  row: StepRow;
  /** The same step of the other task, where it stands before the fork. */
  readonly from: StepRow | undefined;
  readonly decision: Decision;
}

class ForkedRows {
  /** The first one, as a sentence about the flow. */
  difference: string | undefined;
  /** Steps that have an outcome. */
  shared = 0;
  readonly #steps: ForkedStep[] = [];
  readonly #placeOf = new Map<string, number>();
  readonly #abandoned = new Set<string>();
  #observed = 0;

  constructor(
    private readonly plan: ForkPlan,
    private readonly task: TaskRow,
    private readonly program: Program,
  ) {}

  get record(): TaskRecord {
    return { task: this.task, steps: this.#steps.map(({ row }) => row), calls: [] };
  }

  /** Lets the flow decide. */
  decide(run: () => Turn): void {
    try {
      this.#take(run());
    } catch (error) {
      this.difference ??= tellError(toStoredError(error));
    }
  }

  #take({ planned, abandoned }: Turn): void {
    const { record, from, storeNow } = this.plan;
    const { id, created_at: now } = this.task;
    for (const path of abandoned) this.#abandoned.add(path);
    for (const decision of planned) {
      const index = this.#steps.length + 1;
      const before = index < from ? record.steps[index - 1] : undefined;
      if (before) this.difference ??= differenceOf(before, decision);
      const row = toStepRow(id, decision, { index, now, storeNow });
      this.#placeOf.set(decision.path, this.#steps.length);
      this.#steps.push({ row, from: before, decision });
    }
  }

  /** Gives the flow the outcome of a step of the other task. */
  give(step: StepRow): void {
    const place = this.#placeOf.get(step.path);
    const own = place === undefined ? undefined : this.#steps[place];
    if (!own) {
      this.difference ??= tellMissing(step, this.program);
      return;
    }
    const at = step.observed_at ?? this.task.created_at;
    // the failure that kept it from beginning may be another one here, or none
    if (outcomeOf(step).kind === "held" && !this.program.holdingBack().has(step.path)) return;
    const outcome = this.#keep(own, step, at);
    this.#observed += 1;
    this.decide(() => this.program.observe(step.path, outcome, at));
  }

  /** The outcome that is taken over, or was given instead of it. */
  #keep(own: ForkedStep, step: StepRow, observed_at: number | null): Observed {
    const output = this.plan.outputOf(step, own.decision);
    const outcome: Observed = output === undefined ? outcomeOf(step) : { kind: "completed", output };
    this.shared += 1;
    own.row = {
      ...own.row,
      execution: step.execution,
      due_at: step.due_at,
      status: STATUS_OF[outcome.kind],
      output_payload: outcome.kind === "completed" ? outcome.output : null,
      error: outcome.kind === "failed" ? outcome.error : null,
      outcome_seq: this.shared,
      observed_at,
      // a step of a plan is never younger than its task
      created_at: Math.min(step.created_at, own.row.created_at),
      updated_at: step.updated_at,
    };
    return outcome;
  }

  tellMissing(): string | undefined {
    const { record, from } = this.plan;
    const missing = record.steps[this.#steps.length];
    return missing && missing.step_index < from ? tellMissing(missing, this.program) : undefined;
  }

  finish(): TaskRecord {
    this.#keepUnobserved();
    for (const own of this.#steps) {
      if (own.row.outcome_seq === null && this.#abandoned.has(own.row.path))
        own.row = { ...own.row, status: "CANCELLED" };
    }
    const steps = this.#steps.map(({ row }) => row);
    return { task: this.#finishTask(steps), steps, calls: this.#calls() };
  }

  /** Outcomes that the flow is yet to be given: recorded but not observed, after a cancel, or given for a step without one. */
  #keepUnobserved(): void {
    const left = this.#steps
      .filter(({ row, from }) => from && row.outcome_seq === null)
      .toSorted((one, other) => (one.from?.outcome_seq ?? Infinity) - (other.from?.outcome_seq ?? Infinity));
    for (const own of left) {
      const step = own.from as StepRow;
      const output = this.plan.outputOf(step, own.decision);
      const isKept = step.outcome_seq !== null && step.status !== "CANCELLED";
      if (isKept || output !== undefined) this.#keep(own, step, null);
    }
  }

  #finishTask(steps: readonly StepRow[]): TaskRow {
    const { tags } = this.program;
    const before = this.task.tags;
    const ended = steps.filter(({ outcome_seq }) => outcome_seq !== null);
    // one that shares nothing begins like any other
    const isBegun = this.program.isSequential ? this.shared > 0 : steps.length > 0;
    const bytes = steps.reduce(
      (sum, step) => sum + bytesOfStep(step) + bytesOfText(step.output_payload ?? step.error ?? ""),
      bytesOfText(this.task.input_payload) + bytesOfText(before ?? ""),
    );
    return {
      ...this.task,
      ...(isBegun && tags && { tags: toTagsText(tags), given_tags: before ?? "{}" }),
      status: isBegun ? "RUNNING" : "PLANNED",
      current_step: Math.max(0, ...ended.map(({ step_index }) => step_index)),
      observed_count: this.#observed,
      recorded_bytes: bytes,
      // by the clock of whoever told the flow of them, which may be ahead: its time goes on from there
      updated_at: Math.max(this.task.updated_at, ...steps.map(({ observed_at }) => observed_at ?? 0)),
    };
  }

  /** FK2. Of the steps whose outcomes are the other task's. */
  #calls(): readonly ToolCallRow[] {
    const taskId = this.task.id;
    const callOf = new Map(this.plan.record.calls.map((call) => [call.task_step_id, call]));
    return this.#steps.flatMap(({ row, from, decision }): ToolCallRow[] => {
      const call = from && callOf.get(from.id);
      if (!call || call.status === "RUNNING" || row.outcome_seq === null) return [];
      if (this.plan.outputOf(from, decision) !== undefined) return [];
      const id = stepId(taskId, row.path);
      const idempotency_key = idempotencyKeyOf({ taskId, stepId: id, tool: call.tool_name });
      return [{ ...call, id: toolCallId(id), task_id: taskId, task_step_id: id, idempotency_key, attempt_epoch: 0 }];
    });
  }
}
