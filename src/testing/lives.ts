// The processes that run a task in a test, one after the other: engines over one store in memory, under one simulated
// clock. One may die at a write, as a process would: what was written stands, it does nothing any more, and the next one
// finds it gone.

import type { Clock } from "../core/clock.ts";
import type { CallTool } from "../core/flow/tool.ts";
import type { Flow } from "../core/flow/flow.ts";
import type { Limits } from "../core/limits.ts";
import { type Log, SILENT } from "../core/log.ts";
import { createEngine, type Engine } from "../engine/engine.ts";
import type { TaskRecord } from "../core/record/record.ts";
import type { Change, Store } from "../store/store.ts";
import type { SimulatedClock } from "./simulated-clock.ts";

/** The place of a write in the life of a task. */
interface WriteMoment {
  /** 1, 2, 3 … over all lives. */
  readonly write: number;
  readonly side: "before" | "after";
}

export interface LivesOptions {
  readonly store: Store;
  readonly clock: SimulatedClock;
  readonly flows: readonly Flow[];
  readonly limits: Limits;
  readonly callTool: CallTool;
  /** Where flows log. */
  readonly log: Log;
  readonly newId: () => string;
  /** Whether the process that makes this write dies there. */
  readonly diesAt: (moment: WriteMoment) => boolean;
  /** Told of tasks that are durable now, and of changes that were made to some. */
  readonly onInserted: (records: readonly TaskRecord[]) => void;
  readonly onChanged: (changes: readonly Change[]) => void;
}

/** A name of its own for each life is of no use to a test: the ids tell them apart. */
const NAME = "test";

class DeadError extends Error {
  override readonly name = "DeadError";
}

export class Lives {
  /** How many writes were begun. */
  writes = 0;
  #current: Life | undefined;

  constructor(private readonly options: LivesOptions) {}

  /** The one that lives; a new one where the last has died. */
  get current(): Life {
    if (!this.#current || this.#current.isOver) this.#current = new Life(this.options, () => (this.writes += 1));
    return this.#current;
  }

  async end(): Promise<void> {
    await this.#current?.close();
  }
}

export class Life {
  readonly engine: Engine;
  /** Resolves when it dies. */
  readonly died: Promise<void>;
  isOver = false;
  readonly #die: () => void;
  readonly #sleeping = new Set<() => void>();
  readonly #workers = new Set<string>();

  constructor(
    private readonly options: LivesOptions,
    private readonly countWrite: () => number,
  ) {
    const { flows, limits, callTool, log, newId } = options;
    const died = Promise.withResolvers<void>();
    this.died = died.promise;
    this.#die = died.resolve;
    this.engine = createEngine({
      store: this.#store(),
      flows,
      clock: this.#clock(),
      log: SILENT,
      limits,
      newId,
      workerName: NAME,
      callTool,
      ...(log.info && { flowLog: log.info }),
    });
  }

  async close(): Promise<void> {
    if (!this.isOver) await this.options.clock.follow(this.engine.close());
  }

  async #end(): Promise<void> {
    this.isOver = true;
    for (const cancel of this.#sleeping) cancel();
    this.#sleeping.clear();
    // what others see of a process that is gone: it holds nothing any more
    for (const id of this.#workers) await this.options.store.removeWorker(id);
    this.#die();
  }

  #clock(): Clock {
    const { clock } = this.options;
    return {
      now: () => clock.now(),
      sleep: (ms, signal) => {
        if (this.isOver) return new Promise(() => {});
        const stop = new AbortController();
        const cancel = (): void => stop.abort();
        this.#sleeping.add(cancel);
        const slept = clock.sleep(ms, signal ? AbortSignal.any([signal, stop.signal]) : stop.signal);
        return slept
          .catch((error: unknown) => (this.isOver ? new Promise<void>(() => {}) : Promise.reject<void>(error)))
          .finally(() => this.#sleeping.delete(cancel));
      },
    };
  }

  #store(): Store {
    const { store, onInserted, onChanged } = this.options;
    return {
      ...store,
      now: () => this.#alive(() => store.now()),
      insertTasks: (records) =>
        this.#write(
          () => store.insertTasks(records),
          (isNew) => onInserted(records.filter((_, place) => isNew[place])),
        ),
      commitChanges: (changes) =>
        this.#write(
          () => store.commitChanges(changes),
          (isMade) => onChanged(changes.filter((_, place) => isMade[place])),
        ),
      postToTask: (post) => this.#write(() => store.postToTask(post)),
      readTask: (id) => this.#alive(() => store.readTask(id)),
      readTaskRow: (id) => this.#alive(() => store.readTaskRow(id)),
      readInbox: (id, query) => this.#alive(() => store.readInbox(id, query)),
      registerWorker: (worker) => {
        this.#workers.add(worker.id);
        return this.#alive(() => store.registerWorker(worker));
      },
      close: async () => {}, // the next life goes on with it
    };
  }

  async #alive<T>(run: () => Promise<T>): Promise<T> {
    this.#assertAlive();
    const result = await run();
    this.#assertAlive();
    return result;
  }

  async #write<T>(run: () => Promise<T>, tell?: (result: T) => void): Promise<T> {
    this.#assertAlive();
    const write = this.countWrite();
    const { diesAt } = this.options;
    if (diesAt({ write, side: "before" })) await this.#end();
    const result = await this.#alive(run);
    tell?.(result);
    if (diesAt({ write, side: "after" })) await this.#end();
    this.#assertAlive();
    return result;
  }

  #assertAlive(): void {
    if (this.isOver) throw new DeadError();
  }
}
