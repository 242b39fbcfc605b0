import { describe, expect, test } from "bun:test";
import { FakeClock, turn } from "../../../test/support/fake-clock.ts";
import { rejection } from "../../../test/support/rejection.ts";
import type { BeatingWorker, StartHeartbeat } from "../../core/heartbeat.ts";
import { SILENT, type Log } from "../../core/log.ts";
import type { SignOfLife } from "../../store/store.ts";
import { Lease } from "./lease.ts";
import { ownHeartbeat } from "./own-heartbeat.ts";

const LEASE_MS = 3000;

const NO_PEERS = { onNews: () => {}, onDead: () => {} };

/** A table of workers whose next call of a kind can be made to fail or to wait. */
class Workers implements SignOfLife {
  readonly asked: string[] = [];
  readonly rows = new Set<string>();
  fails: string | undefined;
  /** Registrations end only after it. */
  gate: Promise<void> = Promise.resolve();

  async registerWorker(worker: { id: string; leaseMs: number; concurrency: number }): Promise<void> {
    const { id, leaseMs, concurrency } = worker;
    await this.#ask(`register ${leaseMs}${concurrency > 0 ? ` for ${concurrency}` : ""}`);
    this.rows.add(id);
  }
  async renewWorker(id: string, leaseMs: number): Promise<boolean> {
    await this.#ask(`renew ${leaseMs}`);
    return this.rows.has(id);
  }
  async findDeadWorkers(): Promise<readonly string[]> {
    return [];
  }
  async watch(): ReturnType<SignOfLife["watch"]> {
    return { kind: "notified", close: async () => {} };
  }
  async removeWorker(id: string): Promise<void> {
    await this.#ask("remove");
    this.rows.delete(id);
  }

  async #ask(what: string): Promise<void> {
    this.asked.push(what);
    if (what.startsWith("register")) await this.gate;
    if (this.fails !== undefined && what.startsWith(this.fails)) throw new Error(`${what} failed`);
  }
}

function leaseOn(store: Workers, clock: FakeClock, log: Log = SILENT, beatForQueue?: StartHeartbeat): Lease {
  const beatByHand = ownHeartbeat(store, clock, log);
  const worker = { id: "me", name: "host:1", leaseMs: LEASE_MS };
  return new Lease(worker, { store, beatByHand, beatForQueue: beatForQueue ?? beatByHand });
}

describe("the lease of a worker", () => {
  test("costs nothing before it is needed", async () => {
    const workers = new Workers();
    const lease = leaseOn(workers, new FakeClock());
    await lease.release();
    expect(workers.asked).toEqual([]);
  });

  test("is taken once, whoever asks and however often", async () => {
    const workers = new Workers();
    const lease = leaseOn(workers, new FakeClock());
    await Promise.all([lease.hold(), lease.hold()]);
    await lease.hold();
    expect(workers.asked).toEqual([`register ${LEASE_MS}`]);
    await lease.release();
  });

  test("is renewed three times within its length, as long as it is held", async () => {
    const clock = new FakeClock();
    const workers = new Workers();
    const lease = leaseOn(workers, clock);
    await lease.hold();
    await clock.advance(LEASE_MS);
    expect(workers.asked).toEqual([`register ${LEASE_MS}`, ...Array.from({ length: 3 }, () => `renew ${LEASE_MS}`)]);
    await lease.release();
    await clock.advance(LEASE_MS);
    expect(workers.asked.filter((what) => what.startsWith("renew"))).toHaveLength(3);
    expect(workers.asked.at(-1)).toBe("remove");
    expect(clock.sleeping).toBe(0);
  });

  test("is tried again by the next one who asks, where taking it failed", async () => {
    const workers = new Workers();
    const lease = leaseOn(workers, new FakeClock());
    workers.fails = "register";
    expect((await rejection(lease.hold())).message).toBe(`register ${LEASE_MS} failed`);
    workers.fails = undefined;
    await lease.hold();
    expect(workers.rows.has("me")).toBe(true);
    await lease.release();
  });

  test("outlives a renewal that failed, and says so", async () => {
    const clock = new FakeClock();
    const workers = new Workers();
    const warnings: unknown[] = [];
    const lease = leaseOn(workers, clock, {
      ...SILENT,
      warn: (message, fields) => warnings.push([message, fields?.["error"]]),
    });
    await lease.hold();
    workers.fails = "renew";
    await clock.advance(LEASE_MS / 3);
    workers.fails = undefined;
    await clock.advance(LEASE_MS / 3);
    expect(warnings).toEqual([["worker lease not renewed", `renew ${LEASE_MS} failed`]]);
    expect(workers.asked).toHaveLength(3);
    await lease.release();
  });

  test("is taken anew where its row is gone", async () => {
    const clock = new FakeClock();
    const workers = new Workers();
    const lease = leaseOn(workers, clock);
    await lease.hold();
    workers.rows.clear();
    await clock.advance(LEASE_MS / 3);
    expect(workers.rows.has("me")).toBe(true);
    await lease.release();
  });

  test("leaves nothing behind where it is released while it is being taken", async () => {
    const workers = new Workers();
    const clock = new FakeClock();
    const lease = leaseOn(workers, clock);
    const gate = Promise.withResolvers<void>();
    workers.gate = gate.promise;
    const held = lease.hold();
    const released = lease.release();
    await turn();
    gate.resolve();
    await Promise.all([held, released]);
    expect(workers.asked).toEqual([`register ${LEASE_MS}`, "remove"]);
    expect(workers.rows.size).toBe(0);
    expect(clock.sleeping).toBe(0);
  });
});

describe("the lease of a worker that takes tasks from the queue", () => {
  /** Heartbeats that report their calls, and fail to start if the test says so. */
  class Heartbeats {
    readonly beating: BeatingWorker[] = [];
    fails = false;

    constructor(private readonly asked: string[]) {}

    readonly start: StartHeartbeat = (worker) => {
      const { asked } = this;
      asked.push(`beat for ${worker.concurrency}`);
      this.beating.push(worker);
      return {
        started: this.fails ? Promise.reject(new Error("not registered")) : Promise.resolve("notified"),
        register: () => asked.push("register"),
        async stop() {
          asked.push("stop");
        },
      };
    };
  }

  test("is the heartbeat's alone, until it goes", async () => {
    const [workers, clock] = [new Workers(), new FakeClock()];
    const { start, beating } = new Heartbeats(workers.asked);
    const lease = leaseOn(workers, clock, SILENT, start);
    expect(await lease.work(7, NO_PEERS)).toBe("notified");
    expect(beating).toMatchObject([{ id: "me", name: "host:1", leaseMs: LEASE_MS, ...NO_PEERS }]);
    await lease.hold();
    await clock.advance(10 * LEASE_MS);
    lease.renewRegistration();
    await lease.release();
    expect(workers.asked).toEqual(["beat for 7", "register", "stop", "remove"]);
    expect(clock.sleeping).toBe(0);
  });

  test("takes over from that of a process that held tasks by hand, which renews no more", async () => {
    const [workers, clock] = [new Workers(), new FakeClock()];
    const lease = leaseOn(workers, clock, SILENT, new Heartbeats(workers.asked).start);
    await lease.hold();
    await lease.work(2, NO_PEERS);
    await clock.advance(10 * LEASE_MS);
    expect(workers.asked).toEqual([`register ${LEASE_MS}`, "beat for 2"]);
    // another number of places
    await lease.work(3, NO_PEERS);
    expect(workers.asked.slice(2)).toEqual(["stop", "beat for 3"]);
    await lease.release();
  });

  test("is renewed by the event loop where there is no heartbeat for it", async () => {
    const [workers, clock] = [new Workers(), new FakeClock()];
    const lease = leaseOn(workers, clock);
    await lease.work(2, NO_PEERS);
    await clock.advance(LEASE_MS);
    expect(workers.asked.filter((what) => what.startsWith("renew"))).toHaveLength(3);
    await lease.release();
    expect(clock.sleeping).toBe(0);
  });

  test("that could not be taken leaves nothing that beats, and may be tried again", async () => {
    const workers = new Workers();
    const heartbeats = new Heartbeats(workers.asked);
    const lease = leaseOn(workers, new FakeClock(), SILENT, heartbeats.start);
    heartbeats.fails = true;
    expect((await rejection(lease.work(2, NO_PEERS))).message).toBe("not registered");
    expect([workers.asked, lease.isHeld]).toEqual([["beat for 2", "stop"], false]);
    heartbeats.fails = false;
    await lease.work(2, NO_PEERS);
    expect(lease.isHeld).toBe(true);
    await lease.release();
  });
});
