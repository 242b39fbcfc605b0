import { expect, test } from "bun:test";
import type { TaskRow } from "../../core/record/record.ts";
import type { Claim, ClaimRequest } from "../store.ts";
import { Frontier, type Places } from "./frontier.ts";

const request: ClaimRequest = {
  workerId: "w",
  limit: 1000,
  flows: [
    { name: "idle", limit: 1000, heldMax: null },
    { name: "busy", limit: 1000, heldMax: null },
  ],
  deadOwners: [],
};

/** A store whose claims take some time each, and return this many tasks that were due at one time. */
class Queue {
  ms = 0;
  readonly frontier = new Frontier(() => this.ms);

  async claim(tasks: number, { dueAt = 0, tookMs = 10, deadOwners = [] as string[] } = {}): Promise<[Places, Claim]> {
    let begun: Places;
    const claim = await this.frontier.through({ ...request, deadOwners }, async (places) => {
      begun = places;
      this.ms += tookMs;
      const task = { flow_name: "busy", priority: 3, due_at: dueAt } as TaskRow;
      const claimed = Array.from({ length: tasks }, () => ({
        record: { task, steps: [], calls: [] },
        takenFrom: null,
      }));
      return { tasks: claimed, nextDueAt: null, now: 5_000, pauses: [] };
    });
    return [begun, claim];
  }
}

async function busyQueue(): Promise<Queue> {
  const queue = new Queue();
  expect((await queue.claim(1000, { dueAt: 1000 }))[0]).toBeUndefined();
  expect((await queue.claim(1000, { dueAt: 2000 }))[0]).toBeUndefined();
  return queue;
}

const reached = (dueAt: number): Places => Array.from({ length: 20 }, (_, place) => (place === 13 ? dueAt - 1 : null));

test("after many claims they begin where the last ones came to, and now and then from the start", async () => {
  const queue = await busyQueue();
  expect((await queue.claim(10, { dueAt: 3000 }))[0]).toEqual(reached(2000));
  // tasks that were taken over do not lead back
  expect((await queue.claim(10, { dueAt: 1500 }))[0]).toEqual(reached(3000));
  expect((await queue.claim(10, { dueAt: 4000 }))[0]).toEqual(reached(3000));
  queue.ms += 20 * 10;
  expect((await queue.claim(10))[0]).toBeUndefined();
  expect((await queue.claim(10))[0]).toEqual(reached(4000));
});

test("a claim that found nothing, and did not look everywhere, tells when the next one does", async () => {
  const queue = await busyQueue();
  const [places, { nextDueAt }] = await queue.claim(0, { tookMs: 50 });
  expect(places).toEqual(reached(2000));
  expect(nextDueAt).toBe(5_000 + 20 * 10 - 50);
  queue.ms += 150;
  const [whole, claim] = await queue.claim(0, { tookMs: 5_000 });
  expect([whole, claim.nextDueAt]).toEqual([undefined, null]);
  // however long it took
  queue.ms += 10_000;
  expect((await queue.claim(0))[0]).toBeUndefined();
});

test("what is known to be due before that place is looked for at once", async () => {
  const queue = await busyQueue();
  expect((await queue.claim(1, { deadOwners: ["dead"] }))[0]).toBeUndefined();
  expect((await queue.claim(1, { deadOwners: ["dead"] }))[0]).toEqual(reached(2000));
  queue.frontier.reset();
  expect((await queue.claim(1, { deadOwners: ["dead"] }))[0]).toBeUndefined();
});
