import { describe, expect, test } from "bun:test";
import { stepRow, taskRow } from "../../../test/contract/rows.ts";
import { turn } from "../../../test/support/fake-clock.ts";
import { TaskonautError } from "../../core/errors.ts";
import { SILENT } from "../../core/log.ts";
import type { ClaimedTask } from "../../store/store.ts";
import { HeldTasks } from "./held-tasks.ts";

const CONCURRENCY = 3;
const LET_GO = { isEnded: false, dueAt: null };

/** The tasks that a worker holds; they are driven when the test says so. */
class Bench {
  readonly driven: ClaimedTask[] = [];
  readonly told: string[] = [];
  /** Whether tasks are driven as soon as they are taken, so that they only have to be written. */
  isQuick = false;
  readonly held: HeldTasks = new HeldTasks({
    driving: {
      drive: (claimed) => {
        this.driven.push(claimed);
        return this.isQuick;
      },
      setAside: async (_, failure) => this.tell(`aside: ${failure}`),
    },
    log: SILENT,
    concurrency: CONCURRENCY,
    onEnded: () => {
      this.tell("ended");
      throw new Error("nobody must mind");
    },
    isLeaving: () => false,
    onPlaceFree: () => this.tell("place free"),
    onLetGo: (flow, dueAt) => this.tell(`let go of ${flow}, due ${dueAt}`),
    onUnsure: () => this.tell("unsure"),
  });

  tell(what: string): void {
    this.told.push(what);
  }

  take(over: Partial<ClaimedTask> = {}): ClaimedTask {
    const claimed = { record: { task: taskRow({ flow_name: "f" }), steps: [], calls: [] }, takenFrom: null, ...over };
    this.held.take(claimed);
    return claimed;
  }

  /** A task whose worker died twice in a row while its step ran. */
  takeDeadly(): ClaimedTask {
    const task = taskRow();
    const steps = [stepRow(task.id, { status: "RUNNING", starts: 2 })];
    return this.take({ record: { task, steps, calls: [] }, takenFrom: "the dead" });
  }

  end(claimed: ClaimedTask, end = LET_GO): void {
    this.held.onIdle(claimed);
    this.held.onEnd(claimed, end);
  }
}

describe("held tasks", () => {
  test("take a place each until they are idle, and are held until they are let go of", () => {
    const bench = new Bench();
    const [first] = [bench.take(), bench.take(), bench.take()];
    expect(bench.held.room).toBe(0);
    bench.held.onIdle(first);
    expect([bench.held.room, bench.held.ids().length, bench.told]).toEqual([1, 3, ["place free"]]);
    bench.held.onEnd(first, { isEnded: false, dueAt: 7 });
    expect([bench.held.ids().length, bench.told.at(-1)]).toEqual([2, "let go of f, due 7"]);
  });

  test("take no place where they are only being written, but not any number of them is held", () => {
    const bench = new Bench();
    bench.isQuick = true;
    for (const room of [3, 3, 3, 2, 1, 0]) {
      bench.take();
      expect(bench.held.room).toBe(room);
    }
  });

  test("that were claimed again before it was known that they were let go of are held as long as one claim is", () => {
    const bench = new Bench();
    const once = bench.take();
    const again = bench.take({ record: once.record });
    bench.end(once);
    expect(bench.held.ids()).toEqual([once.record.task.id]);
    bench.end(again);
    expect(bench.held.ids()).toEqual([]);
  });

  test("leave no room while large ones of too many bytes are among them", () => {
    const bench = new Bench();
    const large = (): ClaimedTask =>
      bench.take({
        record: { task: taskRow({ recorded_bytes: 128 * 1024 * 1024 }), steps: [], calls: [] },
        isBare: true,
      });
    const first = large();
    expect(bench.held.room).toBe(2);
    large();
    expect(bench.held.room).toBe(0);
    bench.end(first);
    expect(bench.held.room).toBe(2);
  });

  test("that may have killed their workers are driven one after the other, in one place", async () => {
    const bench = new Bench();
    const deadly = [bench.takeDeadly(), bench.takeDeadly(), bench.takeDeadly()];
    await turn();
    for (const [index, claimed] of deadly.entries()) {
      expect([bench.driven.length, bench.held.room]).toEqual([index + 1, 2]);
      bench.end(claimed);
      await turn();
    }
    expect([bench.driven, bench.held.room, bench.held.ids()]).toEqual([deadly, 3, []]);
  });

  test("are told of when they end, whoever fails in hearing it", () => {
    const bench = new Bench();
    bench.end(bench.take(), { isEnded: true, dueAt: null });
    expect(bench.told).toEqual(["place free", "ended", "let go of f, due null"]);
  });

  test("that could not be driven on are put aside, let go of, and leave it unsure what is held", async () => {
    const bench = new Bench();
    const claimed = bench.take();
    bench.held.onIdle(claimed);
    bench.held.onFailed(claimed, new Error("odd"));
    await turn();
    expect(bench.told).toEqual(["place free", "aside: odd", "unsure", "let go of f, due null"]);
  });

  test("are not put aside where the database was away", async () => {
    const bench = new Bench();
    const claimed = bench.take();
    bench.held.onFailed(claimed, new TaskonautError("database_unavailable", "It is away."));
    await turn();
    expect(bench.told).toEqual(["unsure", "let go of f, due null"]);
  });

  test("are waited for until the last one is let go of", async () => {
    const bench = new Bench();
    await bench.held.allLetGo();
    const claimed = bench.take();
    const allLetGo = bench.held.allLetGo();
    await turn();
    expect(Bun.peek.status(allLetGo)).toBe("pending");
    bench.end(claimed);
    await allLetGo;
  });
});
