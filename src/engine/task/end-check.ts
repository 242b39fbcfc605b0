// Checks a flow again before its end is written: a new program gets the whole record, and has to make the same
// decisions and come to the same end. This finds what no guard can block: module variables that a flow changes,
// promises that it starts, getters that count.

import type { Clock } from "../../core/clock.ts";
import { canonicalJson } from "../../core/record/json.ts";
import type { Program, ProgramEnd, Turn } from "../../core/flow/program.ts";
import type { JsonText, StepRow } from "../../core/record/record.ts";
import { isStepOpen } from "../../core/record/status.ts";
import { readError, type StoredError } from "../../core/record/stored-error.ts";
import { ObstacleError } from "./driver-tools.ts";
import { inSlices } from "../process/in-slices.ts";
import { MEND } from "./recover.ts";
import { retagged } from "./program-task.ts";
import { tellViolation } from "./tell-violation.ts";
import { Replay, type Recorded } from "./replay.ts";
import { tellBoth, tellEnd } from "./tell-decision.ts";

/** What a flow was told and has decided, before it is recorded. */
export interface Told {
  readonly turn: Turn;
  /** The step whose outcome the flow was given; undefined for a cancel; unset if the flow was only started. */
  readonly heard?: { readonly step: StepRow | undefined; readonly at: number };
}

/**
 * Why the end must not be written; undefined if everything is the same. `told` led to the end and is not recorded yet.
 * Throws ObstacleError.
 */
export function checkEnd(
  program: Program,
  recorded: Recorded,
  told: Told | undefined,
  clock: Clock,
): undefined | string | Promise<undefined | string> {
  const again = program.again();
  const record = told ? asRecorded(recorded, told) : recorded;
  return inSlices(compare(program, again, record), clock);
}

function* compare(program: Program, again: Program, record: Recorded): Generator<undefined, string | undefined> {
  const replay = new Replay(again, record);
  const difference =
    (yield* replay.run()) ??
    replay.compareOpen() ??
    replay.compareTags() ??
    differenceOfEnds(program, again, record.task.cancelled_after !== null);
  if (again.obstacle !== undefined) throw new ObstacleError(again.obstacle);
  if (again.violation) return tellViolation(again, record);
  if (difference === undefined) return undefined;
  return `Flow ${program.flow.name} is not deterministic. It has ended, and was run again from its record before that was written: ${difference}. ${MEND}`;
}

/** A cancelled flow ends CANCELLED, whatever it returns. */
function differenceOfEnds(program: Program, again: Program, isCancelled: boolean): string | undefined {
  const was = program.end;
  const is = again.end;
  if (!is) return `${tellEnd(program)}, now it goes on`;
  if (isCancelled || !was) return undefined;
  const [one, other] = [textOf(was), textOf(is)];
  if (was.kind === is.kind && (one === other || canonicalJson(one) === canonicalJson(other))) return undefined;
  const [shownOne, shownOther] = tellBoth(one, other);
  return `${tellEnd(program, shownOne)}, now ${tellEnd(again, shownOther)}`;
}

/**
 * The part of an end that is compared. The place of an error is for people: a stack overflow may happen in different
 * places.
 */
function textOf(end: ProgramEnd): JsonText {
  return end.kind === "completed" ? end.output : JSON.stringify(withoutPlaces(readError(end.error)));
}

function withoutPlaces({ cause, members, ...error }: StoredError): StoredError {
  return {
    ...error,
    at: "",
    ...(cause && { cause: withoutPlaces(cause) }),
    ...(members && { members: members.map(withoutPlaces) }),
  };
}

/** The record as it will be. */
function asRecorded({ task, steps }: Recorded, { turn, heard }: Told): Recorded {
  const { observed_count } = task;
  const { tags = null, given_tags = null } = task;
  const own = turn.tags ? { ...task, ...retagged({ tags, given_tags }, turn.tags) } : task;
  const abandoned = new Set(turn.abandoned);
  return {
    task: !heard
      ? own
      : heard.step
        ? { ...own, observed_count: observed_count + 1 }
        : { ...own, cancelled_after: observed_count, cancelled_at: heard.at },
    steps: steps.map((step) => {
      if (step.id === heard?.step?.id) return { ...step, observed_at: heard.at };
      return abandoned.has(step.path) && isStepOpen(step.status) ? { ...step, status: "CANCELLED" } : step;
    }),
  };
}
