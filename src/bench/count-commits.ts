import type { Store } from "../store/store.ts";

export interface CommitCounter {
  readonly store: Store;
  /** Of everything that goes with the number of tasks; registering a worker and its like do not. */
  readonly commits: number;
}

/** Counts the commits of a store: each of its writes is one, but for claims that share another's, or give nothing. */
export function countCommits(store: Store): CommitCounter {
  let commits = 0;
  const counted = <In extends unknown[], Out>(write: (...input: In) => Promise<Out>) => {
    return (...input: In): Promise<Out> => {
      commits += 1;
      return write(...input);
    };
  };
  return {
    store: {
      ...store,
      insertTasks: counted((records) => store.insertTasks(records)),
      commitChanges: counted((changes) => store.commitChanges(changes)),
      async claimTasks(request) {
        const claim = await store.claimTasks(request);
        if (claim.tasks.length > 0 && !claim.isShared) commits += 1;
        return claim;
      },
      postToTask: counted((post) => store.postToTask(post)),
    },
    get commits() {
      return commits;
    },
  };
}
