import { expect, test } from "bun:test";
import type { Claim, ClaimedTask, Store } from "../store/store.ts";
import { countCommits } from "./count-commits.ts";

const REQUEST = { workerId: "w", limit: 1, flows: [], deadOwners: [] };

test("each write is a commit, but for a claim that shares another's, or gives nothing", async () => {
  const given: Claim = { tasks: [{} as ClaimedTask], nextDueAt: null, now: 0 };
  const claims: Claim[] = [given, { ...given, isShared: true }, { ...given, tasks: [] }];
  const counter = countCommits({
    insertTasks: async () => [],
    commitChanges: async () => [],
    claimTasks: async () => claims.shift(),
  } as unknown as Store);
  await counter.store.insertTasks([]);
  await counter.store.commitChanges([]);
  for (const commits of [3, 3, 3]) {
    await counter.store.claimTasks(REQUEST);
    expect(counter.commits).toBe(commits);
  }
});
