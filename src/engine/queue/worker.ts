// A worker: takes due tasks from the queue and drives them, as many at once as it was told.
//
// K1. A task is driven by who has claimed it, and by nobody else while that worker lives. What a worker does not know
//     that it holds (the answer to a claim was lost, a write failed) it lets go of, for itself or another to claim.
// K2. A worker looks into the queue when it is told of news, when a task it knows of is due, when it has room again and
//     there was more, and once in a while all the same. An idle one is near silent.
// K3. Steps whose processes died twice in a row while they ran are run one after the other: of two that run together
//     nobody could tell which one it was.

import { hasCode, TaskonautError } from "../../core/errors.ts";
import type { Flow } from "../../core/flow/flow.ts";
import { messageOf } from "../../core/record/stored-error.ts";
import { isStepOpen } from "../../core/record/status.ts";
import { CLAIM_MAX, type Claim, type ClaimedTask, type Store } from "../../store/store.ts";
import type { QueueNotifier } from "../process/queue-notifier.ts";
import type { DriverTools } from "../task/driver-tools.ts";
import type { Claimant, DrivingForWorker, WorkEnd } from "../driving/drive-for-worker.ts";
import { UNSURE_MS } from "../process/holdings.ts";
import { within } from "../process/within.ts";
import { Quarantine } from "./quarantine.ts";
import { isWait } from "../task/wait-events.ts";
import { Pace, SMALL_PIECES_MS } from "../process/pace.ts";
import { FlowShares } from "./flow-shares.ts";
import { Maintenance } from "./maintenance.ts";

export interface WorkOptions {
  /** How many tasks are driven at once: 1 or more. */
  readonly concurrency: number;
  /** Told of each task that has ended here, once that is durable. */
  readonly onEnded?: (taskId: string) => void;
}

export interface RunningWorker {
  readonly id: string;
  /** Takes no more tasks, lets running tools end within the grace period, and releases the rest for others at once. */
  stop(): Promise<void>;
}

/** The net below all that tells of news: an idle worker looks this often. */
const POLL_MS = 20_000;

/** Where the database cannot tell of news. */
const BLIND_POLL_MS = 500;

/** So long after a claim that gave some but not all there was room for, to learn when the next task is due. */
const LOOK_AGAIN_MS = 100;

/** A worker that holds large tasks of so many bytes in all claims no more. */
const LARGE_HELD_MAX = 256 * 1024 * 1024;

/** Of a claim that failed: the database may be away. */
const PAUSE_MS_MIN = 50;
const PAUSE_MS_MAX = 2_000;

/** With less than half of its places free a busy worker waits so long for more: claims are cheaper together. */
const GATHER_MS = 5;

interface Parts {
  readonly flows: ReadonlyMap<string, Flow>;
  readonly store: Store;
  readonly tools: DriverTools;
  readonly driving: DrivingForWorker;
  /** Ids of tasks that callers of this process may hold. */
  readonly heldByHand: () => readonly string[];
  readonly bell: QueueNotifier;
}

export class Worker implements RunningWorker, Claimant {
  readonly id: string;
  readonly #shares: FlowShares;
  readonly #upkeep: Maintenance;
  /** Names of flows of which all workers together may only hold so many. */
  readonly #limited: ReadonlySet<string>;
  readonly #stopped = new AbortController();
  /**
   * How many claims of each task are not let go of yet: one may be claimed again before it is known here that it was let
   * go of. Numbers, for a map keeps what was removed from it alive for a while.
   */
  readonly #held = new Map<string, number>();
  /** How many of these take a place of `concurrency`: they are still being driven, the others are being written. */
  #driven = 0;
  /** When a task is due that was let go of here, in store time; of several the earliest. */
  #expected: number | null = null;
  /** When the task is due that the queue told of, in store time. */
  #nextDueAt: number | null = null;
  /** There may be due tasks that were not looked for yet. */
  #hasNews = true;
  /** And other workers may not know it. */
  #isAloneWithNews = false;
  /** The worker may hold tasks that it does not know of (K1). */
  #mayHoldMore = false;
  #unsureUntil = 0;
  /** Lowered while claims fail: the answer may be too large to come in time. */
  #claimMax = CLAIM_MAX;
  /** Records of large tasks that are held, in bytes: a process has only so much memory, however many it may drive. */
  readonly #large = new Map<ClaimedTask, number>();
  #wakeUp: (() => void) | undefined;
  #onAllLetGo: (() => void) | undefined;
  /** K3. */
  readonly #lane = new Quarantine(() => {
    this.#driven += 1;
    return () => this.#freePlace();
  });
  /** The task that is driven there. */
  #inLane: { readonly claimed: ClaimedTask; readonly leave: () => void } | undefined;
  #newsComes: "notified" | "polling" = "notified";
  #starting: Promise<void> = Promise.resolve();
  #loops: Promise<unknown> = Promise.resolve();
  #stopping: Promise<void> | undefined;

  constructor(
    private readonly parts: Parts,
    private readonly options: WorkOptions,
  ) {
    const { flows, tools } = parts;
    this.id = tools.lease.workerId;
    this.#limited = new Set([...flows.values()].flatMap((flow) => (flow.concurrency === undefined ? [] : flow.name)));
    this.#upkeep = new Maintenance({ ...parts, workerId: this.id, onNews: () => this.#onNews() });
    this.#shares = new FlowShares(
      [...flows.values()].map(({ name, concurrency }) => ({ name, heldMax: concurrency ?? null })),
    );
  }

  /** Throws what the store throws: then nothing has started. */
  start(): Promise<void> {
    this.#starting = this.#start();
    return this.#starting;
  }

  async #start(): Promise<void> {
    const { tools, bell } = this.parts;
    this.#newsComes = await tools.lease.work(this.options.concurrency, {
      onNews: () => this.#onNews(),
      onDead: (ids) => this.#upkeep.noteDead(ids),
    });
    await this.#upkeep.begin();
    if (this.#newsComes === "polling") {
      tools.log.warn?.(
        "this database cannot tell of news (a transaction pooler between?): the worker polls, and judges others by their leases",
        { poll_ms: BLIND_POLL_MS },
      );
    }
    bell.listen(() => this.#onOwnNews());
    this.#loops = Promise.all([this.#claimOn(), this.#upkeep.goOn(this.#stopped.signal)]);
  }

  get isStopped(): boolean {
    return this.#stopping !== undefined;
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    const { tools, bell } = this.parts;
    this.#stopped.abort();
    this.#wakeUp?.();
    await this.#starting.catch(() => {}); // who started it hears of it
    bell.listen(undefined);
    await this.#loops;
    await within(tools.limits.graceMs, this.#allLetGo(), tools.clock);
    bell.ring(); // what was released is there for others
  }

  /** Resolves when nothing is held any more. */
  #allLetGo(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    if (this.#held.size === 0) resolve();
    else this.#onAllLetGo = resolve;
    return promise;
  }

  #onNews(): void {
    this.#hasNews = true;
    this.#wakeUp?.();
  }

  /** News that nobody else has heard, of this process or of a time. Gives whether there is room: else others are to hear. */
  #onOwnNews(): boolean {
    this.#isAloneWithNews = true;
    this.#onNews();
    return this.#room > 0;
  }

  /** Tasks that are only being written take no place, but for so long that not any number of them pile up. */
  get #room(): number {
    const { concurrency } = this.options;
    if (this.#large.size > 0 && sumOf(this.#large.values()) >= LARGE_HELD_MAX) return 0;
    return Math.min(concurrency - this.#driven, 2 * concurrency - this.#held.size, this.#claimMax);
  }

  async #claimOn(): Promise<void> {
    const { tools, bell } = this.parts;
    const { clock, log } = tools;
    let pauseMs = PAUSE_MS_MIN;
    let lastAt = 0;
    while (!this.#stopped.signal.aborted) {
      if (!this.#hasNews || this.#room <= 0) {
        if (this.#hasNews && this.#isAloneWithNews) {
          this.#isAloneWithNews = false;
          bell.tellOthers();
        }
        if (await this.#pause(this.#hasNews ? undefined : this.#idleMs())) this.#onOwnNews();
        continue;
      }
      const sinceMs = clock.now() - lastAt; // less than 0: the clock was set back
      const isScarce = this.#room < Math.min(this.options.concurrency, CLAIM_MAX) / 2;
      if (isScarce && sinceMs >= 0 && sinceMs < GATHER_MS) {
        await this.#pause(GATHER_MS - sinceMs);
        continue;
      }
      this.#hasNews = false;
      try {
        await this.#claim();
        pauseMs = PAUSE_MS_MIN;
        this.#claimMax = Math.min(CLAIM_MAX, 2 * this.#claimMax);
      } catch (error) {
        if (hasCode(error, "worker_not_registered")) tools.lease.renewRegistration();
        log.warn?.("queue not reached", { worker_id: this.id, error: messageOf(error) });
        this.#claimMax = Math.max(1, Math.floor(this.#claimMax / 2));
        this.lookAgain();
        await this.#sleep(pauseMs);
        pauseMs = Math.min(2 * pauseMs, PAUSE_MS_MAX);
      }
      lastAt = clock.now();
    }
  }

  async #claim(): Promise<void> {
    const { store, heldByHand, tools } = this.parts;
    if (this.#mayHoldMore) {
      const byHand = heldByHand();
      // what a caller has now he may leave; and a claim that was given up may still reach the database
      this.#mayHoldMore = byHand.length > 0 || tools.clock.now() < this.#unsureUntil;
      const released = await store.releaseTasks({ workerId: this.id, except: [...this.#held.keys(), ...byHand] });
      if (released > 0) this.#isAloneWithNews = true; // it may be more than there is room for
    }
    const room = this.#room;
    const flows = this.#shares.grant(room);
    this.#expected = null; // what is let go of from now on, this claim may not see
    const claim = await store.claimTasks({
      workerId: this.id,
      limit: room,
      flows,
      deadOwners: this.#upkeep.deadOwners,
    });
    const counts = new Map<string, number>();
    for (const { record } of claim.tasks) {
      const { flow_name } = record.task;
      counts.set(flow_name, (counts.get(flow_name) ?? 0) + 1);
    }
    if (this.#shares.note(counts, { isFull: claim.tasks.length >= room }) || claim.isCut) this.#hasNews = true;
    if (!this.#hasNews) this.#isAloneWithNews = false;
    this.#noteTimes(claim);
    // the claim may have come with a commit, which took its time as well
    const pace = new Pace(tools.clock, SMALL_PIECES_MS);
    await pace.next();
    for (const task of claim.tasks) {
      await pace.turn();
      this.#take(task);
    }
  }

  #noteTimes({ tasks, nextDueAt, now }: Claim): void {
    this.parts.tools.storeClock.note(now);
    // a claim that gives tasks does not tell what comes next: that is asked when they are under way
    this.#nextDueAt = tasks.length > 0 ? now + LOOK_AGAIN_MS : nextDueAt;
  }

  /** Until the next look into the queue, where no news comes. */
  #idleMs(): number {
    const pollMs = this.#newsComes === "polling" ? BLIND_POLL_MS : POLL_MS;
    const now = this.parts.tools.storeClock.guess();
    const times = [this.#expected, this.#nextDueAt].flatMap((time) => time ?? []);
    return Math.max(1, Math.min(pollMs, ...times.map((time) => time - now)));
  }

  /** A task was let go of that is due at this time. */
  #expect(dueAt: number): void {
    if (this.#expected !== null && this.#expected <= dueAt) return;
    this.#expected = dueAt;
    this.#wakeUp?.();
  }

  #take(claimed: ClaimedTask): void {
    const { driving, tools } = this.parts;
    const { id, flow_name } = claimed.record.task;
    this.#held.set(id, (this.#held.get(id) ?? 0) + 1);
    if (claimed.isBare) this.#large.set(claimed, claimed.record.task.recorded_bytes);
    if (claimed.takenFrom !== null) {
      tools.log.warn?.("task taken over from a dead worker", { task_id: id, flow: flow_name, from: claimed.takenFrom });
    }
    if (isDeadly(claimed)) this.#driveInLane(claimed);
    else if (!driving.drive(claimed, this)) this.#driven += 1;
  }

  /** K3. */
  #driveInLane(claimed: ClaimedTask): void {
    const ended = this.#lane.run(() => {
      const { promise, resolve: leave } = Promise.withResolvers<void>();
      this.#inLane = { claimed, leave };
      this.parts.driving.drive(claimed, this);
      return promise;
    });
    ended.catch(() => {}); // it never rejects
  }

  // ---- what comes of a task that was claimed

  isLeaving(): boolean {
    return this.#stopped.signal.aborted;
  }

  onIdle(claimed: ClaimedTask): void {
    if (claimed !== this.#inLane?.claimed) this.#freePlace(); // the lane has one for all
  }

  onEnd(claimed: ClaimedTask, { isEnded, dueAt }: WorkEnd): void {
    if (isEnded) this.#tellOfEnd(claimed.record.task.id);
    else if (dueAt !== null) this.#expect(dueAt);
    this.#letGo(claimed);
  }

  onFailed(claimed: ClaimedTask, error: unknown): void {
    const letGo = (): void => this.#letGo(claimed);
    this.#setAside(claimed, error).then(letGo, letGo);
  }

  /** We are within the writer of all tasks: what fails in whoever is told must not stop it. */
  #tellOfEnd(id: string): void {
    try {
      this.options.onEnded?.(id);
    } catch (error) {
      this.parts.tools.log.error?.("end of a task not told", { task_id: id, error: messageOf(error) });
    }
  }

  #letGo(claimed: ClaimedTask): void {
    const { id, flow_name } = claimed.record.task;
    const claims = this.#held.get(id) ?? 0;
    if (claims > 1) this.#held.set(id, claims - 1);
    else this.#held.delete(id);
    if (this.#inLane?.claimed === claimed) this.#inLane.leave();
    this.#large.delete(claimed);
    if (this.#held.size === 0) this.#onAllLetGo?.();
    if (this.#limited.has(flow_name)) this.#onPlaceFree();
    if (this.#hasNews) this.#wakeUp?.();
  }

  #freePlace(): void {
    this.#driven -= 1;
    if (this.#hasNews) this.#wakeUp?.();
  }

  /** The database may be back in a moment; a task that fails without that would fail for ever, again and again. */
  async #setAside({ record }: ClaimedTask, error: unknown): Promise<void> {
    const { driving, tools } = this.parts;
    const { id, flow_name: flow } = record.task;
    const isOutage = error instanceof TaskonautError && error.retryable;
    const fields = { task_id: id, flow, error: messageOf(error) };
    if (hasCode(error, "shutting_down")) tools.log.info?.("task left to others", fields);
    else (isOutage ? tools.log.warn : tools.log.error)?.("task not driven on", fields);
    try {
      if (!isOutage) await driving.setAside(id, messageOf(error));
    } catch {
      // it is let go of below, and claimed again
    }
    this.lookAgain();
  }

  /** A write has failed: what this process may hold without knowing is let go of. */
  lookAgain(): void {
    this.#unsureUntil = this.parts.tools.clock.now() + UNSURE_MS;
    this.#mayHoldMore = true;
    this.#onNews();
  }

  /** Of a flow of which only so many may be held: whoever has room may take the next. */
  #onPlaceFree(): void {
    this.#hasNews = true;
    this.parts.bell.ring();
  }

  /** Until something wakes the worker up, or the time is over: then true. */
  async #pause(ms: number | undefined): Promise<boolean> {
    const { clock } = this.parts.tools;
    const event = Promise.withResolvers<boolean>();
    this.#wakeUp = () => event.resolve(false);
    const stop = new AbortController();
    if (ms !== undefined) {
      clock.sleep(ms, stop.signal).then(
        () => event.resolve(true),
        () => {}, // something came first
      );
    }
    const isOver = await event.promise;
    stop.abort();
    this.#wakeUp = undefined;
    return isOver;
  }

  #sleep(ms: number): Promise<void> {
    return this.parts.tools.clock.sleep(ms, this.#stopped.signal).catch(() => {});
  }
}

/** K3. */
function isDeadly({ record, takenFrom, isBare }: ClaimedTask): boolean {
  return (
    takenFrom !== null &&
    (isBare === true || record.steps.some((step) => step.starts > 1 && isStepOpen(step.status) && !isWait(step)))
  );
}

function sumOf(numbers: Iterable<number>): number {
  let sum = 0;
  for (const each of numbers) sum += each;
  return sum;
}
