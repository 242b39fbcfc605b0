// EH1 to EH3 over a journal that the test writes.

import { afterEach, expect, test } from "bun:test";
import { until } from "../../../test/support/until.ts";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import type { Listening, Told } from "../../core/api/events.ts";
import { TaskonautError } from "../../core/errors.ts";
import { SILENT } from "../../core/log.ts";
import type { EventPage, EventRow, EventStore } from "../../store/event-store.ts";
import { EventHub } from "./event-hub.ts";

const TASK = "00000000-0000-7000-8000-000000000001";
const EPOCHS = [crypto.randomUUID(), crypto.randomUUID()] as const;

/** A journal in memory. */
class Journal implements EventStore {
  epoch: string | null = EPOCHS[0];
  /** For the next `listen`. */
  nextEpoch: string = EPOCHS[0];
  rows: EventRow[] = [];
  floor = 1;
  isWhole = true;
  reads = 0;
  listens = 0;

  note(count: number, over: Partial<EventRow> = {}): void {
    for (let n = 0; n < count; n++) {
      const position = this.floor + this.rows.length;
      this.rows.push({
        position,
        at: 0,
        kind: "changed",
        task_id: TASK,
        version: position,
        flow_name: "order",
        status: "RUNNING",
        parked: false,
        waits: null,
        parent_task_id: null,
        schedule: null,
        priority: 5,
        tags: null,
        ...over,
      });
    }
  }

  async listen(): Promise<{ epoch: string }> {
    this.listens += 1;
    this.epoch = this.nextEpoch;
    return { epoch: this.epoch };
  }

  openReader(): { read: () => Promise<EventPage> } {
    let from = this.floor;
    return {
      read: async () => {
        this.reads += 1;
        const { epoch, floor, isWhole } = this;
        if (epoch === null) return { epoch, rows: [], floor: 0, next: from, isCut: false, isWhole: false };
        const rows = this.rows.filter(({ position }) => position >= from);
        from = floor + this.rows.length;
        return { epoch, rows, floor, next: from, isCut: false, isWhole };
      },
    };
  }
}

const hubs: EventHub[] = [];
afterEach(() => {
  for (const hub of hubs.splice(0)) hub.close();
});

function open(journal = new Journal()): {
  hub: EventHub;
  journal: Journal;
  clock: FakeClock;
  pass: (ms: number) => Promise<void>;
} {
  const clock = new FakeClock();
  const hub = new EventHub({ events: journal, clock, log: SILENT });
  hubs.push(hub);
  /** Lets time pass, in which the hub reads as often as it normally does. */
  const pass = async (ms: number): Promise<void> => {
    for (let left = ms; left > 0; left -= 100) {
      await until(() => clock.sleeping > 0, "the hub rests");
      await clock.advance(Math.min(100, left));
    }
  };
  return { hub, journal, clock, pass };
}

async function listen(hub: EventHub, listening: Listening = {}): Promise<Told[]> {
  const told: Told[] = [];
  const hear = async (): Promise<void> => {
    for await (const batch of hub.listen(listening)) told.push(...batch);
  };
  hear().catch(() => {}); // it never rejects
  await until(() => told.length > 0, "ready");
  return told;
}

const kindsOf = (told: readonly Told[]): string[] => told.map(({ kind }) => kind);

test("what is told ends with the id of all that was read, and what comes before it with the id before", async () => {
  const { hub, journal, pass } = open();
  const told = await listen(hub);
  journal.note(3);
  await pass(1000);
  expect(kindsOf(told)).toEqual(["ready", "event", "event", "event"]);
  expect(told.map(({ id }) => id)).toEqual([1, 1, 1, 4].map((position) => `${EPOCHS[0]}.${position}`));
});

test("where all is quiet it is looked seldom, and said once in ten seconds", async () => {
  const { hub, journal, pass } = open();
  const told = await listen(hub);
  const before = journal.reads;
  await pass(30_000);
  expect(journal.reads - before).toBeLessThan(40);
  expect(kindsOf(told)).toEqual(["ready", "quiet", "quiet"]);
  expect(journal.listens).toBe(2);
});

test("what this process has written is looked at within a tenth of a second, however quiet it was", async () => {
  const { hub, journal, pass } = open();
  const told = await listen(hub);
  await pass(20_000);
  journal.note(1);
  hub.kick();
  await pass(100);
  await until(() => told.at(-1)?.kind === "event", "the event");
});

test("more than can be told singly is told as one resync to those who want all, and singly to those who want little", async () => {
  const { hub, journal, pass } = open();
  const [all, some] = [await listen(hub), await listen(hub, { filter: { flow: ["rare"] } })];
  journal.note(3000);
  journal.note(1, { flow_name: "rare" });
  await pass(1000);
  expect(kindsOf(all)).toEqual(["ready", "resync"]);
  expect(kindsOf(some)).toEqual(["ready", "event"]);
  journal.note(10);
  await pass(1000);
  expect(kindsOf(all).slice(2)).toEqual(Array.from({ length: 10 }, () => "event"));
});

test("a journal that is another one, or was cut, is told as a resync", async () => {
  const { hub, journal, pass } = open();
  const told = await listen(hub);
  const { id } = told[0] ?? { id: "" };
  // as after a crash of PostgreSQL: everything is gone
  journal.epoch = null;
  [, journal.nextEpoch] = EPOCHS;
  await pass(1000);
  expect(kindsOf(told)).toEqual(["ready", "resync"]);
  expect(kindsOf(await listen(hub, { after: id }))).toEqual(["ready", "resync"]);
  journal.note(5);
  journal.rows = [];
  journal.floor = 50;
  await pass(1000);
  expect(kindsOf(told)).toEqual(["ready", "resync", "resync"]);
});

test("a change that began before anybody listened is told as a resync when it has ended, or a while later", async () => {
  const journal = new Journal();
  journal.isWhole = false;
  const { hub, pass } = open(journal);
  const told = await listen(hub);
  await pass(2000);
  expect(kindsOf(told)).toEqual(["ready"]);
  journal.isWhole = true;
  await pass(2000);
  expect(kindsOf(told)).toEqual(["ready", "resync"]);

  const endless = new Journal();
  endless.isWhole = false;
  const other = open(endless);
  const heard = await listen(other.hub);
  await other.pass(60_000);
  expect(kindsOf(heard).filter((kind) => kind !== "quiet")).toEqual(["ready", "resync"]);
});

test("that the store is away is told once, and that it is back", async () => {
  const { hub, journal, pass } = open();
  const told = await listen(hub);
  const second = await listen(hub);
  const before = journal.listen.bind(journal);
  journal.listen = () => Promise.reject(new TaskonautError("database_unavailable", "The file is gone."));
  journal.epoch = null; // so that it asks for another journal
  await pass(5000);
  const lost = { kind: "lost", reason: "The file is gone.", retryMs: 1000 };
  expect(told.slice(1)).toMatchObject([lost]);
  expect(second.slice(1)).toMatchObject([lost]);
  [journal.epoch] = EPOCHS;
  journal.listen = before;
  journal.note(1);
  await pass(2000);
  expect(kindsOf(told)).toEqual(["ready", "lost", "event", "ready"]);
});

test("a store that does not answer is asked again, and meanwhile it is said that nothing is known", async () => {
  const { hub, journal, pass } = open();
  const told = await listen(hub);
  journal.listen = () => Promise.reject(new Error("away"));
  journal.epoch = null;
  await pass(15_000);
  expect(kindsOf(told)).toEqual(["ready", "quiet"]);
  journal.listen = async () => {
    [journal.epoch] = EPOCHS;
    return { epoch: EPOCHS[0] };
  };
  journal.note(1);
  await pass(2000);
  expect(kindsOf(told)).toEqual(["ready", "quiet", "event"]);
});
