import { describe, expect, test } from "bun:test";
import type { Glance } from "../../store/store.ts";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { Ends } from "./ends.ts";
import { Patience } from "./patience.ts";

const OPEN = { finished_at: null, due_at: null, lease_owner: null };

function setUp() {
  const clock = new FakeClock();
  const rows = new Map<string, Glance>();
  const asked: (readonly string[])[] = [];
  const store = {
    async glance(ids: readonly string[]) {
      asked.push(ids);
      return ids.flatMap((id) => rows.get(id) ?? []);
    },
  };
  const ends = new Ends({ store, clock, storeClock: { guess: () => clock.now() } });
  const put = (id: string, row: Partial<Glance> = {}): void => {
    rows.set(id, { id, ...OPEN, ...row });
  };
  return { clock, asked, ends, put, patience: (waitMs = 60_000) => new Patience({ waitMs, clock }) };
}

describe("ends of tasks that are waited for", () => {
  test("one look is made for all who wait, and none when nobody does (EN1, EN2)", async () => {
    const { clock, asked, ends, put, patience } = setUp();
    const arrivals: string[] = [];
    for (let n = 0; n < 1200; n++) {
      put(`t${n}`);
      ends.wait(`t${n}`, patience(), { alsoDue: false }).then(
        (arrival) => arrivals.push(arrival),
        () => {},
      );
    }
    await clock.advance(1000);
    // four queries in a second, each with no more ids than a store takes
    expect(asked.map(({ length }) => length)).toEqual(Array.from({ length: 4 }, () => [500, 500, 200]).flat());
    for (let n = 0; n < 1200; n++) put(`t${n}`, { finished_at: 1 });
    await clock.advance(250);
    expect(arrivals).toEqual(Array.from({ length: 1200 }, () => "ended"));
    const looks = asked.length;
    await clock.advance(60_000);
    expect(asked.length).toBe(looks);
  });

  test("what ends here is told at once, and a task that is gone has ended", async () => {
    const { clock, ends, put, patience } = setUp();
    put("here");
    const here = ends.wait("here", patience(), { alsoDue: false });
    ends.wake("here"); // its end is awaited, nothing else
    ends.tell("here");
    expect(await here).toBe("ended");
    const gone = ends.wait("gone", patience(), { alsoDue: true });
    await clock.advance(60);
    expect(await gone).toBe("ended");
  });

  test("due is what nobody holds and whose time has come, for who goes on with it", async () => {
    const { clock, ends, put, patience } = setUp();
    put("t", { due_at: clock.now() + 500 });
    const due = ends.wait("t", patience(), { alsoDue: true });
    const only = ends.wait("t", patience(2000), { alsoDue: false });
    let isDue = false;
    due.then(
      () => (isDue = true),
      () => {},
    );
    await clock.advance(400);
    expect(isDue).toBe(false);
    put("t", { due_at: clock.now(), lease_owner: "somebody" });
    await clock.advance(200);
    expect(isDue).toBe(false);
    put("t", { due_at: clock.now() });
    await clock.advance(60);
    expect(await due).toBe("due");
    await clock.advance(2000);
    expect(await only).toBe("over");
  });

  test("a database that is away is asked again", async () => {
    const clock = new FakeClock();
    let isAway = true;
    const store = {
      async glance(ids: readonly string[]): Promise<Glance[]> {
        if (isAway) throw new Error("away");
        return ids.map((id) => ({ id, ...OPEN, finished_at: 1 }));
      },
    };
    const ends = new Ends({ store, clock, storeClock: { guess: () => clock.now() } });
    const patience = new Patience({ waitMs: 60_000, clock });
    const awaited = ends.wait("t", patience, { alsoDue: false });
    await clock.advance(300);
    isAway = false;
    await clock.advance(60);
    expect(await awaited).toBe("ended");
    patience.end();
    await clock.advance(1);
    expect(clock.sleeping).toBe(0);
  });

  test("who has left, or waits for no time, waits for nothing", async () => {
    const { clock, asked, ends, put, patience } = setUp();
    put("t");
    expect(await ends.wait("t", patience(0), { alsoDue: true })).toBe("over");
    const leave = new AbortController();
    const wait = ends.wait("t", new Patience({ waitMs: 1000, clock, signal: leave.signal }), { alsoDue: true });
    leave.abort();
    expect(await wait).toBe("over");
    expect([asked.length, clock.sleeping]).toEqual([0, 0]);
    const gone = new Patience({ waitMs: 1000, clock, signal: leave.signal });
    expect([gone.isOver, await gone.unlessOver(Promise.reject(new Error("unheard")))]).toEqual([true, undefined]);
  });
});
