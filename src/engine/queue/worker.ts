// A worker: takes due tasks from the queue and drives them, up to a given number at once. Its schedule decides when it
// looks (CS1). It claims tasks (K1), and holds them until their release (HK1).

import { hasCode } from "../../core/errors.ts";
import { messageOf } from "../../core/record/stored-error.ts";
import { Pace, SMALL_PIECES_MS } from "../process/pace.ts";
import { Pause } from "../process/pause.ts";
import { within } from "../process/within.ts";
import { BLIND_POLL_MS, ClaimSchedule, type Move } from "./claim-schedule.ts";
import { Claims } from "./claims.ts";
import { HeldTasks } from "./held-tasks.ts";
import { Maintenance } from "./maintenance.ts";
import type { RunningWorker, Sideline, WorkerTools, WorkOptions } from "./worker-tools.ts";

export class Worker implements RunningWorker {
  readonly id: string;
  readonly #schedule: ClaimSchedule;
  readonly #held: HeldTasks;
  readonly #claims: Claims;
  readonly #maintenance: Maintenance;
  readonly #sidelines: readonly Sideline[];
  readonly #stopped = new AbortController();
  /** The time between two looks into the queue. */
  readonly #pause: Pause;
  /** The database cannot send news. */
  #isBlind = false;
  #starting: Promise<void> = Promise.resolve();
  #loops: Promise<unknown> = Promise.resolve();
  #stopping: Promise<void> | undefined;

  constructor(
    private readonly tools: WorkerTools,
    private readonly options: WorkOptions,
  ) {
    const { driving, clock, log } = tools;
    const { concurrency, onEnded } = options;
    this.id = tools.lease.workerId;
    this.#pause = new Pause(clock);
    this.#schedule = new ClaimSchedule(concurrency);
    this.#claims = new Claims(this.id, tools);
    this.#held = new HeldTasks({
      driving,
      log,
      concurrency,
      onEnded,
      isLeaving: () => this.#stopped.signal.aborted,
      onPlaceFree: () => this.#lookWithNews(),
      onLetGo: (flow, dueAt) => this.#onLetGo(flow, dueAt),
      onUnsure: () => this.lookAgain(),
    });
    this.#sidelines = tools.sidelines ?? [];
    const duties = [...(tools.duties ?? []), ...this.#sidelines.map(({ duty }) => duty)];
    this.#maintenance = new Maintenance(this.id, { ...tools, duties }, () => this.#onNews());
  }

  /** Throws what the store throws: then nothing has started. */
  start(): Promise<void> {
    this.#starting = this.#start();
    return this.#starting;
  }

  async #start(): Promise<void> {
    const { lease, notifier, log } = this.tools;
    const newsComes = await lease.work(this.options.concurrency, {
      onNews: () => {
        this.#onNews();
        this.tools.pauses.readSoon();
      },
      onDead: (ids) => this.#maintenance.noteDead(ids),
    });
    await this.#maintenance.begin();
    for (const sideline of this.#sidelines) await sideline.begin();
    if (newsComes === "polling") {
      this.#isBlind = true;
      this.#schedule.pollEvery(BLIND_POLL_MS);
      log.warn?.(
        "this database cannot send notifications (is there a transaction pooler between?): the worker polls, and judges other workers by their leases",
        { poll_ms: BLIND_POLL_MS },
      );
    }
    notifier.listen(() => {
      this.#tellSidelines();
      return this.#onOwnNews();
    });
    const { signal } = this.#stopped;
    const beside = [this.#maintenance, ...this.#sidelines].map((each) => each.goOn(signal));
    this.#loops = Promise.all([this.#work(), ...beside]);
  }

  get driven(): number {
    return this.#held.driven;
  }

  get isStopped(): boolean {
    return this.#stopping !== undefined;
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    const { clock, limits, notifier } = this.tools;
    this.#stopped.abort();
    this.#pause.cut();
    await this.#starting.catch(() => {}); // whoever started it hears of it
    notifier.listen(undefined);
    await this.#loops;
    await within(limits.graceMs, this.#held.allLetGo(), clock);
    notifier.tellWorkers(); // others may take the released tasks
  }

  // ---- looks into the queue

  async #work(): Promise<void> {
    while (!this.#stopped.signal.aborted) {
      const move = await this.tick();
      if (move.kind === "claim") continue;
      const isOver = await this.#pause.take(move.ms);
      if (!isOver || move.kind !== "idle") continue;
      this.#onOwnNews();
      if (this.#isBlind) this.#tellSidelines();
    }
  }

  /**
   * Makes the next move: looks into the queue if it is time. Returns the move; other moves are pauses for the caller to
   * make.
   */
  async tick(): Promise<Move> {
    const { clock, storeClock, notifier } = this.tools;
    this.#pause.arm();
    const move = this.#schedule.next({ room: this.#held.room, now: clock.now(), storeNow: storeClock.guess() });
    if (move.kind === "claim") await this.#look(move.limit);
    if (move.kind === "full" && this.#schedule.takeUntold()) notifier.tellOthers();
    return move;
  }

  async #look(limit: number): Promise<void> {
    const { lease, log, clock } = this.tools;
    try {
      await this.#claim(limit);
    } catch (error) {
      if (hasCode(error, "worker_not_registered")) lease.renewRegistration();
      log.warn?.("queue not reached", { worker_id: this.id, error: messageOf(error) });
      this.#schedule.failClaim(clock.now());
      this.lookAgain();
    }
  }

  async #claim(limit: number): Promise<void> {
    const released = await this.#claims.releaseUnknown(() => this.#held.ids());
    if (released > 0) this.#schedule.noteNews({ isAlone: true }); // there may be more tasks than room
    this.#schedule.beginClaim();
    const { tasks, hasMore, nextDueAt, now: storeNow } = await this.#claims.claim(limit, this.#maintenance.deadOwners);
    // the claim may have come with a commit, which took its time as well
    const pace = new Pace(this.tools.clock, SMALL_PIECES_MS);
    await pace.next();
    for (const task of tasks) {
      await pace.turn();
      this.#held.take(task);
    }
    this.#schedule.endClaim({ count: tasks.length, hasMore, nextDueAt, storeNow }, this.tools.clock.now());
  }

  /** K1: a write has failed, of this worker or of a caller. */
  lookAgain(): void {
    this.#claims.noteUnsure();
    this.#onNews();
  }

  // ---- what makes it look

  #tellSidelines(): void {
    for (const sideline of this.#sidelines) sideline.noteNews();
  }

  #onNews(): void {
    this.#tellSidelines();
    this.#schedule.noteNews({ isAlone: false });
    this.#pause.cut();
  }

  /**
   * News of this process or of a time that nobody else has heard. Returns whether there is room; if not, others have to
   * hear it.
   */
  #onOwnNews(): boolean {
    this.#schedule.noteNews({ isAlone: true });
    this.#pause.cut();
    return this.#held.room > 0;
  }

  #lookWithNews(): void {
    if (this.#schedule.hasNews) this.#pause.cut();
  }

  #onLetGo(flow: string, dueAt: number | null): void {
    if (dueAt !== null && this.#schedule.noteDue(dueAt)) this.#pause.cut();
    // tasks whose tools outlived the grace period are for others
    if (dueAt !== null && this.isStopped) this.tools.notifier.tellWorkers();
    // the flow has a limit: any worker with room may take the next task
    if (this.#claims.isLimited(flow)) {
      this.#schedule.noteNews({ isAlone: false });
      this.tools.notifier.tellWorkers();
    }
    this.#lookWithNews();
  }
}
