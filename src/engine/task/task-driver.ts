// One task as it is driven in this process: one transition after the other.
//
// D1. Transitions happen in memory, one at a time; `settle` makes them durable. Whoever is told of a transition is
//     told after `settle`, the log included: a driver that loses the task has changed nothing.
// D2. A driver that lost its task (somebody else wrote to it) aborts its tools and writes nothing more.
// D3. What the flow was told, what it decided and the state it leads to are put down in one go, with nothing awaited
//     in between: a write that came there would record half a transition, which no replay could match.
// D4. A transition that waits for nothing outside is made at once, without a turn of the event loop.
// D5. Before an end is put down, a new program is given all that is recorded and comes to the same (`second-look.ts`).

import type { Decision, Program } from "../../core/flow/program.ts";
import type { StepRow, TaskRecord } from "../../core/record/record.ts";
import type { TaskStatus } from "../../core/record/status.ts";
import { FlowViolationError, ObstacleError, type DriverTools } from "./driver-tools.ts";
import { InboxReader } from "./inbox-reader.ts";
import { outcomeOf } from "./replay.ts";
import { lookAgain, type Told } from "./second-look.ts";
import { StepRunner } from "./step-runner.ts";
import { TaskState } from "./task-state.ts";
import { tellViolation } from "./tell-violation.ts";
import { TaskWriter, type OnSettled } from "./task-writer.ts";

/** How a driver comes to its task. */
export interface DriverStart {
  /** It was just created: nobody can have written to it. */
  readonly isNew?: boolean;
  /** It was claimed from the queue for this process, which holds it until it ends or only waits. */
  readonly isClaimed?: boolean;
  /** The worker that held it is dead, and may have died of what it ran. */
  readonly isOrphan?: boolean;
}

export class TaskDriver {
  readonly #state: TaskState;
  readonly #writer: TaskWriter;
  readonly #news: InboxReader;
  readonly #steps: StepRunner;
  /** D5, of a plan: the engine makes its end of its outputs, and one that was taken up was made twice already. */
  readonly #mustLookAgain: boolean;
  /** The transition that is being made, where it takes time. */
  #moving: Promise<unknown> | undefined;
  /** Whoever waits for it to be idle waits no longer. */
  #onAbandoned: (() => void) | undefined;

  constructor(
    record: TaskRecord,
    private readonly program: Program,
    decisionOf: Map<string, Decision>,
    private readonly tools: DriverTools,
    { isNew = false, isClaimed = false, isOrphan = false }: DriverStart,
  ) {
    this.#state = new TaskState(record, program, decisionOf, tools, isClaimed);
    this.#writer = new TaskWriter(this.#state, tools, (reason) => this.#onFailed(reason));
    // where nobody has left anything yet: what comes from now on makes it due again, whatever is written
    const isQuiet = isNew || (isClaimed && record.task.wake_seq === 0 && this.#state.waits.size === 0);
    this.#news = new InboxReader(this.#state, tools, !isQuiet);
    this.#steps = new StepRunner(this.#state, this.#writer, this.#news, tools, isOrphan);
    this.#mustLookAgain = isNew || !program.isSequential;
    program.log = tools.flowLog;
  }

  get id(): string {
    return this.#state.draft.task.id;
  }

  get status(): TaskStatus {
    return this.#state.status;
  }

  get isEnded(): boolean {
    return this.#state.isEnded;
  }

  /** Whether it drives no more: the task was lost, a write failed, or the process leaves. */
  get isAbandoned(): boolean {
    return this.#writer.failure !== undefined;
  }

  /** Transitions that are durable, made by this driver. */
  get durableMoves(): number {
    return this.#writer.durableMoves;
  }

  /** When a worker may take the task, as last written; in store time. */
  get dueAt(): number | null {
    return this.#state.draft.task.due_at;
  }

  /** Whether tools of this task run in this process. */
  get isBusy(): boolean {
    return !this.isAbandoned && this.#state.running.size > 0;
  }

  /** Whether something of it is still to be written: an outage may delay that for long. */
  get isUnsettled(): boolean {
    return this.#writer.isUnsettled;
  }

  /** Whether nothing is left to do here before something comes from outside, or its time. */
  get onlyWaits(): boolean {
    return this.status === "WAITING_OBSERVATION" && !this.#news.isWoken && !this.#state.isAtWork();
  }

  /**
   * Makes one transition in memory (D1). False: there is none to make, because the task has ended or only waits.
   * Throws LostTaskError, FlowViolationError, task_parked, and what the store throws.
   */
  advance(): boolean | Promise<boolean> {
    // D2. Transitions that wait for nothing would go on and on: a write that failed keeps what runs here from ending.
    const { failure } = this.#writer;
    if (failure !== undefined) throw failure;
    const moved = this.#advance();
    return moved instanceof Promise ? this.#follow(moved) : moved;
  }

  async #follow(moved: Promise<boolean>): Promise<boolean> {
    // how it comes out is told to the caller
    this.#moving = moved.catch(() => false);
    try {
      return await moved;
    } finally {
      this.#moving = undefined;
    }
  }

  #advance(): boolean | Promise<boolean> {
    switch (this.status) {
      case "PLANNED":
        return this.#begin();
      case "RUNNING":
        return this.#work();
      case "WAITING_OBSERVATION":
        return this.#observe();
      case "COMPLETED":
      case "FAILED":
      case "CANCELLED":
        return false;
    }
  }

  /** Records what has come from outside, without a transition. True: something had. Throws what the store throws. */
  async hear(): Promise<boolean> {
    const { version } = this.#state.draft.task;
    if (!this.isEnded) await this.#news.collect();
    return this.#state.draft.task.version !== version;
  }

  /** Something came for this task: look at the inbox soon. */
  wake(): void {
    this.#news.isWoken = true;
    this.#steps.tell();
  }

  /** What stood against the task is gone, and it is there for workers too. */
  unpark(): void {
    this.#state.unpark();
  }

  /** Lets go of a claimed task that is left as it is, for other workers; to be settled. */
  release(): void {
    this.#steps.clearSuspects();
    this.#state.letGo({ mayHaveNews: this.#news.isWoken });
  }

  /** Drives no more: tools that run are aborted and what comes of them is not recorded, so that another may take over. */
  abandon(reason: unknown): void {
    this.#writer.fail(reason);
  }

  /** Starts to write what has changed, without waiting: more may join while the event loop turns. */
  writeSoon(): void {
    this.#writer.writeSoon();
  }

  /** Resolves when everything so far is durable. Throws LostTaskError, or what the store throws. */
  settle(): Promise<void> {
    return this.#writer.settle();
  }

  /** As `settle`, in the very moment in which it is known. `tell` must not throw. */
  onSettled(tell: OnSettled): void {
    this.#writer.onSettled(tell);
  }

  /** The record, all of it durable. Throws as `settle` does. */
  durableRecord(): Promise<TaskRecord> {
    return this.#writer.durableRecord();
  }

  /** Resolves when nothing is under way any more, and what came of it is durable or cannot be made so. */
  async idle(): Promise<void> {
    const { running } = this.#state;
    const abandoned = new Promise<void>((resolve) => {
      this.#onAbandoned = resolve;
    });
    // a transition under way may be about to start tools: they get their time like those that run
    while (!this.isAbandoned && (this.#moving || running.size > 0)) {
      await Promise.race([Promise.all([this.#moving, running.ended()]), abandoned]);
    }
    await this.settle().catch(() => {}); // whoever drives the task hears of it
  }

  #onFailed(reason: Error): void {
    this.#state.running.giveUpAll(reason);
    this.#onAbandoned?.();
    this.#steps.tell();
  }

  // ---- transitions

  #begin(): true | Promise<true> {
    if (this.#news.isWoken) return this.#news.collect().then(() => this.isEnded || this.#beginNow());
    return this.#beginNow();
  }

  #beginNow(): true | Promise<true> {
    const state = this.#state;
    if (state.cancels.length > 0) {
      state.set({ cancelled_after: 0, cancelled_at: state.now() });
      state.cancelSteps();
      state.end({ kind: "completed", output: "null" });
      return true;
    }
    const takeUp = this.program.isSequential ? undefined : this.#prepare({ turn: this.program.start() });
    return andThen(takeUp, (take) => {
      take?.();
      state.move("RUNNING");
      return true;
    });
  }

  #work(): true | Promise<true> {
    if (this.#news.isWoken) return this.#workOn();
    if (this.#isFlowAtWork) {
      const started = this.#steps.start();
      if (started instanceof Promise || this.#steps.mustWait) return this.#workOn(started);
    }
    return this.#endWork();
  }

  async #workOn(started?: void | Promise<void>): Promise<true> {
    await started;
    if (this.#news.isWoken) await this.#news.collect();
    if (this.#isFlowAtWork) {
      do await this.#steps.start();
      while (await this.#steps.awaitOutcome());
    }
    return this.isEnded || this.#endWork();
  }

  get #isFlowAtWork(): boolean {
    return !this.isEnded && !this.#state.flowEnd && this.#state.cancels.length === 0;
  }

  #endWork(): true | Promise<true> {
    const state = this.#state;
    const outcome = state.nextUnobserved;
    // a failed step of a plan ends it at once
    const isOver = this.program.isSequential && outcome?.status === "FAILED" && state.cancels.length === 0;
    if (isOver) return this.#conclude(this.#feed(outcome));
    if (state.flowEnd?.kind === "failed") return this.#conclude();
    state.move("WAITING_OBSERVATION");
    return true;
  }

  #observe(): boolean | Promise<boolean> {
    const { nextUnobserved, flowEnd, cancels } = this.#state;
    const isNews = nextUnobserved !== undefined || flowEnd !== undefined || cancels.length > 0;
    return isNews || this.#state.hasWork() ? this.#observeNow() : this.#look();
  }

  async #look(): Promise<boolean> {
    const hasNews = (await this.#news.collect()) || (await this.#steps.followChildren());
    if (hasNews) return this.isEnded || this.#observeNow();
    // an outsider has made it due, but had nothing for it
    if (!this.#state.stands) this.#state.set({});
    return false;
  }

  #observeNow(): true | Promise<true> {
    const step = this.#state.nextUnobserved;
    if (step) return this.#conclude(this.#feed(step));
    if (this.#state.cancels.length === 0) return this.#conclude();
    if (!this.#steps.mustWait) return this.#conclude(this.#cancel());
    // what it gives up is still coming to its end
    return this.#steps.awaitOutcome().then(() => this.isEnded || this.#observeNow());
  }

  /** What the flow was told leads to its end, or further (D3, D5). Undefined: there is nothing new. */
  #conclude(told?: Told): true | Promise<true> {
    const state = this.#state;
    const ready = this.program.end && this.#mustLookAgain ? this.#lookAgain(told) : undefined;
    const takeUp = andThen(ready, () => told && this.#prepare(told));
    return andThen(takeUp, (take) => {
      take?.();
      const end = state.flowEnd;
      if (end) state.end(end);
      else if (state.hasWork()) state.move("RUNNING");
      else state.stay();
      return true;
    });
  }

  /** Gives the flow one recorded outcome. */
  #feed(step: StepRow): Told {
    const at = this.#state.now();
    return { turn: this.program.observe(step.path, outcomeOf(step), at), heard: { step, at } };
  }

  /** Tells the flow that it is cancelled. What it plans from then on is done; then the task is CANCELLED. */
  #cancel(): Told {
    const at = this.#state.now();
    return { turn: this.program.cancel(at), heard: { step: undefined, at } };
  }

  #lookAgain(told: Told | undefined): void | Promise<void> {
    this.#throwIfViolated();
    const { draft } = this.#state;
    const difference = lookAgain(this.program, { task: draft.task, steps: draft.steps() }, told, this.tools.clock);
    return andThen(difference, (reason) => {
      if (reason !== undefined) throw new FlowViolationError(reason);
    });
  }

  /**
   * What is given back puts down what the flow was told and what it decided; a violation leaves the record untouched.
   */
  #prepare({ turn, heard }: Told): TakeUp | Promise<TakeUp> {
    this.#throwIfViolated();
    const tooLarge = this.#state.reasonToStop(this.tools.limits.taskBytes, turn.planned);
    if (tooLarge !== undefined) throw new ObstacleError(tooLarge);
    const isTimed = turn.planned.some(({ kind }) => kind === "sleep" || kind === "signal");
    const takeUpAt = (storeNow: number): void => {
      const state = this.#state;
      if (heard?.step) state.noteObserved(heard.step, heard.at);
      else if (heard) state.noteCancelled(heard.at);
      state.takeUp(turn, storeNow);
      // what nobody waited for when it came may be there still
      if (isTimed && state.draft.hasHeard) this.#news.isWoken = true;
    };
    if (!isTimed) return () => takeUpAt(0);
    return this.tools.storeClock.read().then((storeNow) => () => takeUpAt(storeNow));
  }

  #throwIfViolated(): void {
    if (this.program.obstacle !== undefined) throw new ObstacleError(this.program.obstacle);
    if (!this.program.violation) return;
    const { draft } = this.#state;
    throw new FlowViolationError(tellViolation(this.program, { task: draft.task, steps: draft.steps() }));
  }
}

type TakeUp = () => void;

/** What `use` gives: now, where there is nothing to wait for (D4). */
function andThen<In, Out>(value: In | Promise<In>, use: (value: In) => Out | Promise<Out>): Out | Promise<Out> {
  return value instanceof Promise ? value.then(use) : use(value);
}
