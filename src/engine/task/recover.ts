// Replays a record, and returns a program at the same point. A difference is reported with both sides, and nothing is
// written.

import type { Clock } from "../../core/clock.ts";
import type { Flow } from "../../core/flow/flow.ts";
import type { Limits } from "../../core/limits.ts";
import { createProgram } from "../../core/flow/create-program.ts";
import type { Decision, Program } from "../../core/flow/program.ts";
import type { TaskRecord } from "../../core/record/record.ts";
import { isTerminal } from "../../core/record/status.ts";
import { inOneGo, inSlices } from "../process/in-slices.ts";
import { programTaskOf } from "./program-task.ts";
import { tellViolation } from "./tell-violation.ts";
import { Replay } from "./replay.ts";

export type Recovery =
  | {
      readonly kind: "ready";
      readonly program: Program;
      readonly decisionOf: Map<string, Decision>;
      /** Paths of steps whose outcome the flow no longer waits for. */
      readonly abandoned: ReadonlySet<string>;
    }
  /**
   * The flow's decisions differ from the record (`reason` shows where, with both sides), or the flow is not
   * deterministic.
   */
  | { readonly kind: "mismatch"; readonly reason: string }
  /** This process cannot continue the task, but another may (`core/flow/obstacle.ts`). */
  | { readonly kind: "obstacle"; readonly reason: string };

interface RecoveryOptions {
  /** The task is about to be reopened: steps that it gave up when it failed may be open again. */
  readonly isReopened?: boolean;
}

/** Replays in one go. `stepsMax` applies to new decisions of the flow: recorded steps stand. */
export function recover(flow: Flow, record: TaskRecord, stepsMax: number, options: RecoveryOptions = {}): Recovery {
  return inOneGo(replay(flow, record, stepsMax, options));
}

/** Replays a large task in parts. Other work gets its turn in between. */
export function recoverInSlices(
  flow: Flow,
  record: TaskRecord,
  { limits, clock }: { readonly limits: Pick<Limits, "stepsPerTask">; readonly clock: Clock },
): Recovery | Promise<Recovery> {
  return inSlices(replay(flow, record, limits.stepsPerTask), clock);
}

function* replay(
  flow: Flow,
  record: TaskRecord,
  stepsMax: number,
  { isReopened = false }: RecoveryOptions = {},
): Generator<undefined, Recovery> {
  const { task } = record;
  const program = createProgram(flow, programTaskOf(task, Math.max(stepsMax, record.steps.length)));
  const comparison = new Replay(program, record);
  const { decisionOf, abandoned } = comparison;
  const ready: Recovery = { kind: "ready", program, decisionOf, abandoned };
  const otherForm = differenceOfForm(flow, record);
  if (otherForm !== undefined) return { kind: "mismatch", reason: mismatch(flow, record, otherForm) };
  // a `run` flow makes its first decisions when the task starts
  if (task.status === "PLANNED" && flow.body.form === "run") return ready;
  const difference = yield* comparison.run();
  if (program.obstacle !== undefined) return { kind: "obstacle", reason: program.obstacle };
  if (program.violation) return { kind: "mismatch", reason: tellViolation(program, record) };
  const hasEnded = isTerminal(task.status);
  const told =
    difference ??
    (isReopened
      ? undefined
      : (comparison.compareOpen() ?? (hasEnded ? undefined : comparison.compareGoingOn()) ?? comparison.compareTags()));
  return told === undefined ? ready : { kind: "mismatch", reason: mismatch(flow, record, told) };
}

/** With the matching hint: the remedy for an edited flow does not help with a flow that is not deterministic. */
function mismatch(flow: Flow, { task }: TaskRecord, difference: string): string {
  const told = `Replay does not match the record: flow ${flow.name}`;
  const putBack =
    "Put the flow's former code back and resume the task, or continue with the new code in a new task (fork-task).";
  // built-in flows have no code of their own
  if (task.flow_code === null || flow.code === undefined) {
    return `${told} has changed, or is not deterministic: ${difference}. ${putBack} If its code is the same: ${MEND}`;
  }
  if (task.flow_code !== flow.code) return `${told} has changed: ${difference}. ${putBack}`;
  return `${told} is not deterministic: ${difference}. Its files are those that the record was made with, so it differs between two runs of the same code. ${MEND}`;
}

/** Names the likely cause and the remedy. */
export const MEND =
  "Look for what it decides by besides its input and outcomes: an id or a time that is made when its file is loaded, a variable that it changes, process.env, a package that was updated. Mend that so that it decides as is recorded, then run resume-task; or end the task with cancel-task --force.";

/** The steps of a plan are recorded with its task, those of a `run` flow when it decides them. */
function differenceOfForm({ body }: Flow, { task, steps }: TaskRecord): string | undefined {
  if (body.form === "plan") {
    const isRun = steps.some((step) => step.created_at > task.created_at);
    return isRun ? "it decided its steps one by one (`run`), now it has a `plan`" : undefined;
  }
  const isPlan = task.status === "PLANNED" && steps.length > 0;
  return isPlan ? "it had a `plan` when the task was created, now it decides its steps one by one (`run`)" : undefined;
}
