import type { Store } from "../../src/store/store.ts";

/** Stands where a write is made: calls `write`, or not, or does something before and after. `number` counts from 1. */
export type AtWrite = <Result>(number: number, write: () => Promise<Result>) => Promise<Result>;

/** The store, with every write of an engine passing through `atWrite`. */
export function faultyStore(store: Store, atWrite: AtWrite): Store {
  let writes = 0;
  const through = <Args extends unknown[], Result>(write: (...args: Args) => Promise<Result>) => {
    return (...args: Args): Promise<Result> => atWrite(++writes, () => write(...args));
  };
  return {
    ...store,
    insertTasks: through((records: Parameters<Store["insertTasks"]>[0]) => store.insertTasks(records)),
    commitChanges: through((changes: Parameters<Store["commitChanges"]>[0]) => store.commitChanges(changes)),
    claimTasks: through((request: Parameters<Store["claimTasks"]>[0]) => store.claimTasks(request)),
    releaseTasks: through((release: Parameters<Store["releaseTasks"]>[0]) => store.releaseTasks(release)),
    registerWorker: through((worker: Parameters<Store["registerWorker"]>[0]) => store.registerWorker(worker)),
    removeWorker: through((id: string) => store.removeWorker(id)),
  };
}
