import type { Change, Store } from "../../src/store/store.ts";
import { until } from "./until.ts";

/** What was committed for each task, one commit after the other. */
export class Commits {
  readonly all: Change[] = [];
  /** Told of each commit before it is made. */
  atCommit: ((changes: readonly Change[]) => void) | undefined;

  /** For `around` of a bench's engine. */
  readonly watch = (store: Store): Store => ({
    ...store,
    commitChanges: async (changes) => {
      this.atCommit?.(changes);
      const won = await store.commitChanges(changes);
      this.all.push(...changes.filter((_, index) => won[index]));
      return won;
    },
  });

  of(taskId: string): readonly Change[] {
    return this.all.filter((change) => change.taskId === taskId);
  }
}

/** What each claim of a worker gave, one after the other. */
export class Claims {
  /** How many tasks. */
  readonly sizes: number[] = [];
  #held: { readonly reached: () => void; readonly given: Promise<void> } | undefined;

  /** For `around` of a bench's engine. */
  readonly watch = (store: Store): Store => ({
    ...store,
    claimTasks: async (request) => {
      const held = this.#held;
      this.#held = undefined;
      const claim = await store.claimTasks(request);
      held?.reached();
      await held?.given;
      this.sizes.push(claim.tasks.length);
      return claim;
    },
  });

  /** Resolves when the last claim was made in vain: the worker waits until it is told, or until its time has come. */
  async foundNothing(): Promise<void> {
    await until(() => this.sizes.at(-1) === 0);
  }

  /** Of the next claim: `reached` resolves when it was made, but the worker has no answer before `give` is called. */
  holdNext(): { readonly reached: Promise<void>; readonly give: () => void } {
    const [reached, given] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    this.#held = { reached: reached.resolve, given: given.promise };
    return { reached: reached.promise, give: given.resolve };
  }
}
