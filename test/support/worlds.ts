import { afterAll, beforeAll } from "bun:test";
import type { Flow } from "../../src/core/flow/flow.ts";
import type { Limits } from "../../src/core/limits.ts";
import type { Store } from "../../src/store/store.ts";
import type { EngineDatabase } from "./databases.ts";
import { World } from "./mortal-store.ts";

export interface Worlds {
  readonly store: Store;
  /** A world over the store; it ends with the suite. */
  open(flows: readonly Flow[], limits?: Partial<Limits>): World;
}

/** Worlds over one database, which is there while the suite that calls this runs. */
export function useWorlds(create: () => Promise<EngineDatabase>): Worlds {
  let database: EngineDatabase;
  let store: Store;
  const worlds: World[] = [];

  beforeAll(async () => {
    database = await create();
    store = await database.openStore();
  });

  afterAll(async () => {
    for (const world of worlds) await world.end();
    await store.close();
    await database.drop();
  });

  return {
    get store() {
      return store;
    },
    open(flows, limits) {
      const world = new World(store, flows, limits);
      worlds.push(world);
      return world;
    },
  };
}
