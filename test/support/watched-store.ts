import type { Change, Store } from "../../src/store/store.ts";

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
