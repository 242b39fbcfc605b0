import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import { taskRow } from "../../../test/contract/rows.ts";
import { FakeClock, turn } from "../../../test/support/fake-clock.ts";
import { TaskonautError } from "../../core/errors.ts";
import { defineFlow } from "../../core/flow/flow.ts";
import { DEFAULT_LIMITS } from "../../core/limits.ts";
import { SILENT } from "../../core/log.ts";
import type { ClaimedTask, ClaimRequest } from "../../store/store.ts";
import type { Claimant } from "../driving/drive-for-worker.ts";
import { StoreClock } from "../process/store-clock.ts";
import { Flows } from "../task/flows.ts";
import { Worker } from "./worker.ts";

const WORKER = "worker 1";
const flow = (name: string, concurrency?: number) =>
  defineFlow({ name, input: v.unknown(), plan: () => [], ...(concurrency !== undefined && { concurrency }) });

/** A worker with four places whose loop the test turns, on a queue that is a list. */
class Bench {
  readonly clock = new FakeClock();
  readonly queue: string[] = [];
  readonly claims: ClaimRequest[] = [];
  readonly releases: (readonly string[])[] = [];
  readonly told: string[] = [];
  heldByHand: readonly string[] = [];
  isAway = false;
  nextDueAt: number | null = null;
  readonly #driven = new Map<string, { readonly claimed: ClaimedTask; readonly claimant: Claimant }>();
  hear: (() => boolean) | undefined;
  onNews = (): void => {};
  readonly worker: Worker;

  constructor(newsComes: "notified" | "polling" = "notified") {
    const { clock } = this;
    this.worker = new Worker(
      {
        flows: new Flows([flow("any"), flow("rare", 1)], DEFAULT_LIMITS),
        store: {
          claimTasks: async (request) => {
            this.claims.push(request);
            if (this.isAway) throw new TaskonautError("database_unavailable", "It is away.");
            const tasks = this.queue.splice(0, request.limit).map((id) => claimOf(id));
            return { tasks, nextDueAt: tasks.length > 0 ? null : this.nextDueAt, now: clock.now(), pauses: [] };
          },
          releaseTasks: async ({ except }) => this.releases.push(except),
          releaseOrphans: async () => 0,
          unparkTasks: async () => 0,
          forgetDeadWorkers: async () => 0,
        },
        pauses: { note() {}, readSoon() {} },
        driving: {
          drive: (claimed, claimant) => {
            this.#driven.set(claimed.record.task.id, { claimed, claimant });
            return false;
          },
          setAside: async () => {},
        },
        lease: {
          workerId: WORKER,
          work: async (_, { onNews }) => {
            this.onNews = onNews;
            return newsComes;
          },
          renewRegistration: () => this.told.push("registered again"),
        },
        notifier: {
          listen: (hear) => (this.hear = hear),
          tellWorkers: () => this.told.push("workers"),
          tellOthers: () => this.told.push("others"),
        },
        heldByHand: () => this.heldByHand,
        clock,
        storeClock: new StoreClock({ now: async () => clock.now() }, clock),
        log: SILENT,
        limits: DEFAULT_LIMITS,
      },
      { concurrency: 4 },
    );
  }

  /** Ids of the tasks that are driven. */
  get driven(): readonly string[] {
    return [...this.#driven.keys()];
  }

  letGo(id: string, dueAt: number | null = null): void {
    const { claimed, claimant } = this.#driven.get(id)!;
    this.#driven.delete(id);
    claimant.onIdle(claimed);
    claimant.onEnd(claimed, { isEnded: false, dueAt });
  }
}

function claimOf(id: string): ClaimedTask {
  const flow_name = id.startsWith("rare") ? "rare" : "any";
  return { record: { task: taskRow({ id, flow_name }), steps: [], calls: [] }, takenFrom: null };
}

/** Waits until the worker has looked and pauses: during a look it gives the event loop a turn. */
async function rest(): Promise<void> {
  for (let turns = 0; turns < 3; turns++) await turn();
}

describe("a tick of a worker", () => {
  test("claims as many tasks as there are places for, and drives them", async () => {
    const bench = new Bench();
    bench.queue.push("a", "b", "c", "d", "e");
    expect(await bench.worker.tick()).toEqual({ kind: "claim", limit: 4 });
    expect(bench.driven).toEqual(["a", "b", "c", "d"]);
    expect(bench.claims).toMatchObject([{ workerId: WORKER, limit: 4, deadOwners: [] }]);
    expect(await bench.worker.tick()).toMatchObject({ kind: "full" });
    bench.letGo("b");
    bench.letGo("c");
    await bench.clock.advance(5);
    expect(await bench.worker.tick()).toEqual({ kind: "claim", limit: 2 });
    expect(bench.driven).toEqual(["a", "d", "e"]);
  });

  test("does not look where it has found nothing, until a task is due", async () => {
    const bench = new Bench();
    bench.nextDueAt = bench.clock.now() + 700;
    await bench.worker.tick();
    expect(await bench.worker.tick()).toEqual({ kind: "idle", ms: 700 });
    expect(bench.claims).toHaveLength(1);
  });

  test("after a failure lets go of what may be held without being known, but not of what is known", async () => {
    const bench = new Bench();
    bench.queue.push("a");
    await bench.worker.tick();
    bench.heldByHand = ["by hand"];
    bench.isAway = true;
    bench.worker.lookAgain();
    expect(await bench.worker.tick()).toMatchObject({ kind: "claim" });
    expect(await bench.worker.tick()).toEqual({ kind: "pause", ms: 50 });
    bench.isAway = false;
    await bench.clock.advance(50);
    expect(await bench.worker.tick()).toMatchObject({ kind: "claim" });
    expect(bench.releases).toEqual([
      ["a", "by hand"],
      ["a", "by hand"],
    ]);
  });

  test("lets go once more where a caller drove what may be left", async () => {
    const bench = new Bench();
    bench.worker.lookAgain();
    await bench.clock.advance(60_000);
    bench.heldByHand = ["by hand"];
    await bench.worker.start();
    await rest();
    bench.heldByHand = [];
    for (let looks = 0; looks < 2; looks++) {
      bench.onNews();
      await rest();
    }
    await bench.worker.stop();
    expect(bench.releases).toEqual([["by hand"], []]);
  });

  test("tells others of news that only this process has heard and has no room for, once", async () => {
    const bench = new Bench();
    bench.queue.push("a", "b", "c", "d");
    await bench.worker.start();
    await rest();
    expect(bench.driven).toHaveLength(4);
    bench.onNews();
    await rest();
    expect(bench.told).toEqual([]);
    expect(bench.hear?.()).toBe(false);
    await rest();
    expect(bench.told).toEqual(["others"]);
  });
});

describe("a worker", () => {
  test("that idles looks when it is told of news, when a task is due that it let go of, and once in a while", async () => {
    const bench = new Bench();
    await bench.worker.start();
    await rest();
    expect(bench.claims).toHaveLength(1);
    expect(bench.hear?.()).toBe(true);
    await rest();
    expect(bench.claims).toHaveLength(2);
    bench.queue.push("a");
    bench.onNews();
    await rest();
    await bench.clock.advance(100);
    await rest();
    expect(bench.claims).toHaveLength(4);
    bench.letGo("a", bench.clock.now() + 300);
    await bench.clock.advance(299);
    expect(bench.claims).toHaveLength(4);
    await bench.clock.advance(1);
    await rest();
    expect(bench.claims).toHaveLength(5);
    await bench.clock.advance(20_000);
    expect(bench.claims).toHaveLength(6);
    await bench.worker.stop();
    expect(bench.told).toEqual(["workers"]);
  });

  test("that nobody tells of news looks twice a second", async () => {
    const bench = new Bench("polling");
    await bench.worker.start();
    await rest();
    for (const claims of [1, 2, 3]) {
      expect(bench.claims).toHaveLength(claims);
      await bench.clock.advance(500);
      await rest();
    }
    await bench.worker.stop();
  });

  test("that lets go of a task of a flow with a limit tells all, for whoever has room may take the next", async () => {
    const bench = new Bench();
    bench.queue.push("rare 1");
    await bench.worker.tick();
    bench.letGo("rare 1");
    expect(bench.told).toEqual(["workers"]);
    await bench.clock.advance(5);
    expect(await bench.worker.tick()).toMatchObject({ kind: "claim" });
  });

  test("that leaves waits for what it holds, no longer than the grace period", async () => {
    const bench = new Bench();
    bench.queue.push("a", "b");
    await bench.worker.start();
    await rest();
    const stopped = bench.worker.stop();
    await bench.clock.advance(DEFAULT_LIMITS.graceMs - 1);
    bench.letGo("a");
    expect(Bun.peek.status(stopped)).toBe("pending");
    await bench.clock.advance(1);
    await stopped;
    expect(bench.driven).toEqual(["b"]);
  });
});
