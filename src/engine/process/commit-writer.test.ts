import { describe, expect, test } from "bun:test";
import { changeOf as changeOfRow } from "../../../test/contract/rows.ts";
import { turn } from "../../../test/support/fake-clock.ts";
import { recordOf } from "../../../test/support/engine.ts";
import { rejection } from "../../../test/support/rejection.ts";
import { TaskonautError } from "../../core/errors.ts";
import { echoAdd } from "../../flows/echo-add.ts";
import type { Change, Store } from "../../store/store.ts";
import { CommitWriter } from "./commit-writer.ts";

type Writes = Pick<Store, "insertTasks" | "commitChanges">;

/** Keeps the requested writes, and answers each commit when the test says so. */
class GatedStore implements Writes {
  readonly commits: string[][] = [];
  readonly #gates: PromiseWithResolvers<void>[] = [];
  underWay = 0;

  constructor(
    private readonly answer: (batch: readonly string[]) => readonly boolean[] = (batch) => batch.map(() => true),
  ) {}

  insertTasks: Writes["insertTasks"] = (records) => this.#write(records.map((record) => `insert ${record.task.id}`));
  commitChanges: Writes["commitChanges"] = (changes) => this.#write(changes.map(nameOf));

  async #write(batch: string[]): Promise<readonly boolean[]> {
    expect(this.underWay).toBe(0); // W1: one commit at a time
    this.underWay += 1;
    this.commits.push(batch);
    const gate = Promise.withResolvers<void>();
    this.#gates.push(gate);
    await gate.promise;
    this.underWay -= 1;
    return this.answer(batch);
  }

  async release(): Promise<void> {
    this.#gates.shift()?.resolve();
    await turn();
  }
}

function changeOf(taskId: string, version = 1): Change {
  return changeOfRow({ ...recordOf(echoAdd).task, id: taskId, version });
}

const nameOf = (change: Change): string => `${change.taskId}@${change.expectedVersion}`;

describe("the commit writer", () => {
  test("writes a lone change within a turn of the event loop, without waiting for others", async () => {
    const store = new GatedStore();
    const written = new CommitWriter(store).submitChange(changeOf("a"));
    await new Promise((resolve) => setImmediate(resolve));
    expect(store.commits).toEqual([["a@1"]]);
    await store.release();
    expect(await written).toBe(true);
  });

  test("gathers what comes while a commit is under way into the next one", async () => {
    const store = new GatedStore();
    const writer = new CommitWriter(store);
    const results = [writer.submitChange(changeOf("a"))];
    await turn();
    results.push(...["b", "c", "d"].map((id) => writer.submitChange(changeOf(id))));
    await turn();
    expect(store.commits).toEqual([["a@1"]]);
    await store.release();
    expect(store.commits).toEqual([["a@1"], ["b@1", "c@1", "d@1"]]);
    await store.release();
    expect(await Promise.all(results)).toEqual([true, true, true, true]);
  });

  test("writes together what is ready in the same moment", async () => {
    const store = new GatedStore();
    const writer = new CommitWriter(store);
    const results = ["a", "b"].map((id) => writer.submitChange(changeOf(id)));
    await turn();
    expect(store.commits).toEqual([["a@1", "b@1"]]);
    await store.release();
    expect(await Promise.all(results)).toEqual([true, true]);
  });

  test("writes of one task one change per commit, in the order in which they came (W1)", async () => {
    const store = new GatedStore();
    const writer = new CommitWriter(store);
    const results = [1, 2, 3].map((version) => writer.submitChange(changeOf("a", version)));
    results.push(writer.submitChange(changeOf("b")));
    await turn();
    for (let i = 0; i < 3; i++) await store.release();
    expect(store.commits).toEqual([["a@1", "b@1"], ["a@2"], ["a@3"]]);
    expect(await Promise.all(results)).toEqual([true, true, true, true]);
  });

  test("writes a new task before its changes", async () => {
    const store = new GatedStore();
    const writer = new CommitWriter(store);
    const record = recordOf(echoAdd);
    const results = [writer.submitChange(changeOf(record.task.id)), writer.submitTask(record)];
    await turn();
    for (let i = 0; i < 2; i++) await store.release();
    expect(store.commits).toEqual([[`insert ${record.task.id}`], [`${record.task.id}@1`]]);
    expect(await Promise.all(results)).toEqual([true, true]);
  });

  test("writes no commit of more than 256, and all of them", async () => {
    const store = new GatedStore();
    const writer = new CommitWriter(store);
    const results = Array.from({ length: 450 }, (_, i) => writer.submitChange(changeOf(`t${i}`)));
    await turn();
    for (let i = 0; i < 3; i++) await store.release();
    expect(store.commits.map((batch) => batch.length)).toEqual([256, 194]);
    expect(store.commits.flat()).toEqual(Array.from({ length: 450 }, (_, i) => `t${i}@1`));
    expect((await Promise.all(results)).every(Boolean)).toBe(true);
  });

  test("tells each its own result: won or lost", async () => {
    const store = new GatedStore((batch) => batch.map((name) => name !== "b@1"));
    const writer = new CommitWriter(store);
    const results = ["a", "b", "c"].map((id) => writer.submitChange(changeOf(id)));
    await turn();
    await store.release();
    expect(await Promise.all(results)).toEqual([true, false, true]);
  });

  test("lets a change that the database refuses take nobody else with it", async () => {
    const store = new GatedStore((batch) => {
      if (batch.includes("b@1")) throw new TaskonautError("internal", `refused ${batch.join()}`);
      return batch.map(() => true);
    });
    const writer = new CommitWriter(store);
    const [a, b, c] = ["a", "b", "c"].map((id) => writer.submitChange(changeOf(id))) as [
      Promise<boolean>,
      Promise<boolean>,
      Promise<boolean>,
    ];
    const refused = rejection(b);
    await turn();
    for (let i = 0; i < 4; i++) await store.release();
    expect(store.commits).toEqual([["a@1", "b@1", "c@1"], ["a@1"], ["b@1"], ["c@1"]]);
    expect(await Promise.all([a, c])).toEqual([true, true]);
    expect((await refused).message).toBe("refused b@1");
  });

  test("tells all of an outage, tries nothing of it a second time, and goes on with what comes after", async () => {
    let isGone = true;
    const store = new GatedStore((batch) => {
      if (isGone) throw new TaskonautError("database_unavailable", "gone");
      return batch.map(() => true);
    });
    const writer = new CommitWriter(store);
    const failed = ["a", "b"].map((id) => rejection(writer.submitChange(changeOf(id))));
    await turn();
    await store.release();
    expect((await Promise.all(failed)).map((error) => error.message)).toEqual(["gone", "gone"]);
    expect(store.commits).toHaveLength(1);
    isGone = false;
    const next = writer.submitChange(changeOf("c"));
    await turn();
    await store.release();
    expect(await next).toBe(true);
  });

  test("settles when everything that was submitted is written", async () => {
    const store = new GatedStore();
    const writer = new CommitWriter(store);
    let isSettled = false;
    const results = [writer.submitChange(changeOf("a", 1)), writer.submitChange(changeOf("a", 2))];
    const settled = writer.settle().then(() => (isSettled = true));
    await turn();
    await store.release();
    expect(isSettled).toBe(false);
    await store.release();
    await settled;
    await Promise.all(results);
    await writer.settle();
  });
});
