// Decides which steps of one task are started in this process, when, and what has to be durable before. `step-work.ts`
// runs them.
//
// R1. No effect before its decision: before a tool that is not pure starts, and before a child is created, the task is
//     leased to this process, and the decision that leads to the effect is durable: the step's row with its input and
//     its guarantee, and all that it follows from (outcomes, when the flow was given them, a cancel, that the flow has
//     begun). So any process that has only the record comes to this same step again, and notices if the flow's code has
//     changed. The start of an at-most-once tool is durable before it, too.
// R2. If the last process died with the task, each tool's start is durable before it: so it is known which tool kills
//     its process. The tool's end is written at once, whatever runs beside it: from then on it is not a suspect.

import { hasCode } from "../../core/errors.ts";
import type { StepRow } from "../../core/record/record.ts";
import { storeError } from "../../core/record/stored-error.ts";
import { pauseLine, type PauseRow } from "../../store/store.ts";
import type { DriverTools } from "./driver-tools.ts";
import { heldBack } from "./held-back.ts";
import type { InboxReader } from "./inbox-reader.ts";
import { isParked } from "./is-parked.ts";
import { openCall } from "./open-call.ts";
import { StepTickets } from "./step-tickets.ts";
import { StepWork } from "./step-work.ts";
import { Suspects } from "./suspects.ts";
import { reasonOfSize } from "./task-size.ts";
import type { TaskState } from "./task-state.ts";
import type { TaskWriter } from "./task-writer.ts";

/** How often the inbox is read while tools run: a signal or a cancel from another process is seen by then. */
const POLL_MS = 500;

/** A safety net: whoever ends the pause of a tool tells the tasks that wait for it. */
const ASK_AGAIN_MS = 600_000;

/** The inbox is not read more often than this, however much is due. */
const POLL_MIN_MS = 10;

export class StepRunner {
  /** R2; undefined: the last process did not die with the task. */
  readonly #suspects: Suspects | undefined;
  readonly #work: StepWork;
  readonly #tickets: StepTickets;
  #onEvent: (() => void) | undefined;
  /** The steps that are started next. */
  #ready: readonly StepRow[] = NONE;
  /** Everything is durable that has to be before they start (R1, R2). */
  #isWritten = false;
  /** Steps whose tools are paused. */
  #inLine: readonly StepRow[] = NONE;
  /** The pauses were read in this transition: a pause that seems active may be over. */
  #hasReadPauses = false;

  constructor(
    private readonly state: TaskState,
    private readonly writer: TaskWriter,
    private readonly inbox: InboxReader,
    private readonly tools: DriverTools,
    isOrphan: boolean,
  ) {
    this.#suspects = isOrphan ? new Suspects(state) : undefined;
    this.#tickets = new StepTickets(state, tools, () => {
      writer.listen((change) => this.#tickets.onDurable(change));
    });
    this.#work = new StepWork(state, writer, inbox, tools, (step) => this.#onEnded(step));
  }

  /** Stops tools that run here and that these pauses hold back. */
  interrupt(pauses: readonly PauseRow[]): void {
    this.#work.interrupt(pauses);
  }

  /** Wakes whoever waits for an outcome. */
  tell(): void {
    this.#onEvent?.();
  }

  /**
   * What is needed before the next steps can start, or before there is anything else to do. `isGoingOn`: steps were
   * started in this transition already; then a child that only waits is not a reason to start again. Steps that are
   * recorded as started need nothing: nobody else may start them, whatever has come since. Throws task_parked, and
   * flow_paused if the only work is held back.
   */
  needs({
    isGoingOn,
  }: {
    readonly isGoingOn: boolean;
  }): "pauses" | "line" | "tickets" | "written" | "outcome" | undefined {
    if (this.#isWritten) return undefined;
    this.#throwIfParked();
    const open = this.#stepsToStart(isGoingOn);
    this.#ready = open;
    if (open.length > 0) {
      if (!this.tools.pauses.areKnown) return "pauses";
      this.#ready = this.#free(open);
      if (this.#ready.length < open.length) {
        // a paused step beside a child that only waits is no reason to start that child again
        if (isGoingOn && !this.#ready.some(isNew)) this.#ready = NONE;
        if (!this.#hasReadPauses) return "pauses";
        this.#tickets.letGo(open.filter((step) => this.#work.findPause(step)));
        this.#inLine = open.filter((step) => this.#work.findPause(step)?.scope === "tool");
        if (this.#inLine.length > 0) return "line";
      }
    }
    if (this.#ready.length === 0) {
      if (this.mustWait) return "outcome";
      if (open.length > 0) this.#throwIfHeldBack(open);
      return undefined;
    }
    this.#throwIfTooLarge();
    this.#throwIfDeadly(this.#ready);
    if (this.#tickets.lacks(this.#ready)) return "tickets";
    return this.#mustWrite(this.#ready) ? "written" : undefined;
  }

  /** Steps whose tools have limits get their tickets, or wait for them. Throws what the store throws. */
  async takeTickets(): Promise<void> {
    const steps = this.#ready;
    this.#ready = NONE;
    if (this.state.isUnborn) await this.writer.settle(); // the store gives tickets only to tasks that it has
    await this.#tickets.take(steps);
  }

  /** R1, R2. Makes durable what leads to the steps that are about to start. Throws what the store throws. */
  async write(): Promise<void> {
    const { state } = this;
    const steps = this.#ready;
    if (!state.isClaimed) {
      await this.tools.lease.hold();
      // the task goes into the queue, for a successor if this process dies
      await this.tools.storeClock.recent();
    }
    // the step says when a child is due
    if (steps.some((step) => step.kind === "child")) await this.tools.storeClock.read();
    this.#mark(steps);
    await this.writer.settle();
    this.#isWritten = true;
  }

  /** A new transition begins. */
  begin(): void {
    this.#hasReadPauses = false;
  }

  /**
   * Reads the pauses. Throws what the store throws, but only after the work done here is written, however long that
   * takes.
   */
  async readPauses(): Promise<void> {
    const { pauses, clock } = this.tools;
    try {
      await (pauses.areKnown ? pauses.read() : pauses.know());
      this.#hasReadPauses = true;
    } catch (error) {
      if (!hasCode(error, "database_unavailable")) throw error;
      await this.writer.settle();
      // running work continues, and the check is repeated later
      if (this.state.running.size > 0) await clock.sleep(POLL_MS);
      else await pauses.know();
    }
  }

  /**
   * TK5 (`limit-store.ts`): steps whose tools are paused wait until the pause is over. Throws what the store throws.
   */
  async waitInLine(): Promise<void> {
    const { state, tools } = this;
    const steps = this.#inLine;
    this.#inLine = this.#ready = NONE;
    await this.writer.settle(); // the work done here, and the task itself if it is new
    for (const step of steps) {
      if (!state.isOpen(step.id)) continue;
      const line = pauseLine(state.decisions.tool(step).name);
      const isHeld = await tools.pauses.waitInLine(line, { taskId: step.task_id, stepId: step.id });
      if (!state.isOpen(step.id)) continue;
      if (isHeld) state.steps.waitForTicket(step, line, (await tools.storeClock.recent()) + ASK_AGAIN_MS);
      else this.#hasReadPauses = false; // the pause is over by now
    }
  }

  /** Whether steps are recorded as started, but have not started yet. */
  get isWritten(): boolean {
    return this.#isWritten;
  }

  /** Starts the steps that need nothing more. False: there are none. */
  start(): boolean {
    const steps = this.#ready;
    if (steps.length === 0) return false;
    this.#ready = NONE;
    if (!this.#isWritten) this.#mark(steps);
    this.#isWritten = false;
    for (const { id } of steps) this.#work.start(this.state.step(id));
    return true;
  }

  #stepsToStart(isGoingOn: boolean): readonly StepRow[] {
    const { state } = this;
    const open = state.stepsToStart();
    if (open.length === 0 || (isGoingOn && (state.nextUnobserved || !open.some(isNew)))) return NONE;
    let areReused = false;
    for (const step of open) if (step.kind === "tool" && this.#reuseCall(step)) areReused = true;
    return areReused ? state.stepsToStart() : open;
  }

  /** Without paused steps. A child that exists already may continue. */
  #free(open: readonly StepRow[]): readonly StepRow[] {
    return open.filter((step) => this.#work.findPause(step) === undefined);
  }

  /** An outcome that the flow has not been given yet comes first. */
  #throwIfHeldBack(open: readonly StepRow[]): void {
    const { state } = this;
    const held = open.find((step) => this.#work.findPause(step) !== undefined);
    const pause = held && this.#work.findPause(held);
    if (pause && !state.nextUnobserved) throw heldBack(state.task.id, pause);
  }

  /** Whether there is nothing to do but wait for running work. */
  get mustWait(): boolean {
    const { state } = this;
    if (state.nextUnobserved || state.isEnded) return false;
    return state.isCancelling ? state.running.isStopping : state.running.size > 0;
  }

  /** Waits for an outcome here, for news from outside, or for the time of the next look. Throws task_parked. */
  async awaitOutcome(): Promise<void> {
    const { state, inbox } = this;
    const event = Promise.withResolvers<void>();
    this.#onEvent = event.resolve;
    const stop = new AbortController();
    const tick = this.tools.clock.sleep(this.#pauseMs(), stop.signal).then(
      () => this.#onTick(),
      () => {}, // the event came first
    );
    await Promise.race([event.promise, tick]);
    stop.abort();
    this.#onEvent = undefined;
    if (this.writer.failure !== undefined) throw this.writer.failure;
    this.#throwIfParked();
    if (inbox.isWoken && !state.nextUnobserved) await this.#hearBesideTools();
  }

  /** During an outage of the database, running work continues: the inbox can wait for the next look. */
  async #hearBesideTools(): Promise<void> {
    try {
      if (this.state.isUnborn) await this.writer.settle();
      await this.inbox.collect();
    } catch (error) {
      if (!hasCode(error, "database_unavailable") || this.state.running.size === 0) throw error;
      this.inbox.wake();
    }
  }

  /**
   * Continues the children that the task waits for, unless they are in the queue and run by themselves. False: there
   * are none.
   */
  followChildren(): boolean {
    const { state } = this;
    if (state.isClaimed) return false;
    const children = state.openSteps().filter((step) => step.kind === "child");
    for (const step of children) if (!state.running.has(step.id)) this.#work.start(step);
    return children.length > 0;
  }

  /** Time until the next wait is due, within the bounds of the poll: a sleep beside a tool ends on time. */
  #pauseMs(): number {
    const due = this.inbox.nextDue(({ id }) => this.#work.childDue(id) ?? undefined);
    const left = due === undefined ? POLL_MS : due - this.state.storeTime() + 1;
    return Math.max(POLL_MIN_MS, Math.min(POLL_MS, left));
  }

  /** Waiting children continue beside their parent's tools, and work that takes time is visible to others. */
  #onTick(): void {
    const { state } = this;
    this.writer.writeSoon({ evenUnborn: true });
    this.inbox.wake();
    this.tools.pauses.keep();
    if (state.isClaimed) return;
    for (const step of state.waitingSteps()) {
      const { id } = step;
      const due = this.#work.childDue(id);
      const isDue = due !== undefined && (due === null || due <= state.storeTime());
      if (isDue && !state.running.has(id)) this.#work.start(step);
    }
  }

  /** A call that is recorded as ended is never made again: its row has the outcome. False: the call is to be made. */
  #reuseCall(step: StepRow): boolean {
    const { state } = this;
    const call = state.callOf(step);
    if (call?.status === "RUNNING" && state.decisions.tool(step).execution === "at-most-once") {
      const reason = new Error("The process that called the tool did not record what came of it.");
      this.#work.doubt(step, storeError(reason));
    } else if (call?.status === "COMPLETED" && call.response_payload !== null) {
      state.steps.recordOutcome(step, { status: "COMPLETED", output_payload: call.response_payload });
    } else if (call?.status === "FAILED" && call.error !== null) {
      state.steps.recordOutcome(step, { status: "FAILED", error: call.error });
    } else return false;
    return true;
  }

  /** Whether the task is leased while this step runs here. */
  #isHeld(step: StepRow): boolean {
    if (step.kind === "child") return true;
    const { execution, limits } = this.state.decisions.tool(step);
    // a ticket blocks others, so its holder must be visible
    return execution !== "pure" || limits !== undefined;
  }

  /** R1, R2. For a claimed task, everything may be durable already: the steps of a plan are, since its creation. */
  #mustWrite(steps: readonly StepRow[]): boolean {
    const { state } = this;
    if (this.#suspects) return true;
    if (!steps.some((step) => this.#isHeld(step))) return false;
    if (!state.isClaimed || state.decidedVersion > this.writer.durableVersion) return true;
    return steps.some((step) => step.kind === "child" || state.decisions.tool(step).execution === "at-most-once");
  }

  /** Records that these steps are about to run here. If the record is not needed, nothing is written. */
  #mark(steps: readonly StepRow[]): void {
    const { state } = this;
    if (!this.#suspects && !steps.some((step) => this.#isHeld(step))) return;
    this.#suspects?.noteStarting(steps.filter((step) => !this.#isHeld(step)));
    const now = state.now();
    for (const step of steps) {
      const isHeld = this.#isHeld(step);
      if (isHeld) state.hold(step.id);
      // a step of kind child is not RUNNING before its task exists
      if (step.kind === "child" || (!isHeld && !this.#suspects)) continue;
      const call = state.callOf(step)
        ? undefined
        : openCall(state.lastCallOf(step), step, state.decisions.tool(step), now);
      state.steps.noteStart(step, this.#suspects?.startsOf(step) ?? 1, call);
    }
    state.touch();
  }

  #throwIfParked(): void {
    const { parkedReason, task } = this.state;
    if (parkedReason === undefined) return;
    this.writer.writeSoon();
    throw isParked(task.id, parkedReason);
  }

  #throwIfTooLarge(): void {
    const reason = reasonOfSize(this.state, [], this.tools.limits.taskBytes);
    if (reason === undefined) return;
    this.state.park(reason, { forAll: true });
    this.#throwIfParked();
  }

  /** R2. A tool that kills its process does not get another process. */
  #throwIfDeadly(steps: readonly StepRow[]): void {
    const { deaths } = this.tools.limits;
    const step = steps.find(({ id, starts }) => this.#suspects?.has(id) === true && starts >= deaths);
    if (!step) return;
    this.state.park(
      `The processes that ran step ${step.step_index} (${step.step_name}) died ${deaths} times in a row while it ran. Fix its tool, then resume the task with resume-task.`,
    );
    this.#throwIfParked();
  }

  /** R2. A process that releases the task has not died with it. */
  clearSuspects(): void {
    for (const id of this.#suspects?.ids() ?? []) this.state.steps.clearStarts(id);
  }

  /** The driver has given up: nothing more becomes durable here. */
  onFailed(reason: Error): void {
    // a process that leaves does not wait for its tools: its steps keep their places until others take them over
    if (!hasCode(reason, "shutting_down")) this.#tickets.abandon();
  }

  /** A step that ran here has an outcome, or waits. */
  #onEnded(step: StepRow): void {
    const { state, writer } = this;
    this.#tickets.onEnded(step);
    this.#suspects?.delete(step.id); // its process lives: later attempts are counted anew
    const isAwaited = this.#onEvent !== undefined;
    if (this.#suspects || (!isAwaited && (step.kind === "child" || !state.isClaimed))) writer.writeSoon();
    this.#onEvent?.();
  }
}

const NONE: readonly StepRow[] = [];

/** Not a child that exists and is only continued. */
function isNew({ kind, status }: StepRow): boolean {
  return kind === "tool" || status === "PLANNED";
}
