// The transitions of one task, without I/O. `advance` makes the next one, or says what it needs first; the driver
// supplies that and asks again.
//
// D1. Transitions are made in memory, ahead of the store. They are reported once they are durable, also in the log: a
//     driver that loses the task has changed nothing.
// D2. What the flow was told, what it decided, and the resulting state are recorded in one step: a write in between
//     would record half a transition, which no replay could match. Until then nothing of it is in the record
//     (`Conclusion`).
// D3. A transition that needs nothing is made at once, without a turn of the event loop.
// D4. Before an end is recorded, a new program gets the whole record and comes to the same end (`end-check.ts`).

import type { Program } from "../../core/flow/program.ts";
import type { StepRow } from "../../core/record/record.ts";
import { FlowViolationError, ObstacleError, type DriverTools } from "./driver-tools.ts";
import type { InboxReader } from "./inbox-reader.ts";
import { reasonOfExpiry } from "./expire.ts";
import { outcomeOf } from "./replay.ts";
import { checkEnd, type Told } from "./end-check.ts";
import type { StepRunner } from "./step-runner.ts";
import { reasonOfSize } from "./task-size.ts";
import type { TaskState } from "./task-state.ts";
import { tellViolation } from "./tell-violation.ts";

/** What a transition needs from outside the process's memory, or outside this turn of the event loop. */
export type Need =
  /** Read what outsiders have left for the task. */
  | "inbox"
  /** Ask for the store's time: waits that the flow has planned begin then. */
  | "store-time"
  /** The flow is long, and is checked again in slices (D4). */
  | "end-check"
  /** Get tickets for steps whose tools have limits, or wait for them. */
  | "tickets"
  /** Read the pauses. */
  | "pauses"
  /** Steps whose tools are paused wait until the pause is over. */
  | "line"
  /** Make durable what leads to an effect (step-runner's R1). */
  | "written"
  /** Wait until something that runs here ends, or something comes from outside. */
  | "outcome";

/** The result: a transition was made; or there is none to make, because the task has ended or only waits. */
export type Result = "moved" | "rests";

/** D2: what is not recorded yet. */
interface Conclusion {
  /** Undefined if the flow had ended before. */
  readonly told: Told | undefined;
  readonly isBegin: boolean;
  readonly isTimed: boolean;
  /** D4. */
  mustCheckEnd: boolean;
  checking: Promise<string | undefined> | undefined;
  storeNow: number | undefined;
}

/** One task that is driven here. */
interface TaskParts {
  readonly state: TaskState;
  readonly program: Program;
  readonly inbox: InboxReader;
  readonly steps: StepRunner;
  readonly tools: Pick<DriverTools, "clock" | "limits">;
  /** D4 for a plan: the engine derives its end from its outputs, and a resumed plan was made twice already. */
  readonly mustCheckEnd: boolean;
}

export class Transitions {
  #conclusion: Conclusion | undefined;
  // what was done for this transition so far
  #hasRead = false;
  #hasStarted = false;
  #hasWaited = false;
  #hasFollowed = false;

  constructor(private readonly parts: TaskParts) {}

  /** The next transition starts again, whatever happened to the last one: it may have failed half-way. */
  begin(): Need | Result {
    this.#hasRead = this.#hasStarted = this.#hasWaited = this.#hasFollowed = false;
    this.parts.steps.begin();
    return this.advance();
  }

  /**
   * Makes the next transition, or returns what has to be supplied before `advance` is called again. Throws
   * FlowViolationError, task_parked, and the failure of a write.
   */
  advance(): Need | Result {
    for (;;) {
      this.#leaveLines();
      const need = this.#needs();
      if (need !== undefined) return need;
      const result = this.#move();
      if (result !== "part") return result;
    }
  }

  /** Supplies what the last `advance` asked for; `storeNow` if it was the store's time. */
  supplied(need: Need, storeNow?: number): void {
    if (need === "inbox") this.#hasRead = true;
    else if (need === "outcome") this.#hasWaited = true;
    else if (need === "store-time" && this.#conclusion) this.#conclusion.storeNow = storeNow;
  }

  /** Resolves when the flow was checked again. Throws FlowViolationError if it has come to another result. */
  async endChecked(): Promise<void> {
    const conclusion = this.#conclusion;
    const difference = await conclusion?.checking;
    if (conclusion) conclusion.checking = undefined;
    throwIfDifferent(difference);
  }

  #needs(): Need | undefined {
    const { state, inbox } = this.parts;
    if (this.#conclusion) {
      if (this.#conclusion.checking) return "end-check";
      return this.#conclusion.isTimed && this.#conclusion.storeNow === undefined ? "store-time" : undefined;
    }
    switch (state.status) {
      case "PLANNED":
        // which also asks for the store's time, if it may be too late to begin
        return (inbox.isWoken || state.task.expires_at !== null) && !this.#hasRead ? "inbox" : undefined;
      case "RUNNING":
        return this.#needsToWork();
      case "WAITING_OBSERVATION":
        return this.#needsToObserve();
      case "COMPLETED":
      case "FAILED":
      case "CANCELLED":
        return undefined;
    }
  }

  #needsToWork(): Need | undefined {
    const { inbox, steps } = this.parts;
    if (!steps.isWritten && inbox.isWoken && !this.#hasRead && !this.#hasWaited) return "inbox";
    if (this.#isFlowAtWork) return steps.needs({ isGoingOn: this.#hasStarted });
    // a cancel came while tools ran: it is handled when they have ended
    return this.#hasWaited && steps.mustWait ? "outcome" : undefined;
  }

  #needsToObserve(): Need | undefined {
    const { state, steps } = this.parts;
    if (state.nextUnobserved) return undefined;
    // steps that a cancel gives up are still ending
    if (state.isCancelling) return steps.mustWait ? "outcome" : undefined;
    if (state.flowEnd || state.hasWork()) return undefined;
    if (this.#hasFollowed && steps.mustWait) return "outcome";
    return this.#hasRead ? undefined : "inbox";
  }

  /** "part": the transition is not complete yet. */
  #move(): Result | "part" {
    if (this.#conclusion) return this.#goOn(this.#conclusion);
    switch (this.parts.state.status) {
      case "PLANNED":
        return this.#begin();
      case "RUNNING":
        return this.#work();
      case "WAITING_OBSERVATION":
        return this.#observe();
      case "COMPLETED":
      case "FAILED":
      case "CANCELLED":
        return "rests";
    }
  }

  #begin(): Result | "part" {
    const { state, program } = this.parts;
    const { expires_at: expiresAt } = state.task;
    if (state.isCancelling) state.cancelUnbegun();
    else if (expiresAt !== null && expiresAt <= state.storeTime()) state.cancelUnbegun(reasonOfExpiry(expiresAt));
    else if (program.isSequential) state.move("RUNNING");
    else return this.#conclude({ turn: program.start() }, true);
    return "moved";
  }

  #work(): Result | "part" {
    const { state, program, steps } = this.parts;
    if (this.#isFlowAtWork && steps.start()) {
      this.#hasStarted = true;
      return "part";
    }
    const outcome = state.nextUnobserved;
    // a failed step of a plan ends it at once
    const isOver = program.isSequential && outcome?.status === "FAILED" && !state.isCancelling;
    if (isOver) return this.#conclude(this.#feed(outcome));
    if (state.flowEnd?.kind === "failed") return this.#conclude();
    state.move("WAITING_OBSERVATION");
    return "moved";
  }

  #observe(): Result | "part" {
    const { state, steps } = this.parts;
    const step = state.nextUnobserved;
    if (step) return this.#conclude(this.#feed(step));
    if (state.isCancelling) return this.#conclude(this.#cancel());
    if (state.flowEnd || state.hasWork()) return this.#conclude();
    if (!this.#hasFollowed && steps.followChildren()) {
      this.#hasFollowed = true;
      this.#hasRead = false; // their ends come through the inbox
      return "part";
    }
    // an outsider has made it due, but left nothing for it
    if (!state.stands) state.touch();
    return "rests";
  }

  get #isFlowAtWork(): boolean {
    const { state } = this.parts;
    return !state.isEnded && !state.flowEnd && !state.isCancelling;
  }

  /** Gives the flow one recorded outcome. */
  #feed(step: StepRow): Told {
    const at = this.parts.state.now();
    return { turn: this.parts.program.observe(step.path, outcomeOf(step), at), heard: { step, at } };
  }

  /** Tells the flow that it is cancelled. Steps that it plans from then on are run; then the task is CANCELLED. */
  #cancel(): Told {
    const at = this.parts.state.now();
    return { turn: this.parts.program.cancel(at), heard: { step: undefined, at } };
  }

  /** Records what the flow was told, at once if nothing is needed for it. */
  #conclude(told?: Told, isBegin = false): "moved" | "part" {
    this.#throwIfViolated();
    const isTimed = told !== undefined && told.turn.planned.some(({ kind }) => kind === "sleep" || kind === "signal");
    const mustCheckEnd = !isBegin && this.parts.program.end !== undefined && this.parts.mustCheckEnd;
    if (!isTimed && !mustCheckEnd) return this.#record(told, isBegin);
    this.#conclusion = { told, isBegin, isTimed, mustCheckEnd, checking: undefined, storeNow: undefined };
    return "part";
  }

  #goOn(conclusion: Conclusion): "moved" | "part" {
    const { told, isBegin, storeNow } = conclusion;
    if (conclusion.mustCheckEnd) {
      conclusion.mustCheckEnd = false;
      const difference = this.#checkEnd(told);
      if (difference instanceof Promise) {
        conclusion.checking = difference;
        return "part";
      }
      throwIfDifferent(difference);
    }
    // in slices: code of the flow may have run meanwhile
    if (told) this.#throwIfViolated();
    this.#conclusion = undefined;
    return this.#record(told, isBegin, storeNow);
  }

  /** Changes nothing if there is a violation, or if the record would be too large. */
  #record(told: Told | undefined, isBegin: boolean, storeNow?: number): "moved" {
    const { state } = this.parts;
    if (told) this.#takeUp(told, storeNow);
    const end = isBegin ? undefined : state.flowEnd;
    if (end) state.end(end);
    else if (isBegin || state.hasWork()) state.move("RUNNING");
    else state.stay();
    return "moved";
  }

  #checkEnd(told: Told | undefined): undefined | string | Promise<undefined | string> {
    const { program, state, tools } = this.parts;
    return checkEnd(program, state.recorded(), told, tools.clock);
  }

  /** `storeNow`: set if there are waits that begin then. */
  #takeUp({ turn, heard }: Told, storeNow: number | undefined): void {
    const { state, inbox, tools } = this.parts;
    const tooLarge = reasonOfSize(state, turn.planned, tools.limits.taskBytes);
    if (tooLarge !== undefined) throw new ObstacleError(tooLarge);
    if (heard?.step) state.noteObserved(heard.step, heard.at);
    else if (heard) state.noteCancelled(heard.at);
    state.takeUp(turn, storeNow ?? 0);
    this.#leaveLines();
    // an entry that nobody waited for when it came may still be there
    if (storeNow !== undefined && state.inbox.hasHeard) inbox.wake();
  }

  /** G5: steps that wait for a limit or a pause and have not begun do not hold back a group that has failed. */
  #leaveLines(): void {
    const { state, program } = this.parts;
    if (!state.hasWaits) return;
    const paths = program.holdingBack();
    if (paths.size === 0) return;
    for (const step of state.waitingSteps()) {
      const isBegun = step.limited_by === null || step.status !== "PLANNED";
      if (!isBegun && paths.has(step.path)) state.steps.leaveLine(step);
    }
  }

  #throwIfViolated(): void {
    const { program, state } = this.parts;
    if (program.obstacle !== undefined) throw new ObstacleError(program.obstacle);
    if (program.violation) throw new FlowViolationError(tellViolation(program, state.recorded()));
  }
}

function throwIfDifferent(difference: string | undefined): void {
  if (difference !== undefined) throw new FlowViolationError(difference);
}
