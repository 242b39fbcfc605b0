import { describe, expect, test } from "bun:test";
import { FakeClock, turn } from "../../test/support/fake-clock.ts";
import type { FromThread } from "./messages.ts";
import { renewUntil } from "./renewal.ts";

const LEASE_MS = 12_000;

/** A store whose renewals do what the test says, and the loop over it. */
class Renewing {
  readonly clock = new FakeClock();
  readonly told: FromThread[] = [];
  readonly renewed: number[] = [];
  opened = 0;
  closed = 0;
  answer: () => boolean | Promise<boolean> = () => true;
  opens: () => void = () => {};
  readonly #stop = new AbortController();
  readonly #ended = renewUntil(this.#stop.signal, {
    workerId: "me",
    leaseMs: LEASE_MS,
    clock: this.clock,
    tell: (message) => this.told.push(message),
    openStore: async () => {
      this.opened += 1;
      this.opens();
      return {
        renewWorker: async (id, leaseMs) => {
          expect([id, leaseMs]).toEqual(["me", LEASE_MS]);
          this.renewed.push(this.clock.now());
          return this.answer();
        },
        close: async () => {
          this.closed += 1;
        },
      };
    },
  });

  stop(): Promise<void> {
    this.#stop.abort();
    return this.#ended;
  }
}

function fail(): never {
  throw new Error("no route");
}

describe("the renewal of a lease", () => {
  test("happens three times within its length, on one store", async () => {
    const renewing = new Renewing();
    await renewing.clock.advance(2 * LEASE_MS);
    expect(renewing.renewed).toHaveLength(6);
    expect(renewing.told).toEqual([]);
    await renewing.stop();
    expect([renewing.opened, renewing.closed]).toEqual([1, 1]);
  });

  test("opens nothing where it is stopped before the first one", async () => {
    const renewing = new Renewing();
    await renewing.stop();
    expect([renewing.opened, renewing.closed, renewing.clock.sleeping]).toEqual([0, 0, 0]);
  });

  test("is tried again sooner after a failure, and tells when it succeeds again", async () => {
    const renewing = new Renewing();
    renewing.answer = fail;
    await renewing.clock.advance(LEASE_MS / 3);
    expect(renewing.told).toEqual([{ kind: "failed", failures: 1, error: "no route" }]);
    expect(renewing.clock.waits).toEqual([LEASE_MS / 12]);
    renewing.answer = () => true;
    await renewing.clock.advance(LEASE_MS / 12);
    expect(renewing.told.slice(1)).toEqual([{ kind: "recovered", failures: 1 }]);
    expect(renewing.clock.waits).toEqual([LEASE_MS / 3]);
    await renewing.stop();
  });

  test("tells of failures that go on once a minute", async () => {
    const renewing = new Renewing();
    renewing.answer = fail;
    await renewing.clock.advance(LEASE_MS / 3 + 120_000);
    expect(renewing.told.map((message) => message.kind === "failed" && message.failures)).toEqual([1, 61, 121]);
    await renewing.stop();
  });

  test("opens the store again where that failed", async () => {
    const renewing = new Renewing();
    renewing.opens = fail;
    await renewing.clock.advance(LEASE_MS / 3);
    renewing.opens = () => {};
    await renewing.clock.advance(LEASE_MS / 12);
    expect([renewing.opened, renewing.renewed.length]).toEqual([2, 1]);
    await renewing.stop();
  });

  test("tells that the row is gone each time it finds it so, and goes on", async () => {
    const renewing = new Renewing();
    renewing.answer = () => false;
    await renewing.clock.advance((2 * LEASE_MS) / 3);
    expect(renewing.told).toEqual([{ kind: "gone" }, { kind: "gone" }]);
    await renewing.stop();
  });

  test("lets one that is under way end before it stops", async () => {
    const renewing = new Renewing();
    const { promise, resolve } = Promise.withResolvers<boolean>();
    renewing.answer = () => promise;
    await renewing.clock.advance(LEASE_MS / 3);
    const stopped = renewing.stop();
    await turn();
    expect(renewing.closed).toBe(0);
    resolve(true);
    await stopped;
    expect(renewing.closed).toBe(1);
  });
});
