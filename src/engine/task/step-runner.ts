// Runs the steps of one task in this process: tools, and children that are created or run here. What comes of them goes
// into the task's state.
//
// R1. No effect before its decision: before a tool starts that is not pure, and before a child is created, the task is
//     leased to this process, and the decision that leads to it is durable: the step's row with its input and its
//     guarantee, and all that it follows from (outcomes, when the flow was given them, a cancel, that the flow has begun).
//     Who has only the record then comes to this very step again, whatever became of the process, and sees it where the
//     flow's code has changed. Before an at-most-once tool starts, that it does is durable too.
// R2. Where the last process died with the task, each tool's start is durable before it: so it is known which one takes
//     its process with it. And its end is written at once, whatever runs beside it: from then on it is no suspect.
// R3. A flow hears of a cancel when the tools that it gives up then have come to their end, or their time is up: what they
//     did is known by then. What a branch cleans up begins after what was given up in it. So no undo runs beside what it
//     undoes. What comes after a lost race does not wait for the losers.

import { hasCode, TaskonautError } from "../../core/errors.ts";
import type { StepRow, ToolCallRow, Writable } from "../../core/record/record.ts";
import { storeError } from "../../core/record/stored-error.ts";
import type { Tool } from "../../core/flow/tool.ts";
import { type DriverTools, ObstacleError } from "./driver-tools.ts";
import { executeTool, type ExecutionResult } from "./execute-tool.ts";
import type { InboxReader } from "./inbox-reader.ts";
import { isWait } from "./wait-events.ts";
import { openCall } from "./open-call.ts";
import { StepExecution } from "./step-execution.ts";
import type { TaskState } from "./task-state.ts";
import type { TaskWriter } from "./task-writer.ts";

/** While tools run, the inbox is looked at so often: a signal or a cancel from another process is seen by then. */
const POLL_MS = 500;

/** But not more often than this, however much is due. */
const POLL_MIN_MS = 10;

export class StepRunner {
  /** R2: ids of steps that may have run when the last process died, and have not ended since; undefined: it did not die. */
  readonly #suspects: Set<string> | undefined;
  /** None of the steps that it had recorded ran: one that it had not may have. */
  #isCauseUnknown: boolean;
  /** When a child that only waits should be run again, in store time; null: with the next look at the inbox. */
  readonly #childDue = new Map<string, number | null>();
  #onEvent: (() => void) | undefined;
  /** The steps that are started next. */
  #ready: readonly StepRow[] = NONE;
  /** Ids of steps that are yet to start, and of which all is durable that has to be (R1, R2). */
  readonly #written = new Set<string>();

  constructor(
    private readonly state: TaskState,
    private readonly writer: TaskWriter,
    private readonly inbox: InboxReader,
    private readonly tools: DriverTools,
    private readonly isOrphan: boolean,
  ) {
    const started = (): StepRow[] => {
      const open = state.openSteps().filter((step) => !isWait(step));
      return state.program.isSequential ? open.slice(0, 1) : open;
    };
    this.#suspects = isOrphan ? new Set(started().map(({ id }) => id)) : undefined;
    this.#isCauseUnknown = this.#suspects?.size === 0;
  }

  /** Whoever waits for an outcome looks again. */
  tell(): void {
    this.#onEvent?.();
  }

  /**
   * What has to come before the next steps can be started, or before there is anything else to do. `isGoingOn`: steps were
   * started in this transition already; then a child that only waits is no reason to start again. Throws task_parked.
   */
  needs({ isGoingOn }: { readonly isGoingOn: boolean }): "written" | "outcome" | undefined {
    this.throwIfParked();
    this.#ready = this.#stepsToStart(isGoingOn);
    if (this.#ready.length === 0) return this.mustWait ? "outcome" : undefined;
    const written = this.#written.size === 0 ? NONE : this.#ready.filter(({ id }) => this.#written.has(id));
    if (written.length > 0) {
      this.#ready = written;
      return undefined;
    }
    this.#throwIfTooLarge();
    this.#throwIfDeadly(this.#ready);
    return this.#mustWrite(this.#ready) ? "written" : undefined;
  }

  /** R1, R2. Makes durable what leads to the steps that are about to start. Throws what the store throws. */
  async write(): Promise<void> {
    const { state } = this;
    const steps = this.#ready;
    if (!state.isClaimed) {
      await this.tools.lease.hold();
      // the task goes into the queue, for whoever takes over if this process dies
      await this.tools.storeClock.recent();
    }
    // it says when a child is due
    if (steps.some((step) => step.kind === "child")) await this.tools.storeClock.read();
    this.#mark(steps);
    await this.writer.settle();
    for (const { id } of steps) this.#written.add(id);
  }

  /** Starts the steps for which nothing is needed any more. False: there are none. */
  start(): boolean {
    const steps = this.#ready;
    const [first] = steps;
    if (!first) return false;
    this.#ready = NONE;
    if (!this.#written.has(first.id)) this.#mark(steps);
    else for (const { id } of steps) this.#written.delete(id);
    this.#startAll(steps);
    return true;
  }

  #stepsToStart(isGoingOn: boolean): readonly StepRow[] {
    const { state } = this;
    const open = state.stepsToStart();
    if (open.length === 0 || (isGoingOn && (state.nextUnobserved || !open.some(isNew)))) return NONE;
    for (const step of open) if (step.kind === "tool" && !this.#written.has(step.id)) this.#reuseCall(step);
    return open.filter(({ id, kind }) => state.isOpen(id) && (kind === "child" || !state.waits.has(id)));
  }

  #startAll(steps: readonly StepRow[]): void {
    for (const { id, kind } of steps) {
      const step = this.state.draft.step(id);
      if (kind === "child") this.#startChild(step);
      else this.#startTool(step);
    }
  }

  /** Whether there is nothing to do but to wait for what runs here. */
  get mustWait(): boolean {
    const { state } = this;
    if (state.nextUnobserved || state.isEnded) return false;
    return state.isCancelling ? state.running.isStopping : state.running.size > 0;
  }

  /** Waits until something has come of what runs here, or from outside, or it is time to look. Throws task_parked. */
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
    this.throwIfParked();
    if (inbox.isWoken && !state.nextUnobserved) await this.#hearBesideTools();
  }

  /** While the database is away, what runs here runs on: the inbox can wait for the next look. */
  async #hearBesideTools(): Promise<void> {
    try {
      await this.inbox.collect();
    } catch (error) {
      if (!hasCode(error, "database_unavailable") || this.state.running.size === 0) throw error;
      this.inbox.isWoken = true;
    }
  }

  /** Runs the children that are waited for on, where they are not in the queue and go by themselves. False: there are none. */
  followChildren(): boolean {
    const { state } = this;
    if (state.isClaimed) return false;
    const children = state.openSteps().filter((step) => step.kind === "child");
    for (const step of children) if (!state.running.has(step.id)) this.#startChild(step);
    return children.length > 0;
  }

  throwIfParked(): void {
    const { parked, draft } = this.state;
    if (parked === undefined) return;
    this.writer.writeSoon();
    const { id } = draft.task;
    throw new TaskonautError("task_parked", `Task ${id} is parked. ${parked}`, { details: { id } });
  }

  /** Until the next wait is due, within the bounds of the poll: a sleep beside a tool ends when it is due. */
  #pauseMs(): number {
    const due = this.inbox.nextDue(({ id }) => this.#childDue.get(id) ?? undefined);
    const left = due === undefined ? POLL_MS : due - this.state.storeTime() + 1;
    return Math.max(POLL_MIN_MS, Math.min(POLL_MS, left));
  }

  /** Children that wait go on beside the tools of their parent, and what takes its time is there for others to see. */
  #onTick(): void {
    const { state } = this;
    this.writer.writeSoon();
    this.inbox.isWoken = true;
    if (state.isClaimed) return;
    for (const id of state.waits) {
      const due = this.#childDue.get(id);
      const isDue = due !== undefined && (due === null || due <= state.storeTime());
      if (isDue && !state.running.has(id)) this.#startChild(state.draft.step(id));
    }
  }

  /** A call that was recorded as ended is never made again: its row tells the outcome. */
  #reuseCall(step: StepRow): void {
    const { state } = this;
    const call = this.#callOf(step);
    if (call?.status === "RUNNING" && state.tool(step).execution === "at-most-once") {
      this.#doubt(step, storeError(new Error("The process that called the tool did not record what came of it.")));
    } else if (call) state.outcomeOfCall(step);
  }

  #doubt(step: StepRow, error: string): void {
    this.state.doubt(step, error);
    this.inbox.isWoken = true; // what came of it may have been told already
    this.writer.writeSoon(); // a person should see it, whatever runs beside it
  }

  /** The call of this step as it is now; one of an earlier epoch is another. */
  #callOf(step: StepRow): ToolCallRow | undefined {
    const call = this.state.draft.callOf(step.id);
    return call?.attempt_epoch === step.attempt_epoch ? call : undefined;
  }

  /** Whether the task is leased while this step runs here. */
  #isHeld(step: StepRow): boolean {
    return step.kind === "child" || this.state.tool(step).execution !== "pure";
  }

  /** R1, R2. Of a task that was claimed, all may be durable already: the steps of a plan are, from its creation on. */
  #mustWrite(steps: readonly StepRow[]): boolean {
    const { state } = this;
    if (this.isOrphan) return true;
    if (!steps.some((step) => this.#isHeld(step))) return false;
    if (!state.isClaimed || state.decidedVersion > this.writer.durableVersion) return true;
    return steps.some((step) => step.kind === "child" || state.tool(step).execution === "at-most-once");
  }

  /** Puts down that these steps are about to run here. Where nobody would miss it, nothing is put down. */
  #mark(steps: readonly StepRow[]): void {
    const { state } = this;
    if (!this.isOrphan && !steps.some((step) => this.#isHeld(step))) return;
    // what is started first is what ran, where that could run before it was recorded (R1)
    if (this.#isCauseUnknown) for (const step of steps) if (!this.#isHeld(step)) this.#suspects?.add(step.id);
    this.#isCauseUnknown = false;
    const now = state.now();
    for (const step of steps) {
      const { id } = step;
      const isHeld = this.#isHeld(step);
      if (isHeld) state.leased.add(id);
      // one of kind child is not RUNNING before its task is there
      if (step.kind === "child" || (!isHeld && !this.isOrphan)) continue;
      const starts = this.#suspects?.has(id) ? Math.max(step.starts, 1) + 1 : 1;
      state.draft.patchStep(id, { status: "RUNNING", starts, updated_at: now });
      if (!this.#callOf(step)) {
        state.draft.putCall(openCall(state.draft.callOf(id), step, state.tool(step), now));
      }
    }
    state.set({});
  }

  #throwIfTooLarge(): void {
    const reason = this.state.reasonToStop(this.tools.limits.taskBytes, []);
    if (reason === undefined) return;
    this.state.park(reason, { forAll: true });
    this.throwIfParked();
  }

  /** R2. A tool that takes its process with it is not given one more. */
  #throwIfDeadly(steps: readonly StepRow[]): void {
    const { deaths } = this.tools.limits;
    const step = steps.find(({ id, starts }) => this.#suspects?.has(id) && starts >= deaths);
    if (!step) return;
    this.state.park(
      `The processes that ran step ${step.step_index} (${step.step_name}) died ${deaths} times in a row while it ran. Mend its tool, and take the task up again with resume-task.`,
    );
    this.throwIfParked();
  }

  /** R2. Who lets go of the task has not died with it. */
  clearSuspects(): void {
    const { state } = this;
    for (const id of this.#suspects ?? []) {
      if (state.isOpen(id) && state.draft.step(id).starts > 0) state.draft.patchStep(id, { starts: 0 });
    }
  }

  // ---- tools

  #startTool(step: StepRow): void {
    const { state } = this;
    const tool = state.tool(step);
    const execution = new StepExecution(tool, state.draft.task.flow_name, step, this.#callOf(step)?.retry_count ?? 0);
    const before = this.#endOfBefore(step);
    const execute = (): ExecutionResult | Promise<ExecutionResult> => executeTool(execution, this.tools.execution);
    const result = before ? before.then(execute) : execute();
    if (!(result instanceof Promise)) return this.#onEnded(step.id, tool, result);
    const ended = result
      .then(async (late) => {
        if (late.outcome.kind === "later") await this.tools.storeClock.read();
        return this.#onEnded(step.id, tool, late);
      })
      .catch((error: unknown) => {
        // nobody may wait for this step for ever
        state.running.delete(step.id);
        state.leased.delete(step.id);
        this.writer.fail(error);
      });
    state.running.add(step.id, { path: step.path, abort: (reason) => execution.abort(reason), ended });
  }

  /** R3. Undefined where there is nothing to wait for. */
  #endOfBefore({ id }: StepRow): Promise<unknown> | undefined {
    const { running, decisionOf } = this.state;
    return running.endOfBefore(decisionOf.get(id)?.cleansUp);
  }

  #onEnded(id: string, tool: Tool, result: ExecutionResult): void {
    const { state, writer } = this;
    state.running.delete(id);
    this.#suspects?.delete(id); // its process lives: what comes after this attempt counts anew
    const wasLeased = state.leased.delete(id);
    const step = state.draft.step(id);
    const { outcome } = result;
    // a tool that gave up because the task is cancelled has no outcome: the flow hears of the cancel instead
    const isMoot = outcome.kind !== "completed" && state.isMoot(step);
    if (writer.failure === undefined && state.isOpen(id) && !isMoot) this.#record(step, tool, result);
    else if (writer.failure === undefined && wasLeased && !state.isEnded) state.set({}); // the lease may go now
    if (tool.execution === "at-most-once") this.#tellLate(step, outcome);
    if (this.isOrphan || (!this.#onEvent && !state.isClaimed)) writer.writeSoon();
    this.#onEvent?.();
  }

  #record(step: StepRow, tool: Tool, result: ExecutionResult): void {
    const { state } = this;
    const { outcome } = result;
    if (outcome.kind === "doubt") return this.#doubt(step, outcome.error);
    const open = this.#callOf(step);
    const call: Writable<ToolCallRow> = open
      ? { ...open }
      : openCall(state.draft.callOf(step.id), step, tool, result.startedAt);
    call.retry_count = result.retryCount;
    // what an earlier epoch left stays: a person should see why the step was opened again
    call.last_error = result.lastError ?? call.last_error;
    if (outcome.kind === "later") {
      state.draft.putCall(call);
      return state.postpone(step, state.storeTime() + outcome.waitMs);
    }
    call.started_at = result.startedAt;
    call.finished_at = result.finishedAt;
    if (outcome.kind === "completed") {
      const { output } = outcome;
      call.status = "COMPLETED";
      call.response_payload = output;
      call.error = null;
      state.draft.putCall(call);
      state.recordOutcome(step, { status: "COMPLETED", output_payload: output });
    } else {
      const { error } = outcome;
      call.status = "FAILED";
      call.response_payload = null;
      call.error = error;
      state.draft.putCall(call);
      state.recordOutcome(step, { status: "FAILED", error });
    }
  }

  /** Where the outcome cannot be recorded here any more, whoever has the task now may still want to know. */
  #tellLate(step: StepRow, outcome: ExecutionResult["outcome"]): void {
    const { onLateOutput } = this.tools;
    if (outcome.kind === "completed") this.writer.settle().catch(() => onLateOutput(step, outcome.output));
    if (outcome.kind !== "doubt") return;
    outcome.late.then((output) => (output === undefined ? undefined : onLateOutput(step, output))).catch(() => {}); // it never rejects
  }

  // ---- children

  #startChild(step: StepRow): void {
    const { state } = this;
    const flow = state.decisionOf.get(step.id)?.flow;
    if (!flow) throw new Error(`Step ${step.id} of task ${step.task_id} has no flow.`);
    const { depth, priority } = state.draft.task;
    const { children } = this.tools;
    const child = { flow, step, depth, priority, dueAt: state.storeTime() };
    const make = (): Promise<number | null> =>
      state.isClaimed ? children.create(child).then(() => null) : children.run(child);
    const before = this.#endOfBefore(step);
    const isWanted = (): boolean => state.isOpen(step.id) && this.writer.failure === undefined;
    const made = before ? before.then(() => (isWanted() ? make() : null)) : make();
    const ended = made.then(
      (due) => this.#onChildPaused(step.id, undefined, due),
      (error: unknown) => this.#onChildPaused(step.id, error),
    );
    state.running.add(step.id, { path: step.path, abort: undefined, ended });
  }

  /** The child cannot be created here. What runs beside it goes on. */
  #stopAt({ step_index, step_name }: StepRow, { message }: ObstacleError): void {
    if (this.state.isEnded) return;
    this.state.park(`Step ${step_index} (${step_name}) cannot be done by this process: ${message}`, { forAll: true });
  }

  #onChildPaused(id: string, error: unknown, due: number | null = null): void {
    const { state, writer } = this;
    this.#childDue.set(id, due);
    state.running.delete(id);
    const wasLeased = state.leased.delete(id);
    if (writer.failure === undefined) {
      const step = state.draft.step(id);
      const isRefused = error instanceof TaskonautError && REFUSALS.has(error.code);
      const isMade = error === undefined && state.isOpen(id) && step.status === "PLANNED";
      // not before: a step of kind child that is RUNNING has its task
      if (isMade) state.draft.patchStep(id, { status: "RUNNING", updated_at: state.now() });
      if (isRefused && state.isOpen(id)) state.recordOutcome(step, { status: "FAILED", error: storeError(error) });
      else if (error instanceof ObstacleError) this.#stopAt(step, error);
      else if (error !== undefined && !isRefused) writer.fail(error);
      else if ((wasLeased || isMade) && !state.isEnded) state.set({}); // the lease may go now
    }
    this.inbox.isWoken = true;
    if (this.#onEvent) this.#onEvent();
    else writer.writeSoon();
  }
}

const NONE: readonly StepRow[] = [];

/** Not a child that is there and only to be run on. */
function isNew({ kind, status }: StepRow): boolean {
  return kind === "tool" || status === "PLANNED";
}

/** What a child can be refused for: that is the step's failure. All else is the trouble of this process. */
const REFUSALS: ReadonlySet<string> = new Set(["input_invalid", "flow_invalid"]);
