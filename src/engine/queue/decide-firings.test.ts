import { describe, expect, test } from "bun:test";
import { dueOf, type ScheduleRow } from "../../core/record/schedule.ts";
import type { TaskRecord } from "../../core/record/record.ts";
import { newScheduleRow } from "../doors/schedule-row.ts";
import { decideFirings, type FiringPlan, type PlanFiring } from "./decide-firings.ts";

const MINUTE = 60_000;
const HOUR = 3_600_000;
const NOON = Date.UTC(2026, 10, 23, 12);

/** A task of which only the id matters here. */
const taskAt = (at: number): TaskRecord => ({ task: { id: `task-${at}`, unique_key: null } }) as TaskRecord;
const plan: PlanFiring = taskAt;

/** Its next firing is at `nominal_at`. */
function schedule(over: Partial<ScheduleRow> = {}): ScheduleRow {
  const made = newScheduleRow({
    name: "often",
    flow: "order",
    owner: "command",
    terms: {
      cron: null,
      every_ms: MINUTE,
      time_zone: "UTC",
      overlap: "all",
      catch_up: "last",
      catch_up_ms: null,
      jitter_ms: 0,
      priority: 5,
    },
    input: "{}",
    now: NOON - 1,
  });
  const row = { ...made, ...over };
  return { ...row, next_at: over.next_at ?? (row.nominal_at === null ? null : dueOf(row, row.nominal_at)) };
}

/** The times at which tasks were made. */
const made = ({ tasks }: FiringPlan): readonly number[] => tasks.map(({ task }) => Number(task.id.slice(5)));
const times = (from: number, step: number, count: number): number[] =>
  Array.from({ length: count }, (_, index) => from + index * step);
const skipped = ({ skips }: FiringPlan) =>
  skips.map(({ from_at, until_at, count, kind }) => ({ from: from_at, until: until_at, count, kind }));

test("a time that has come makes its task, and the next one is next", () => {
  const row = schedule();
  const decided = decideFirings({ row, open: [] }, NOON + 5, plan);
  expect(made(decided)).toEqual([NOON]);
  expect(decided.row).toMatchObject({
    version: row.version + 1,
    nominal_at: NOON + MINUTE,
    next_at: NOON + MINUTE,
    fired_at: NOON,
    last_task_id: `task-${NOON}`,
    fired_count: 1,
    skipped_count: 0,
  });
  expect(decided.skips).toEqual([]);
});

test("jitter moves when it comes and not its time, by the same share for everybody, below what was said", () => {
  const row = schedule({ jitter_ms: 30_000 });
  const due = dueOf(row, NOON);
  expect(due).toBeGreaterThanOrEqual(NOON);
  expect(due).toBeLessThan(NOON + 30_000);
  expect(made(decideFirings({ row, open: [] }, due - 1, plan))).toEqual([]);
  const decided = decideFirings({ row, open: [] }, due, plan);
  expect(made(decided)).toEqual([NOON]);
  expect(decided.row.next_at).toBe(dueOf(row, NOON + MINUTE));
  const shares = new Set(times(NOON, MINUTE, 20).map((at) => dueOf(row, at) - at));
  expect(shares.size).toBeGreaterThan(15);
});

test("what has come within a minute is on time, whatever is said of catching up", () => {
  for (const catch_up of ["none", "last", "within"] as const) {
    const row = schedule({ every_ms: 10_000, catch_up, catch_up_ms: catch_up === "within" ? 0 : null });
    expect(made(decideFirings({ row, open: [] }, NOON + 45_000, plan))).toEqual(times(NOON, 10_000, 5));
    // also after others that are too late
    const late = decideFirings({ row, open: [] }, NOON + 2 * MINUTE, plan);
    expect([made(late), late.row.skipped_count]).toEqual([times(NOON + MINUTE, 10_000, 7), 6]);
  }
});

test("what comes late by its jitter is on time, also where little or nothing is made up for", () => {
  for (const [catch_up, catch_up_ms] of [
    ["none", null],
    ["within", 10_000],
  ] as const) {
    const row = schedule({ every_ms: 24 * HOUR, nominal_at: NOON, jitter_ms: 10 * HOUR, catch_up, catch_up_ms });
    const due = dueOf(row, NOON);
    expect(due).toBeGreaterThan(NOON + HOUR);
    expect(made(decideFirings({ row, open: [] }, due + 30_000, plan))).toEqual([NOON]);
  }
});

describe("after an hour in which nobody was there", () => {
  const now = NOON + HOUR + 30_000;
  const away = (over: Partial<ScheduleRow>): FiringPlan => decideFirings({ row: schedule(over), open: [] }, now, plan);

  test("none makes up for nothing but what is on time", () => {
    const decided = away({ catch_up: "none" });
    expect(made(decided)).toEqual([NOON + HOUR]);
    expect(skipped(decided)).toEqual([{ from: NOON, until: NOON + 59 * MINUTE, count: 60, kind: "missed" }]);
    expect(decided.row).toMatchObject({ skipped_count: 60, nominal_at: NOON + 61 * MINUTE });
  });

  test("none with rare times makes none at all", () => {
    const decided = away({ catch_up: "none", every_ms: 24 * HOUR, nominal_at: NOON });
    expect([made(decided), skipped(decided)]).toEqual([[], [{ from: NOON, until: NOON, count: 1, kind: "missed" }]]);
    expect(decided.row.nominal_at).toBe(Date.UTC(2026, 10, 24));
  });

  test("last makes up for the last time, however late", () => {
    const rare = away({ catch_up: "last", every_ms: 24 * HOUR, nominal_at: NOON });
    expect([made(rare), rare.skips]).toEqual([[NOON], []]);
    const often = away({ catch_up: "last", every_ms: 7 * MINUTE, nominal_at: NOON });
    const all = times(NOON + 6 * MINUTE, 7 * MINUTE, 8).filter((at) => at <= now); // multiples of seven minutes
    expect(made(often)).toHaveLength(1);
    expect(made(often)[0]).toBeGreaterThan(now - 7 * MINUTE);
    expect(often.row.skipped_count).toBeGreaterThanOrEqual(all.length - 1);
  });

  test("within makes up for what is no older, a few at a time and in order", () => {
    let row = schedule({ catch_up: "within", catch_up_ms: 30 * MINUTE });
    const all: number[] = [];
    for (let looks = 0; (row.next_at ?? 0) <= now; looks++) {
      expect(looks).toBeLessThan(10);
      const decided = decideFirings({ row, open: [] }, now, plan);
      expect(decided.tasks.length).toBeLessThanOrEqual(10);
      all.push(...made(decided));
      ({ row } = decided);
    }
    expect(all).toEqual(times(NOON + 31 * MINUTE, MINUTE, 30));
    expect(row).toMatchObject({ skipped_count: 31, fired_count: 30, nominal_at: NOON + 61 * MINUTE });
  });

  test("within makes up for what is exactly as old, and not for what is a moment older", () => {
    const row = schedule({ catch_up: "within", catch_up_ms: 30 * MINUTE });
    expect(made(decideFirings({ row, open: [] }, NOON + 30 * MINUTE, plan))[0]).toBe(NOON);
    expect(made(decideFirings({ row, open: [] }, NOON + 30 * MINUTE + 1, plan))[0]).toBe(NOON + MINUTE);
    // its own time counts, without jitter
    const jittered = schedule({ ...row, every_ms: 24 * HOUR, nominal_at: NOON, next_at: null, jitter_ms: 10 * HOUR });
    const late = dueOf(jittered, NOON) + 2 * MINUTE;
    const within = (catch_up_ms: number): FiringPlan =>
      decideFirings({ row: { ...jittered, catch_up_ms }, open: [] }, late, plan);
    expect([made(within(late - NOON)), made(within(late - NOON - 1))]).toEqual([[NOON], []]);
  });
});

test("after a very long time no more is counted than so many, and the reason says so", () => {
  const row = schedule({ cron: "* * * * *", every_ms: null, time_zone: "Europe/Berlin" });
  const decided = decideFirings({ row, open: [] }, NOON + 365 * 24 * HOUR + 30_000, plan);
  expect(made(decided)).toEqual([NOON + 365 * 24 * HOUR]);
  expect(decided.skips).toMatchObject([{ from_at: NOON, count: 501, kind: "missed" }]);
  expect(decided.skips[0]?.reason).toContain("more of these times");
  expect(decided.skips[0]?.until_at).toBeGreaterThan(NOON + 364 * 24 * HOUR);
});

describe("while a task of it has not ended", () => {
  const open = ["running"];

  test("skip puts the time down, and times in a row as one range that goes on", () => {
    const first = decideFirings({ row: schedule({ overlap: "skip" }), open }, NOON, plan);
    expect([made(first), skipped(first)]).toEqual([[], [{ from: NOON, until: NOON, count: 1, kind: "overlap" }]]);
    expect(first.skips[0]?.reason).toContain("a task has not ended: running");
    const second = decideFirings({ row: first.row, open }, NOON + MINUTE, plan);
    expect(skipped(second)).toEqual([{ from: NOON, until: NOON + MINUTE, count: 1, kind: "overlap" }]);
    const third = decideFirings({ row: second.row, open: [] }, NOON + 2 * MINUTE, plan);
    expect(made(third)).toEqual([NOON + 2 * MINUTE]);
    const fourth = decideFirings({ row: third.row, open }, NOON + 3 * MINUTE, plan);
    expect(skipped(fourth)).toMatchObject([{ from: NOON + 3 * MINUTE }]);
    // another reason begins a range of its own
    const refused = decideFirings({ row: second.row, open: [] }, NOON + 2 * MINUTE, () => ({ refused: "no" }));
    expect(skipped(refused)).toEqual([
      { from: NOON + 2 * MINUTE, until: NOON + 2 * MINUTE, count: 1, kind: "refused" },
    ]);
  });

  test("skip counts the task that was made a moment ago as well", () => {
    const row = schedule({ overlap: "skip", every_ms: 10_000 });
    const decided = decideFirings({ row, open: [] }, NOON + 20_000, plan);
    expect(made(decided)).toEqual([NOON]);
    expect(skipped(decided)).toEqual([{ from: NOON + 10_000, until: NOON + 20_000, count: 2, kind: "overlap" }]);
  });

  test("queue lets one wait, which is looked at soon and then more and more rarely, and puts the others down", () => {
    const first = decideFirings({ row: schedule({ overlap: "queue" }), open }, NOON, plan);
    expect(first.row).toMatchObject({ queued_at: NOON, next_at: NOON + 1000, nominal_at: NOON + MINUTE });
    expect([made(first), first.skips]).toEqual([[], []]);
    const later = decideFirings({ row: first.row, open }, NOON + 50_000, plan);
    expect(later.row).toMatchObject({ queued_at: NOON, next_at: NOON + 55_000 });
    const second = decideFirings({ row: later.row, open }, NOON + MINUTE, plan);
    expect(skipped(second)).toEqual([{ from: NOON + MINUTE, until: NOON + MINUTE, count: 1, kind: "overlap" }]);
    const ended = decideFirings({ row: second.row, open: [] }, NOON + MINUTE + 100, plan);
    expect(made(ended)).toEqual([NOON]);
    expect(ended.row).toMatchObject({ queued_at: null, next_at: NOON + 2 * MINUTE, last_task_id: `task-${NOON}` });
  });

  test("what waits is made also where its rule is another by now", () => {
    const row = schedule({ overlap: "all", queued_at: NOON - MINUTE, next_at: NOON - 30_000 });
    expect(made(decideFirings({ row, open }, NOON - 30_000, plan))).toEqual([NOON - MINUTE]);
    const replacing = decideFirings({ row: { ...row, overlap: "cancel-running" }, open }, NOON - 30_000, plan);
    expect([made(replacing), replacing.cancels]).toEqual([[NOON - MINUTE], open]);
  });

  test("what waits is put down where its rule is skip by now, apart from what was put down while it waited", () => {
    const waited = schedule({ overlap: "skip", queued_at: NOON - 3 * MINUTE, next_at: NOON - 30_000 });
    const row = { ...waited, skip_from: NOON - 2 * MINUTE, skip_kind: "overlap" } as const;
    const decided = decideFirings({ row, open }, NOON, plan);
    expect([made(decided), decided.row.queued_at, decided.row.skipped_count]).toEqual([[], null, 2]);
    expect(skipped(decided)).toEqual([
      { from: NOON - 3 * MINUTE, until: NOON - 3 * MINUTE, count: 1, kind: "overlap" },
      { from: NOON, until: NOON, count: 1, kind: "overlap" },
    ]);
    expect(made(decideFirings({ row, open: [] }, NOON - 30_000, plan))).toEqual([NOON - 3 * MINUTE]);
  });

  test("all makes one all the same", () => {
    expect(made(decideFirings({ row: schedule({ overlap: "all" }), open }, NOON, plan))).toEqual([NOON]);
  });

  test("cancel-running cancels what was open, and of several times only the last makes a task", () => {
    const row = schedule({ overlap: "cancel-running", every_ms: 10_000 });
    const decided = decideFirings({ row, open: ["a", "b"] }, NOON + 20_000, plan);
    expect([made(decided), decided.cancels]).toEqual([[NOON + 20_000], ["a", "b"]]);
    expect(skipped(decided)).toEqual([{ from: NOON, until: NOON + 10_000, count: 2, kind: "overlap" }]);
    const refused = decideFirings({ row, open: ["a"] }, NOON, () => ({ refused: "no" }));
    expect(refused.cancels).toEqual([]);
  });
});

test("a time that its flow refuses is put down with the reason, and the next one comes", () => {
  const refuse: PlanFiring = (at) => (at === NOON ? { refused: "the input breaks the contract" } : taskAt(at));
  const decided = decideFirings({ row: schedule({ every_ms: 10_000 }), open: [] }, NOON + 10_000, refuse);
  expect(made(decided)).toEqual([NOON + 10_000]);
  expect(decided.skips).toMatchObject([{ from_at: NOON, kind: "refused", reason: "the input breaks the contract" }]);
});

describe("while another task has its key", () => {
  const keyed = (at: number, key: string): TaskRecord =>
    ({ task: { id: `task-${at}`, unique_key: key } }) as TaskRecord;
  const taken =
    (replaces: boolean): PlanFiring =>
    () => ({ key: "c1", takenBy: "other", replaces });

  test("a time makes no task, and is put down with who has the key", () => {
    const decided = decideFirings({ row: schedule(), open: [] }, NOON, taken(false));
    expect([made(decided), skipped(decided)]).toEqual([[], [{ from: NOON, until: NOON, count: 1, kind: "unique" }]]);
    expect(decided.skips[0]?.reason).toBe('an open task has its key "c1": other');
    expect(decided.row).toMatchObject({ fired_count: 0, last_task_id: null, queued_at: null });
  });

  /** Nobody else has a key. */
  const free =
    (keyAt: (at: number) => string, replaces = false): PlanFiring =>
    (at, ownOf) => {
      const key = keyAt(at);
      const takenBy = ownOf(key);
      return takenBy === undefined ? keyed(at, key) : { key, takenBy, replaces };
    };

  test("times of one look never make two tasks of one key: each waits for the end of the one before", () => {
    const row = schedule({ every_ms: 10_000 });
    const now = NOON + 30_000;
    const first = decideFirings(
      { row, open: [] },
      now,
      free(() => "c1"),
    );
    expect([made(first), skipped(first), first.cancels]).toEqual([[NOON], [], []]);
    // the third stays where it is
    expect(first.row).toMatchObject({ queued_at: NOON + 10_000, nominal_at: NOON + 20_000, fired_count: 1 });
    expect(first.row.next_at).toBe(now + 2000);
    // it has ended
    const second = decideFirings(
      { row: first.row, open: [] },
      now + 1,
      free(() => "c1"),
    );
    expect([made(second), skipped(second)]).toEqual([[NOON + 10_000], []]);
    expect(second.row).toMatchObject({ queued_at: NOON + 20_000, nominal_at: NOON + 30_000 });
    // it has not
    const still: PlanFiring = () => ({ key: "c1", takenBy: `task-${NOON + 10_000}`, replaces: false });
    const third = decideFirings({ row: second.row, open: [] }, second.row.next_at ?? 0, still);
    expect([made(third), skipped(third)]).toEqual([
      [],
      [{ from: NOON + 20_000, until: NOON + 30_000, count: 2, kind: "unique" }],
    ]);
    expect(third.row).toMatchObject({ queued_at: null, fired_count: 2, skipped_count: 2 });
  });

  test("times of one look that have keys of their own all make their tasks, whatever one of them waits for", () => {
    const row = schedule({ every_ms: 10_000 });
    const keys = ["a", "a", "b", "c"];
    const decided = decideFirings(
      { row, open: [] },
      NOON + 30_000,
      free((at) => keys[(at - NOON) / 10_000] ?? ""),
    );
    expect(made(decided)).toEqual([NOON, NOON + 20_000, NOON + 30_000]);
    expect(decided.row).toMatchObject({ queued_at: NOON + 10_000, nominal_at: NOON + 40_000 });
  });

  test("where the flow replaces, of several times of one look the last one makes the task", () => {
    const row = schedule({ every_ms: 10_000 });
    const decided = decideFirings(
      { row, open: [] },
      NOON + 20_000,
      free(() => "c1", true),
    );
    expect([made(decided), decided.cancels]).toEqual([[NOON + 20_000], []]);
    expect(skipped(decided)).toEqual([{ from: NOON, until: NOON + 10_000, count: 2, kind: "unique" }]);
    expect(decided.row).toMatchObject({
      fired_count: 1,
      skipped_count: 2,
      fired_at: NOON + 20_000,
      last_task_id: `task-${NOON + 20_000}`,
      queued_at: null,
    });
    const mixed = decideFirings(
      { row, open: [] },
      NOON + 20_000,
      free((at) => (at === NOON + 10_000 ? "b" : "a"), true),
    );
    expect(made(mixed)).toEqual([NOON + 10_000, NOON + 20_000]);
    expect(skipped(mixed)).toEqual([{ from: NOON, until: NOON, count: 1, kind: "unique" }]);
  });

  test("a flow that replaces it has it cancelled, and one time waits for its end", () => {
    const first = decideFirings({ row: schedule(), open: [] }, NOON, taken(true));
    expect(first).toMatchObject({ tasks: [], skips: [], cancels: ["other"], row: { queued_at: NOON } });
    expect(first.row.next_at).toBeLessThan(NOON + MINUTE);
    const second = decideFirings({ row: first.row, open: [] }, NOON + MINUTE, taken(true));
    expect(second.row.queued_at).toBe(NOON);
    expect(skipped(second)).toEqual([{ from: NOON + MINUTE, until: NOON + MINUTE, count: 1, kind: "unique" }]);
    const third = decideFirings({ row: second.row, open: [] }, second.row.next_at ?? 0, plan);
    expect([made(third), third.row.queued_at]).toEqual([[NOON], null]);
  });

  test("cancel-running waits for the end of what it cancels, where that has the key", () => {
    const row = schedule({ overlap: "cancel-running" });
    const decided = decideFirings({ row, open: ["other", "older"] }, NOON, taken(false));
    expect(decided.cancels.toSorted()).toEqual(["older", "other"]);
    expect([made(decided), skipped(decided), decided.row.queued_at]).toEqual([[], [], NOON]);
  });
});

describe("across a change of the clock", () => {
  const berlin = { cron: "30 2 * * *", every_ms: null, time_zone: "Europe/Berlin" } as const;

  /** All times at which a worker that is always there makes tasks, in this range. */
  function run(over: Partial<ScheduleRow>, from: number, until: number): readonly string[] {
    const begun = schedule({ ...berlin, ...over });
    let row = decideFirings({ row: { ...begun, nominal_at: null, next_at: null }, open: [] }, from, plan).row;
    row = { ...row, nominal_at: null };
    const first = newScheduleRow({ name: "x", flow: "f", owner: "command", terms: begun, input: "{}", now: from });
    row = { ...row, nominal_at: first.nominal_at, next_at: first.next_at };
    const all: number[] = [];
    while (row.next_at !== null && row.next_at <= until) {
      const decided = decideFirings({ row, open: [] }, row.next_at, plan);
      all.push(...made(decided));
      ({ row } = decided);
    }
    return all.map((at) => new Date(at).toISOString().slice(0, 16));
  }

  test("forward: the time that is not there fires once, an hour later by the wall", () => {
    expect(run({}, Date.UTC(2026, 2, 28), Date.UTC(2026, 2, 31))).toEqual([
      "2026-03-28T01:30",
      "2026-03-29T01:30",
      "2026-03-30T00:30",
    ]);
  });

  test("back: the time that is there twice fires once", () => {
    expect(run({}, Date.UTC(2026, 9, 24), Date.UTC(2026, 9, 27))).toEqual([
      "2026-10-24T00:30",
      "2026-10-25T00:30",
      "2026-10-26T01:30",
    ]);
  });

  test("an interval and a schedule of every hour fire each hour that passes, in both directions", () => {
    for (const day of [Date.UTC(2026, 2, 29), Date.UTC(2026, 9, 25)]) {
      for (const over of [{ cron: "0 * * * *" }, { cron: null, every_ms: HOUR }]) {
        const fired = run(over, day - 1, day + 23 * HOUR);
        expect(fired).toEqual(times(day, HOUR, 24).map((at) => new Date(at).toISOString().slice(0, 16)));
      }
    }
  });
});
