import { describe, expect, test } from "bun:test";
import { FakeClock, turn } from "../../../test/support/fake-clock.ts";
import { rejection } from "../../../test/support/rejection.ts";
import type { SignOfLife } from "../../store/store.ts";
import { Beat, type BeatEvent, DEATH_WATCH_MS } from "./beat.ts";

const LEASE_MS = 12_000;

/** A store whose answers the test controls, and the heartbeat on it. */
class Beating implements SignOfLife {
  readonly clock = new FakeClock();
  readonly told: BeatEvent[] = [];
  readonly asked: string[] = [];
  dead: readonly string[] = [];
  onNews: () => void = () => {};
  renews: () => boolean | Promise<boolean> = () => true;
  registers: () => void = () => {};
  readonly beat: Beat;

  constructor(concurrency = 0) {
    const tell = (event: BeatEvent): void => {
      this.told.push(event);
    };
    this.beat = new Beat(
      { id: "me", name: "host:1", leaseMs: LEASE_MS, concurrency },
      { store: this, clock: this.clock, tell },
    );
  }

  get renewals(): number {
    return this.asked.filter((what) => what === "renew").length;
  }

  async registerWorker(worker: Parameters<SignOfLife["registerWorker"]>[0]): Promise<void> {
    expect(worker).toMatchObject({ id: "me", leaseMs: LEASE_MS });
    this.asked.push("register");
    this.registers();
  }

  async renewWorker(id: string, leaseMs: number): Promise<boolean> {
    expect([id, leaseMs]).toEqual(["me", LEASE_MS]);
    this.asked.push("renew");
    return this.renews();
  }

  async findDeadWorkers(): Promise<readonly string[]> {
    if (this.dead.includes("unreachable")) throw new Error("no route");
    return this.dead;
  }

  async watch(onNews: () => void): ReturnType<SignOfLife["watch"]> {
    this.asked.push("watch");
    this.onNews = onNews;
    return {
      kind: "notified",
      close: async () => {
        this.asked.push("close");
      },
    };
  }
}

function fail(): never {
  throw new Error("no route");
}

describe("the beat of a worker", () => {
  test("registers it, then renews its lease three times within its length", async () => {
    const beating = new Beating();
    await beating.beat.start();
    await beating.clock.advance(2 * LEASE_MS);
    expect(beating.asked).toEqual(["register", ...Array.from({ length: 6 }, () => "renew")]);
    expect(beating.told).toEqual([]);
    await beating.beat.stop();
    expect(beating.clock.sleeping).toBe(0);
  });

  test("does not begin where the worker cannot be registered", async () => {
    const beating = new Beating(1);
    beating.registers = fail;
    expect((await rejection(beating.beat.start())).message).toBe("no route");
    await beating.beat.stop();
    expect([beating.asked, beating.clock.sleeping]).toEqual([["register"], 0]);
  });

  test("is tried again sooner after a failure, and tells when it succeeds again", async () => {
    const beating = new Beating();
    await beating.beat.start();
    beating.renews = fail;
    await beating.clock.advance(LEASE_MS / 3);
    expect(beating.told).toEqual([{ kind: "failed", failures: 1, error: "no route" }]);
    expect(beating.clock.waits).toEqual([LEASE_MS / 12]);
    beating.renews = () => true;
    await beating.clock.advance(LEASE_MS / 12);
    expect(beating.told.slice(1)).toEqual([{ kind: "recovered", failures: 1 }]);
    expect(beating.clock.waits).toEqual([LEASE_MS / 3]);
    await beating.beat.stop();
  });

  test("tells of failures that go on once a minute", async () => {
    const beating = new Beating();
    await beating.beat.start();
    beating.renews = fail;
    await beating.clock.advance(LEASE_MS / 3 + 120_000);
    expect(beating.told.map((event) => event.kind === "failed" && event.failures)).toEqual([1, 61, 121]);
    await beating.beat.stop();
  });

  test("registers it again where its row is gone, also where that fails at first, and tells", async () => {
    const beating = new Beating();
    await beating.beat.start();
    beating.renews = () => false;
    beating.registers = fail;
    await beating.clock.advance(LEASE_MS / 3);
    expect(beating.told).toEqual([{ kind: "failed", failures: 1, error: "no route" }]);
    beating.registers = () => {};
    await beating.clock.advance(LEASE_MS / 12);
    expect(beating.told.slice(1)).toEqual([{ kind: "recovered", failures: 1 }, { kind: "gone" }]);
    expect(beating.asked).toEqual(["register", "renew", "register", "renew", "register"]);
    await beating.beat.stop();
  });

  test("registers it at once where others say that it is forgotten", async () => {
    const beating = new Beating();
    await beating.beat.start();
    beating.beat.register();
    await turn();
    expect(beating.asked).toEqual(["register", "register"]);
    await beating.clock.advance(LEASE_MS / 3);
    expect(beating.asked).toEqual(["register", "register", "renew"]);
    await beating.beat.stop();
  });

  test("lets a renewal that is under way end before it stops", async () => {
    const beating = new Beating();
    await beating.beat.start();
    const { promise, resolve } = Promise.withResolvers<boolean>();
    beating.renews = () => promise;
    await beating.clock.advance(LEASE_MS / 3);
    let hasStopped = false;
    const stopped = beating.beat.stop().then(() => (hasStopped = true));
    await turn();
    expect(hasStopped).toBe(false);
    resolve(true);
    await stopped;
  });
});

describe("the beat of a worker that takes tasks from the queue", () => {
  test("tells of news, and closes its watch when it stops", async () => {
    const beating = new Beating(2);
    expect(await beating.beat.start()).toBe("notified");
    beating.onNews();
    expect(beating.told).toEqual([{ kind: "news" }]);
    await beating.beat.stop();
    expect(beating.asked).toEqual(["register", "watch", "close"]);
    expect(beating.clock.sleeping).toBe(0);
  });

  test("tells of the other workers that are dead, whenever they are others than before", async () => {
    const beating = new Beating(2);
    await beating.beat.start();
    const looks: [dead: readonly string[], told: readonly string[] | undefined][] = [
      [[], []],
      [["me", "a"], ["a"]],
      [["a", "me"], undefined],
      [["unreachable"], undefined],
      [
        ["a", "b"],
        ["a", "b"],
      ],
      [["b", "a"], undefined],
      [[], []],
    ];
    for (const [dead, told] of looks) {
      beating.dead = dead;
      beating.told.length = 0;
      await beating.clock.advance(DEATH_WATCH_MS);
      expect(beating.told).toEqual(told ? [{ kind: "dead", ids: told }] : []);
    }
    await beating.beat.stop();
  });
});
