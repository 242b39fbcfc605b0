// All that one simulation consists of: time, chance, the database, and the processes that come and go.

import type { TaskRow } from "../../src/core/record/record.ts";
import type { EndedTasks } from "../../src/store/removal-store.ts";
import { holdsBack } from "../../src/engine/process/known-pauses.ts";
import { Random } from "./random.ts";
import { breachesOf, breachesOfRemoval } from "./invariants.ts";
import { Deaths } from "./deaths.ts";
import { Decided } from "./decided.ts";
import { Ledger } from "./ledger.ts";
import { LIMITED_FLOWS, LimitWatch } from "./limit-watch.ts";
import type { Life } from "./life.ts";
import { BEGIN } from "./sim-clock.ts";
import { brokenPromises } from "./promises.ts";
import { SimDatabase, type StoredTask } from "./sim-database.ts";
import { SimProcess, short } from "./sim-process.ts";
import { SimSchedules } from "./sim-schedules.ts";
import { GRACE_MS, type Writer } from "./sim-store.ts";
import { SimWorkers } from "./sim-workers.ts";
import { Timeline } from "./timeline.ts";
import { Trace } from "./trace.ts";
import { CALM, type Weather } from "./weather.ts";

/** After a restart of the database its clients are back, and have their locks again, within this time. */
const RECONNECT_MS_MAX = 1000;

/** After its own connection was cut a process is back within this time; a proxy in between may take longer. */
const CUT_MS_MAX = GRACE_MS - 50;

interface Watcher {
  readonly life: Life;
  readonly onNews: () => void;
}

export class World {
  readonly timeline = new Timeline();
  readonly trace = new Trace(() => this.timeline.now);
  readonly random: Random;
  readonly database = new SimDatabase();
  readonly schedules = new SimSchedules(this.database);
  readonly workers = new SimWorkers(this.database);
  readonly #decided = new Decided();
  readonly deaths = new Deaths();
  /** Told that a process has killed itself: another one is started. */
  onKilled: () => void = () => {};
  readonly limits = new LimitWatch();
  readonly ledger = new Ledger(this.database, this.#decided, this.trace);
  readonly processes: SimProcess[] = [];
  weather: Weather = CALM;
  /** The database answers nobody. */
  isAway = false;
  /** How far the store's clock is ahead of one that is right. */
  storeAheadMs = 0;
  /** Who makes the write that is being made. */
  writer: Writer | undefined;
  /** Ids of tasks that somebody creates again until it is known that they are there: once removed they would be others. */
  readonly awaited = new Set<string>();
  /** Tasks that are in the queue, or were: they must end without a hand that drives them. */
  readonly queued = new Set<string>();
  /** Since when a task is free to be taken, by its id; in simulated time. */
  readonly #freeSince = new Map<string, number>();
  readonly #watchers = new Set<Watcher>();
  /** How often the connections of a process, or of all, were cut. */
  readonly #cuts = new Map<Life, number>();
  #restarts = 0;
  /** The latest time that the store has told anybody: its clock may be set back. */
  #latest = 0;
  #receipts = 0;

  constructor(seed: number) {
    this.random = new Random(seed);
    this.workers.onEnded = (id) => {
      const process = this.living.find(({ workerIds }) => workerIds.has(id));
      this.trace.note(`others find worker ${short(id)} dead`);
      if (process) this.trace.breach(`Worker ${short(id)} of ${process.name} lives, and was found dead.`);
    };
    this.database.onRemove = ({ task }) => {
      this.trace.note(
        `${this.writer?.life.name ?? "nobody"} removes ${short(task.id)} ${task.flow_name}: ${task.status}`,
      );
      for (const breach of breachesOfRemoval(task, this.database)) this.trace.breach(breach);
    };
    this.database.onUnpaused = () => {
      for (const id of this.#freeSince.keys()) this.#freeSince.set(id, this.timeline.now);
    };
    this.schedules.onBreach = (breach) => this.trace.breach(breach);
    this.database.onWrite = (write) => {
      const { before, after, change } = write;
      const { task } = after;
      if (task.due_at !== null) this.queued.add(task.id);
      if (task.due_at === null || task.lease_owner !== null) this.#freeSince.delete(task.id);
      else if (before?.task.due_at !== task.due_at || before.task.lease_owner !== null) {
        this.#freeSince.set(task.id, this.timeline.now);
      }
      const who = this.writer?.life.name ?? "nobody";
      if (change) this.ledger.noteChange(who, change);
      this.trace.note(
        `${who} writes ${short(task.id)} ${task.flow_name}: ${task.status} v${before?.task.version ?? 0}→${task.version}` +
          ` observed ${task.observed_count} owner ${task.lease_owner && short(task.lease_owner)} due ${task.due_at && task.due_at - BEGIN}` +
          ` wake ${task.wake_seq}${task.parked_reason === null ? "" : ` parked: ${task.parked_reason}`}`,
      );
      if (!before) {
        this.ledger.noteInserted(who, after);
        this.#noteCreated(task);
      }
      const over = this.limits.breachesOf(write, this.database.tasks, this.workers, this.storeNow());
      for (const breach of over) this.trace.breach(breach);
      for (const breach of brokenPromises(write, this.database, this.#latest)) this.trace.breach(breach);
      const undue = this.deaths.breachOf({ ...write, writer: this.writer });
      if (undue !== undefined) this.trace.breach(undue);
      for (const breach of breachesOf({ ...write, writer: this.writer }, this.workers)) {
        this.trace.breach(breach);
      }
    };
  }

  /** Tasks that nobody has taken for so long, although they are due and a worker has room. */
  neglected(ms: number): TaskRow[] {
    if (!this.living.some((process) => process.hasRoom)) return [];
    // of a flow with limits, what is free may have to wait
    const isNeglected = ({ task }: StoredTask): boolean =>
      !LIMITED_FLOWS.has(task.flow_name) &&
      !this.database.pauses.some((pause) => holdsBack(pause, task.flow_name)) &&
      (this.#freeSince.get(task.id) ?? Number.POSITIVE_INFINITY) + ms < this.timeline.now &&
      (task.due_at ?? Number.POSITIVE_INFINITY) + ms < this.storeNow();
    return this.database.tasks.filter(isNeglected).map(({ task }) => task);
  }

  /** Who removes tasks keeps them for longer than any caller takes to hear that his is there. */
  withoutAwaited({ ids }: EndedTasks): EndedTasks {
    return { ids: ids.filter((id) => !this.awaited.has(id)) };
  }

  /** A child follows from what is durable of its parent. */
  #noteCreated({ id, parent_task_id, parent_step_id, input_payload }: TaskRow): void {
    if (parent_task_id === null || parent_step_id === null) return;
    const effect = { stepId: parent_step_id, input: input_payload, execution: null };
    const lack = this.#decided.lack(this.database.findEver(parent_task_id), effect);
    if (lack !== undefined) this.trace.breach(`Task ${short(id)} is created for step ${parent_step_id}, ${lack}.`);
  }

  storeNow(): number {
    const now = BEGIN + this.timeline.now + this.storeAheadMs;
    this.#latest = Math.max(this.#latest, now);
    return now;
  }

  newReceipt(): string {
    this.#receipts += 1;
    return `receipt-${this.#receipts}`;
  }

  /** A process with a clock that is a little wrong. */
  start(name: string): SimProcess {
    const process = new SimProcess(this, name, this.random.int(-300, 300));
    this.processes.push(process);
    return process;
  }

  get living(): readonly SimProcess[] {
    return this.processes.filter(({ life }) => !life.isDead);
  }

  watch(life: Life, onNews: () => void): () => void {
    const watcher = { life, onNews };
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  announce(from: Life): void {
    for (const { life, onNews } of this.#watchers) {
      if (life === from || life.isDead || this.isAway || this.random.chance(this.weather.lostNews)) continue;
      this.timeline.after(this.random.tail(0, this.weather.delayMsMax), () => life.reach(onNews));
    }
  }

  /** The database goes away, as a server that is killed: all locks are free. It comes back after `ms`. */
  restart(ms: number): void {
    if (this.isAway) return;
    this.isAway = true;
    this.#restarts += 1;
    this.workers.freeAllLocks();
    this.timeline.after(ms, () => this.comeBack());
  }

  comeBack(): void {
    if (!this.isAway) return;
    this.isAway = false;
    for (const process of this.living) this.#reconnect(process, this.random.tail(1, RECONNECT_MS_MAX));
    // who watches may have missed something
    for (const { life, onNews } of this.#watchers) this.timeline.after(1, () => life.reach(onNews));
  }

  /** Another one for each connection that a process had. */
  sessionOf(life: Life): string {
    return `${this.#restarts} ${this.#cuts.get(life) ?? 0}`;
  }

  /** The process's connection ends, as if a backend was terminated. It is back in a moment. */
  cut(process: SimProcess): void {
    this.#cuts.set(process.life, (this.#cuts.get(process.life) ?? 0) + 1);
    for (const id of process.workerIds) this.workers.freeLock(id);
    this.#reconnect(process, this.random.tail(1, CUT_MS_MAX));
  }

  /** From its own thread, which is there although the process may be paused. */
  #reconnect({ life, workerIds }: SimProcess, ms: number): void {
    this.timeline.after(ms, () => {
      if (life.isDead || this.isAway) return;
      for (const id of workerIds) this.workers.comeBack(id, this.storeNow());
    });
  }
}
