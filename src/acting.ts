// Who acts, from the door to where it is written down, whatever waits in between. What a worker does by itself has nobody.

import { AsyncLocalStorage } from "node:async_hooks";
import type { Actor } from "./core/api/audit.ts";

export class Acting {
  /** Most processes never need it. */
  #actors: AsyncLocalStorage<Actor | undefined> | undefined;

  run<Result>(actor: Actor, act: () => Promise<Result>): Promise<Result> {
    this.#actors ??= new AsyncLocalStorage();
    return this.#actors.run(actor, act);
  }

  /** For what a worker does, wherever it was begun. */
  asNobody<Result>(act: () => Promise<Result>): Promise<Result> {
    return this.#actors ? this.#actors.run(undefined, act) : act();
  }

  /** Undefined: nobody whose doings are written down. */
  get actor(): Actor | undefined {
    return this.#actors?.getStore();
  }
}
