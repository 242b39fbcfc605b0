// Engines that can die: the store under an engine of a test tells of every write, before and after it, and whoever
// listens may let the engine die there, as a process would (its writes until then stand, it does nothing any more), or
// may post from another engine just then.

import type { Clock } from "../../src/core/clock.ts";
import type { Flow } from "../../src/core/flow/flow.ts";
import { DEFAULT_LIMITS, type Limits } from "../../src/core/limits.ts";
import { SILENT } from "../../src/core/log.ts";
import type { TaskRecord } from "../../src/core/record/record.ts";
import { createEngine } from "../../src/engine/engine.ts";
import type { Engine } from "../../src/engine/engine-options.ts";
import { systemClock } from "../../src/engine/process/system-clock.ts";
import type { Store } from "../../src/store/store.ts";
import { turn } from "./fake-clock.ts";

/** A moment at which a process may die. Writes are numbered 1, 2, 3 … over the world's whole life. */
interface Moment {
  readonly write: number;
  readonly side: "before" | "after";
  readonly method:
    | "insertTasks"
    | "commitChanges"
    | "postToTask"
    | "postToTasks"
    | "claimTasks"
    | "releaseTasks"
    | "removeTasks"
    | "releaseOrphans"
    | "unparkTasks"
    | "fire";
}

type Listener = (moment: Moment) => "die" | undefined | Promise<"die" | undefined>;

/** What an engine that has died says. */
class DeadError extends Error {
  override readonly name = "DeadError";
}

/** Real time, of which a test may skip some; engines wait a fiftieth of what they mean to. */
const HURRY = 50;

/** One store, and engines over it that come and go. Time is the store's, and can be skipped. */
export class World {
  skippedMs = 0;
  writes = 0;
  /** What flows and engines have logged at info. */
  readonly lines: string[] = [];
  /** Told of every write of the engines that are made from now on. */
  listener: Listener | undefined;
  readonly #engines: MortalEngine[] = [];
  #stoppedAt: number | undefined;

  constructor(
    readonly store: Store,
    private readonly flows: readonly Flow[],
    private readonly limits: Partial<Limits> = {},
  ) {}

  /** From now on no time passes but what is skipped: waits that begin together end together, however slow the machine is. */
  stopTime(): void {
    this.#stoppedAt = Date.now();
  }

  now(): number {
    return (this.#stoppedAt ?? Date.now()) + this.skippedMs;
  }

  /** A living engine; it need not be closed. */
  engine(flows = this.flows): MortalEngine {
    const life = { isOver: false };
    const workers = new Set<string>();
    const store = this.#mortal(life, workers);
    const clock: Clock = {
      now: () => this.now(),
      elapsed: () => performance.now(),
      sleep: (ms, signal) => (life.isOver ? new Promise(() => {}) : systemClock.sleep(ms / HURRY, signal)),
    };
    const engine = createEngine({
      store,
      flows,
      clock,
      log: {
        ...SILENT,
        info: (message) => {
          this.lines.push(message);
        },
      },
      limits: { ...DEFAULT_LIMITS, ...this.limits },
      newId: () => Bun.randomUUIDv7(),
      workerName: "mortal",
    });
    const mortal: MortalEngine = {
      engine,
      get isDead() {
        return life.isOver;
      },
      kill: () => this.#die(life, workers),
    };
    this.#engines.push(mortal);
    return mortal;
  }

  /** No engine outlives it: each may hold a connection for its lock. */
  async end(): Promise<void> {
    for (const mortal of this.#engines) if (!mortal.isDead) await mortal.kill();
  }

  read(id: string): Promise<TaskRecord | undefined> {
    return this.store.readTask(id);
  }

  async #die(life: { isOver: boolean }, workers: Set<string>): Promise<void> {
    life.isOver = true;
    // what the others see of a dead worker: its lock is free
    for (const id of workers) await this.store.removeWorker(id);
  }

  #mortal(life: { isOver: boolean }, workers: Set<string>): Store {
    const { store } = this;
    const alive = async <T>(run: () => Promise<T>): Promise<T> => {
      if (life.isOver) throw new DeadError();
      const result = await run();
      await turn(); // an answer takes its time, also that of a store in this process
      if (life.isOver) throw new DeadError();
      return result;
    };
    const tell = async (moment: Moment): Promise<void> => {
      if ((await this.listener?.(moment)) === "die") await this.#die(life, workers);
    };
    const write = <T>(method: Moment["method"], run: () => Promise<T>): Promise<T> =>
      alive(async () => {
        const number = ++this.writes;
        await tell({ write: number, side: "before", method });
        const result = await alive(run);
        await tell({ write: number, side: "after", method });
        return result;
      });
    return {
      dialect: store.dialect,
      location: store.location,
      tokens: store.tokens,
      audit: store.audit,
      sessions: store.sessions,
      schedules: {
        list: (page) => alive(() => store.schedules.list(page)),
        read: (name) => alive(() => store.schedules.read(name)),
        readSkips: (name) => alive(() => store.schedules.readSkips(name)),
        insert: (row) => alive(() => store.schedules.insert(row)),
        remove: (name, version) => alive(() => store.schedules.remove(name, version)),
        readDue: (flows) => alive(() => store.schedules.readDue(flows)),
        fire: (firings) => write("fire", () => store.schedules.fire(firings)),
        wakeQueued: (names) => alive(() => store.schedules.wakeQueued(names)),
        listSources: () => alive(() => store.schedules.listSources()),
        declare: (declaration) => alive(() => store.schedules.declare(declaration)),
        confirm: (loaded) => alive(() => store.schedules.confirm(loaded)),
      },
      now: () => alive(async () => (this.#stoppedAt ?? (await store.now())) + this.skippedMs),
      insertTasks: (records) => write("insertTasks", () => store.insertTasks(records)),
      commitChanges: (changes) => write("commitChanges", () => store.commitChanges(changes)),
      takeTurn: (id) => alive(() => store.takeTurn(id)),
      limits: {
        declare: (limits) => alive(() => store.limits.declare(limits)),
        take: (limit, asked) => alive(() => store.limits.take(limit, asked)),
        giveBack: (limit, given) => alive(() => store.limits.giveBack(limit, given)),
        settle: () => alive(() => store.limits.settle()),
        list: (only) => alive(() => store.limits.list(only)),
        set: (limit, setting) => alive(() => store.limits.set(limit, setting)),
        reset: (limit) => alive(() => store.limits.reset(limit)),
        placeOfStep: (taskId, stepId) => alive(() => store.limits.placeOfStep(taskId, stepId)),
        placeOfTask: (taskId) => alive(() => store.limits.placeOfTask(taskId)),
      },
      readTaskRow: (id) => alive(() => store.readTaskRow(id)),
      postToTask: (post, audited) => write("postToTask", () => store.postToTask(post, audited)),
      postToTasks: (posts) => write("postToTasks", () => store.postToTasks(posts)),
      readInbox: (id, query) => alive(() => store.readInbox(id, query)),
      readTask: (id, reading) => alive(() => store.readTask(id, reading)),
      listTasks: (page) => alive(() => store.listTasks(page)),
      searchTasks: (page) => alive(() => store.searchTasks(page)),
      findTasks: (name) => alive(() => store.findTasks(name)),
      noteProgress: (workerId, notes) => alive(() => store.noteProgress(workerId, notes)),
      glance: (ids) => alive(() => store.glance(ids)),
      claimTasks: (request) => write("claimTasks", () => store.claimTasks(request)),
      releaseTasks: (release) => write("releaseTasks", () => store.releaseTasks(release)),
      releaseOrphans: () => write("releaseOrphans", () => store.releaseOrphans()),
      unparkTasks: (parked) => write("unparkTasks", () => store.unparkTasks(parked)),
      announce: () => alive(() => store.announce()),
      watch: (onNews) => alive(() => store.watch(onNews)),
      findDeadWorkers: () => alive(() => store.findDeadWorkers()),
      forgetDeadWorkers: () => alive(() => store.forgetDeadWorkers()),
      registerWorker: (worker) => {
        workers.add(worker.id);
        return alive(() => store.registerWorker(worker));
      },
      noteCause: (id, cause) => alive(() => store.noteCause(id, cause)),
      renewWorker: (id, leaseMs) => alive(() => store.renewWorker(id, leaseMs)),
      removeWorker: (id) => alive(() => store.removeWorker(id)),
      readWorkerState: (id) => alive(() => store.readWorkerState(id)),
      listWorkers: () => alive(() => store.listWorkers()),
      counts: {
        read: () => alive(() => store.counts.read()),
        fold: () => alive(() => store.counts.fold()),
      },
      counters: {
        write: (writer, minutes) => alive(() => store.counters.write(writer, minutes)),
        read: (query) => alive(() => store.counters.read(query)),
        fold: () => alive(() => store.counters.fold()),
      },
      figures: {
        ofFlows: (names) => alive(() => store.figures.ofFlows(names)),
        ofTickets: () => alive(() => store.figures.ofTickets()),
        ofWorkers: () => alive(() => store.figures.ofWorkers()),
      },
      events: {
        listen: (ms) => alive(() => store.events.listen(ms)),
        openReader: () => {
          const reader = store.events.openReader();
          return { read: () => alive(() => reader.read()) };
        },
      },
      removal: {
        restMs: () => store.removal.restMs(),
        portion: () => store.removal.portion(),
        listEndedFlows: () => alive(() => store.removal.listEndedFlows()),
        findEnded: (query) => alive(() => store.removal.findEnded(query)),
        removeTasks: (removal) => write("removeTasks", () => store.removal.removeTasks(removal)),
      },
      admission: {
        findOpen: (flow, key) => alive(() => store.admission.findOpen(flow, key)),
        findExpired: (limit) => alive(() => store.admission.findExpired(limit)),
      },
      pauses: {
        read: (id) => alive(() => store.pauses.read(id)),
        put: (pause) => alive(() => store.pauses.put(pause)),
        remove: (scope, name) => alive(() => store.pauses.remove(scope, name)),
        acknowledge: (id, seen) => alive(() => store.pauses.acknowledge(id, seen)),
        findUnaware: (id) => alive(() => store.pauses.findUnaware(id)),
      },
      checkReady: () => alive(() => store.checkReady()),
      close: async () => {},
    };
  }
}

export interface MortalEngine {
  readonly engine: Engine;
  readonly isDead: boolean;
  kill(): Promise<void>;
}
