// For how long a start counts against a rate, to the millisecond: the test owns the store's clock, also PostgreSQL's.

import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import type { Rate, TicketRequest } from "../../src/store/limit-store.ts";
import { openPostgresStore } from "../../src/store/postgres/store.ts";
import { openSqliteStore } from "../../src/store/sqlite/store.ts";
import type { Store } from "../../src/store/store.ts";
import { POSTGRES, SQLITE } from "./place.ts";
import { plannedRecord, stepRow, taskRow } from "./rows.ts";

const SECOND = 1000;
const DAY = 86_400_000;
/** Midnight: a slice of each rate ends. */
const BEGIN = 22_000 * DAY;

interface Timed {
  readonly store: Store;
  readonly setTime: (ms: number) => Promise<void>;
  readonly drop: () => Promise<void>;
}

async function timedSqlite(): Promise<Timed> {
  const place = await SQLITE.migrated();
  let time = BEGIN;
  const store = await openSqliteStore({ path: place.address.path, now: () => time });
  return {
    store,
    setTime: async (ms) => {
      time = ms;
    },
    drop: () => place.drop(),
  };
}

/** Its sessions find these functions before those of the same names that come with PostgreSQL. */
async function timedPostgres(): Promise<Timed> {
  const place = await POSTGRES.migrated();
  const clock = (name: string): string =>
    `create function clock.${name}() returns timestamptz language sql stable as 'select at from clock.time'`;
  await place.execute(`
    create schema clock; create table clock.time (at timestamptz); insert into clock.time values (to_timestamp(${BEGIN / 1000}));
    ${clock("now")}; ${clock("clock_timestamp")};
    do $$ begin execute format('alter database %I set search_path = clock, pg_catalog', current_database()); end $$`);
  const { url, schema } = place.address;
  const store = await openPostgresStore({ url, schema });
  return {
    store,
    setTime: (ms) => place.execute(`update clock.time set at = to_timestamp(${ms} / 1000.0)`),
    drop: () => place.drop(),
  };
}

describe.each([
  ["sqlite", timedSqlite],
  ["postgres", timedPostgres],
] as const)("rates on %s", (_dialect, open) => {
  let timed: Timed;
  const worker = crypto.randomUUID();

  beforeEach(async () => {
    timed = await open();
    await timed.store.registerWorker({ id: worker, name: "w", leaseMs: 10 * DAY, concurrency: 10 });
  });
  afterEach(async () => {
    await timed.store.close();
    await timed.drop();
  });

  interface Line {
    /** Puts so many in line. */
    readonly add: (count: number) => Promise<void>;
    /** How many begin at this time. */
    readonly begin: (at: number) => Promise<number>;
    readonly setRate: (rate: Rate) => Promise<void>;
  }

  const tasks = async (first: Rate): Promise<Line> => {
    const { store } = timed;
    let rate = first;
    const row = (): ReturnType<typeof plannedRecord> => plannedRecord({ flow_name: "mail", due_at: BEGIN - DAY });
    return {
      add: async (count) => {
        await store.insertTasks(Array.from({ length: count }, row));
      },
      begin: async (at) => {
        await timed.setTime(at);
        const flow = { name: "mail", limit: 500, heldMax: null, rate };
        const claim = await store.claimTasks({ workerId: worker, limit: 500, flows: [flow], deadOwners: [] });
        return claim.tasks.length;
      },
      setRate: async (next) => {
        rate = next;
      },
    };
  };

  const steps = async (first: Rate): Promise<Line> => {
    const { store } = timed;
    const name = "mail_server";
    const declare = (rate: Rate): Promise<void> =>
      store.limits.declare([{ kind: "tool", name, isKeyed: false, running: null, runningPerKey: null, rate }]);
    let waiting: TicketRequest[] = [];
    await declare(first);
    return {
      add: async (count) => {
        for (let n = 0; n < count; n++) {
          const task = taskRow({ status: "RUNNING", due_at: BEGIN, lease_owner: worker });
          const step = stepRow(task.id);
          await store.insertTasks([{ task, steps: [step], calls: [] }]);
          waiting.push({ taskId: task.id, stepId: step.id, key: "", token: "t" });
        }
      },
      begin: async (at) => {
        await timed.setTime(at);
        const { granted } = await store.limits.take(name, waiting);
        waiting = waiting.filter(({ stepId }) => !granted.includes(stepId));
        return granted.length;
      },
      setRate: declare,
    };
  };

  describe("of a tool whose steps wait for workers", () => {
    const RATE = { count: 2, perMs: 10 * SECOND };

    const ask = async (at: number, requests: readonly TicketRequest[]): Promise<number> => {
      await timed.setTime(BEGIN + at);
      return (await timed.store.limits.take("mail_server", requests)).granted.length;
    };

    const settle = async (at: number): Promise<number> => {
      await timed.setTime(BEGIN + at);
      return (await timed.store.limits.settle()).woken.length;
    };

    const lineOfSix = async (): Promise<readonly TicketRequest[]> => {
      await steps(RATE);
      const requests: TicketRequest[] = [];
      for (let n = 0; n < 6; n++) {
        const task = taskRow({ status: "RUNNING", due_at: BEGIN, lease_owner: worker });
        const step = stepRow(task.id);
        await timed.store.insertTasks([{ task, steps: [step], calls: [] }]);
        requests.push({ taskId: task.id, stepId: step.id, key: "", token: "t" });
      }
      return requests;
    };

    test("a start counts from when its step begins, however long it waited after its turn had come", async () => {
      const all = await lineOfSix();
      expect(await ask(0, all)).toBe(2);
      expect(await settle(10_000)).toBe(2);
      expect(await ask(14_000, all.slice(2, 4))).toBe(2);
      // asking again counts nothing anew
      expect(await ask(15_000, all.slice(2, 4))).toBe(2);
      for (const at of [20_000, 23_999]) expect(await settle(at)).toBe(0);
      expect(await settle(24_000)).toBe(2);
    });

    test("whose turn has passed waits on where others have begun, and begins where there is room", async () => {
      const all = await lineOfSix();
      expect(await ask(0, all.slice(0, 4))).toBe(2);
      expect(await settle(10_000)).toBe(2);
      expect(await ask(20_000, all.slice(4))).toBe(2);
      expect(await ask(21_000, all.slice(2, 4))).toBe(0);
      expect(await settle(29_999)).toBe(0);
      expect(await settle(30_000)).toBe(2);
      // nobody has begun meanwhile
      expect(await ask(45_000, all.slice(2, 4))).toBe(2);
      const later = await lineOfSix();
      expect(await ask(54_999, later)).toBe(0);
      expect(await settle(55_000)).toBe(2);
    });
  });

  describe.each([
    ["a flow", tasks],
    ["a tool", steps],
  ] as const)("of %s", (_of, lineOf) => {
    test("a start counts until the time of the rate has passed, and no longer", async () => {
      const line = await lineOf({ count: 2, perMs: 10 * SECOND });
      await line.add(5);
      expect(await line.begin(BEGIN)).toBe(2);
      for (const ms of [1, 5000, 9999]) expect(await line.begin(BEGIN + ms)).toBe(0);
      expect(await line.begin(BEGIN + 10_000)).toBe(2);
      expect(await line.begin(BEGIN + 19_999)).toBe(0);
      expect(await line.begin(BEGIN + 20_000)).toBe(1);
    });

    test("starts within a slice count until the time of the last one has passed", async () => {
      const line = await lineOf({ count: 2, perMs: 10 * SECOND });
      await line.add(1);
      expect(await line.begin(BEGIN + 1)).toBe(1);
      await line.add(3);
      expect(await line.begin(BEGIN + 40)).toBe(1);
      expect(await line.begin(BEGIN + 10_039)).toBe(0);
      expect(await line.begin(BEGIN + 10_040)).toBe(2);
    });

    test("after a change to a shorter time, earlier starts count for that time only", async () => {
      const line = await lineOf({ count: 2, perMs: DAY });
      await line.add(5);
      expect(await line.begin(BEGIN + 1)).toBe(2);
      await line.setRate({ count: 2, perMs: 10 * SECOND });
      expect(await line.begin(BEGIN + 10_000)).toBe(0);
      expect(await line.begin(BEGIN + 10_001)).toBe(2);
      // a slice of the day's rate ends now: its starts are not counted with those of this moment
      const end = BEGIN + DAY / 100;
      expect(await line.begin(end)).toBe(1);
      await line.add(3);
      expect(await line.begin(end + 1)).toBe(1);
      expect(await line.begin(end + 9999)).toBe(0);
      expect(await line.begin(end + 10_000)).toBe(1);
    });
  });
});
