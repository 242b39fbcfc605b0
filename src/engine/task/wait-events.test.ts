import { describe, expect, test } from "bun:test";
import { stepRow } from "../../../test/contract/rows.ts";
import type { InboxRow, StepRow } from "../../core/record/record.ts";
import { readError } from "../../core/record/stored-error.ts";
import { findEvent, isWait, type WaitOutcome } from "./wait-events.ts";

const wait = (index: number, over: Partial<StepRow> = {}): StepRow =>
  stepRow("task", {
    id: `step ${index}`,
    step_index: index,
    kind: "signal",
    step_name: "go",
    target: "go",
    execution: null,
    ...over,
  });

const row = (seq: number, over: Partial<InboxRow> = {}): InboxRow => ({
  task_id: "task",
  seq,
  kind: "signal",
  name: "go",
  step_id: null,
  payload: `${seq}`,
  error: null,
  idempotency_key: null,
  attempt_epoch: null,
  created_at: 0,
  ...over,
});

const endOf = (seq: number, step: string, error: string | null = null): InboxRow =>
  row(seq, { kind: "child", name: null, step_id: step, payload: error === null ? '"done"' : null, error });

const sleep = (index: number, due_at: number): StepRow => wait(index, { kind: "sleep", target: null, due_at });

/** All events, one outcome after the other, as a driver takes them. */
function allEvents(
  waits: readonly StepRow[],
  inbox: readonly InboxRow[],
  now: number,
): [step: number, what: unknown][] {
  const found: [number, unknown][] = [];
  let [open, left] = [waits, inbox];
  for (;;) {
    const { event, consumed } = findEvent(open, left, now);
    if (!event) return found;
    const { step, outcome } = event;
    found.push([step.step_index, whatOf(outcome)]);
    open = open.filter((each) => each !== step);
    left = left.filter(({ seq }) => !consumed.includes(seq));
  }
}

function whatOf(outcome: WaitOutcome | undefined): unknown {
  if (!outcome) return "again";
  return outcome.status === "COMPLETED" ? JSON.parse(outcome.output_payload) : readError(outcome.error).name;
}

describe("events", () => {
  test("are none where nothing has come and nothing is due", () => {
    expect(findEvent([wait(1), sleep(2, 100)], [], 99)).toEqual({ event: undefined, consumed: [], cancels: [] });
  });

  test("come in the order of arrival, signals to the first wait of their name", () => {
    const waits = [wait(1), wait(2, { target: "stop" }), wait(3)];
    const inbox = [row(5, { name: "stop" }), row(6), row(7)];
    expect(allEvents(waits, inbox, 0)).toEqual([
      [2, 5],
      [1, 6],
      [3, 7],
    ]);
  });

  test("are told one by one: another wait takes nothing before the flow has heard of the first", () => {
    const { event, consumed } = findEvent([wait(1), wait(2)], [row(1), row(2)], 0);
    expect(event?.step.step_index).toBe(1);
    expect(consumed).toEqual([1]);
  });

  test("leave a signal that nobody waits for where it is", () => {
    expect(findEvent([wait(1, { target: "stop" })], [row(1)], 0)).toEqual({
      event: undefined,
      consumed: [],
      cancels: [],
    });
    expect(findEvent([sleep(1, 0)], [row(1)], 0).consumed).toEqual([]);
  });

  test("give a signal to a wait of that name only, not to a step that is called so", () => {
    expect(findEvent([wait(1, { kind: "child", target: "go" })], [row(1)], 0).event).toBeUndefined();
  });

  test("of time come in the order in which they were due, then in that of planning", () => {
    const waits = [sleep(1, 30), wait(2, { due_at: 10 }), sleep(3, 20), sleep(4, 20), sleep(5, 31)];
    expect(allEvents(waits, [], 30)).toEqual([
      [2, "TimeoutError"],
      [3, null],
      [4, null],
      [1, null],
    ]);
  });

  test("of a signal beat a timeout that was not over when it came, whenever somebody looks", () => {
    for (const now of [0, 10, 1000]) {
      expect(allEvents([wait(1, { due_at: 10 })], [row(1, { created_at: 10 })], now)).toEqual([[1, 1]]);
    }
  });

  test("of a timeout that was over come before what came later, and leave the signal to the next wait", () => {
    const waits = [wait(1, { due_at: 10 }), wait(2, { due_at: 100 })];
    const late = row(1, { created_at: 11 });
    expect(allEvents(waits.slice(0, 1), [late], 1000)).toEqual([[1, "TimeoutError"]]);
    expect(allEvents(waits, [late], 1000)).toEqual([
      [1, "TimeoutError"],
      [2, 1],
    ]);
    expect(allEvents([...waits, sleep(3, 50)], [row(1, { created_at: 60 })], 1000)).toEqual([
      [1, "TimeoutError"],
      [3, null],
      [2, 1],
    ]);
    const child = wait(4, { kind: "child" });
    expect(allEvents([child, sleep(3, 50)], [{ ...endOf(1, "step 4"), created_at: 51 }], 1000)).toEqual([
      [3, null],
      [4, "done"],
    ]);
  });

  test("of a child go to the step that waits for it: its output, or its failure", () => {
    const waits = [wait(1, { kind: "child" }), wait(2, { kind: "child" })];
    expect(allEvents(waits, [endOf(1, "step 2"), endOf(2, "step 1", '{"name":"Oops","message":"x"}')], 0)).toEqual([
      [2, "done"],
      [1, "Oops"],
    ]);
  });

  test("of a child that nobody waits for any more are dealt with", () => {
    expect(findEvent([wait(1)], [endOf(1, "step 9"), row(2)], 0).consumed).toEqual([1, 2]);
    expect(findEvent([], [endOf(1, "step 9")], 0)).toEqual({ event: undefined, consumed: [1], cancels: [] });
  });

  test("tell of every cancel, and of what came after the first only when the flow has heard of it", () => {
    const cancel = { kind: "cancel", name: null, created_at: 20 } as const;
    const [waits, inbox] = [
      [wait(1), sleep(2, 21)],
      [row(1, cancel), row(2, { created_at: 30 }), row(3, cancel)],
    ];
    expect(findEvent(waits, inbox, 1000)).toEqual({ event: undefined, consumed: [], cancels: [1, 3] });
    expect(findEvent(waits, inbox, 1000, true)).toMatchObject({ event: { step: { step_index: 2 } }, cancels: [1, 3] });
    expect(findEvent([wait(1)], inbox, 1000, true)).toMatchObject({
      event: { step: { step_index: 1 } },
      consumed: [1, 2],
    });
  });

  test("tell of what came before a cancel before it", () => {
    const cancel = { kind: "cancel", name: null, created_at: 20 } as const;
    expect(findEvent([sleep(1, 20)], [row(1, cancel)], 1000).event?.step.step_index).toBe(1);
    expect(findEvent([wait(1)], [row(1), row(2, cancel)], 1000)).toMatchObject({ consumed: [1], cancels: [2] });
  });
});

describe("events of tools", () => {
  const tool = (index: number, over: Partial<StepRow> = {}): StepRow =>
    wait(index, { kind: "tool", step_name: "pay", target: "pay", status: "RUNNING", ...over });
  const doubtful = (index: number, over: Partial<StepRow> = {}): StepRow =>
    tool(index, { doubt: '{"name":"Error","message":"cut short"}', ...over });
  const settled = (seq: number, step: string, over: Partial<InboxRow> = {}): InboxRow =>
    row(seq, { kind: "resolve", name: null, step_id: step, payload: '"paid"', attempt_epoch: 0, ...over });

  test("are none while they run: only what is in doubt, or is tried again later, waits", () => {
    expect([tool(1), doubtful(1), tool(1, { due_at: 5 })].map(isWait)).toEqual([false, true, true]);
    expect(findEvent([tool(1)], [], 1000).event).toBeUndefined();
  });

  test("in doubt are what somebody says of it: an output, a failure, or that it is to be called again", () => {
    const failed = settled(2, "step 2", { payload: null, error: '{"name":"Lost","message":"x"}' });
    const again = settled(3, "step 3", { payload: null });
    const steps = [doubtful(1), doubtful(2), doubtful(3)];
    expect(allEvents(steps, [settled(1, "step 1"), failed, again], 0)).toEqual([
      [1, "paid"],
      [2, "Lost"],
      [3, "again"],
    ]);
  });

  test("settle nothing but the step, and the epoch of it, that they were meant for", () => {
    const steps = [doubtful(1, { attempt_epoch: 1 }), doubtful(2)];
    const former = settled(1, "step 1", { attempt_epoch: 0 });
    expect(findEvent(steps, [former], 0)).toEqual({ event: undefined, consumed: [1], cancels: [] });
    expect(findEvent(steps, [settled(1, "step 9")], 0)).toEqual({ event: undefined, consumed: [1], cancels: [] });
  });

  test("that come before the doubt are kept until it is there", () => {
    expect(findEvent([tool(1)], [settled(1, "step 1")], 0)).toEqual({ event: undefined, consumed: [], cancels: [] });
  });

  test("of time call a tool again when its wait is over, and settle no doubt", () => {
    expect(allEvents([tool(1, { due_at: 10 })], [], 9)).toEqual([]);
    expect(allEvents([tool(1, { due_at: 10 })], [], 10)).toEqual([[1, "again"]]);
    expect(allEvents([doubtful(1, { due_at: 10 })], [], 10)).toEqual([]);
  });
});
