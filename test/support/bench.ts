// A database for the tests of one file, and engines on it that are closed after each test.

import { afterAll, afterEach, beforeAll } from "bun:test";
import type { Store } from "../../src/store/store.ts";
import type { EngineDatabase } from "./databases.ts";
import type { Clock } from "../../src/core/clock.ts";
import type { Engine } from "../../src/engine/engine-options.ts";
import { systemClock } from "../../src/engine/process/system-clock.ts";
import { engineOn } from "./engine.ts";

/** Set-up takes a while where a PostgreSQL server has to be started first. */
const SET_UP_MS_MAX = 120_000;

type EngineOptions = Parameters<typeof engineOn>[1] & {
  /** Stands between the engine and its store. */
  readonly around?: (store: Store) => Store;
};

export interface Bench {
  readonly database: EngineDatabase;
  /** A store of its own, as another process has it. Closed after the test. */
  openStore(): Promise<Store>;
  /** An engine on a store of its own, as another process has it. Closed after the test, without grace. */
  openEngine(options?: EngineOptions): Promise<Engine>;
  /** An engine, and how to lose it: its process is gone, and whatever it held stays as it was. */
  openDoomed(options?: EngineOptions): Promise<Doomed>;
}

export interface Doomed {
  readonly engine: Engine;
  readonly die: () => Promise<void>;
}

/** Call it at the top of a `describe`. */
export function benchOn(createDatabase: () => Promise<EngineDatabase>): Bench {
  let database: EngineDatabase | undefined;
  let open: (() => Promise<void>)[] = [];

  beforeAll(async () => {
    database = await createDatabase();
  }, SET_UP_MS_MAX);
  afterEach(async () => {
    const closing = open.map((close) => close());
    open = [];
    await Promise.all(closing);
  });
  afterAll(() => database?.drop());

  const openStore = async (): Promise<Store> => {
    if (!database) throw new Error("The database is there within tests only.");
    return database.openStore();
  };
  const build = (store: Store, { around = (given) => given, limits, ...options }: EngineOptions = {}): Engine =>
    engineOn(around(store), { ...options, limits: { graceMs: 0, ...limits } });
  return {
    get database() {
      if (!database) throw new Error("The database is there within tests only.");
      return database;
    },
    async openStore() {
      const store = await openStore();
      open.push(() => store.close());
      return store;
    },
    async openEngine(options) {
      const engine = build(await openStore(), options);
      open.push(() => engine.close());
      return engine;
    },
    async openDoomed({ clock: living = systemClock, ...options } = {}) {
      const store = await openStore();
      let isDead = false;
      const clock: Clock = {
        now: () => living.now(),
        elapsed: () => living.elapsed(),
        sleep: (ms, signal) => (isDead ? new Promise(() => {}) : living.sleep(ms, signal)),
      };
      // who closes the connections of a worker frees its lock, but leaves its row and its tasks behind
      const engine = build({ ...store, close: async () => {} }, { ...options, clock });
      const die = async (): Promise<void> => {
        if (isDead) return;
        isDead = true;
        await store.close();
      };
      open.push(die);
      return { engine, die };
    },
  };
}
