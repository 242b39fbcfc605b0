import { describe, expect, test } from "bun:test";
import type { InboxRow, StepRow } from "../core/record.ts";
import { readError } from "../core/stored-error.ts";
import { findNews } from "./news.ts";

const wait = (index: number, over: Partial<StepRow> = {}): StepRow => ({
  id: `step ${index}`,
  task_id: "task",
  step_index: index,
  path: `/${index}`,
  kind: "signal",
  step_name: "go",
  target: "go",
  status: "PLANNED",
  input_payload: "{}",
  output_payload: null,
  error: null,
  outcome_seq: null,
  observed_at: null,
  due_at: null,
  attempt_epoch: 0,
  created_at: 0,
  updated_at: 0,
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
  created_at: 0,
  ...over,
});

const endOf = (seq: number, step: string, error: string | null = null): InboxRow =>
  row(seq, { kind: "child", name: null, step_id: step, payload: error === null ? '"done"' : null, error });

const sleep = (index: number, due_at: number): StepRow => wait(index, { kind: "sleep", target: null, due_at });

/** Everything that comes of it, one outcome after the other, as a driver takes them. */
function allNews(waits: readonly StepRow[], inbox: readonly InboxRow[], now: number): [step: number, what: unknown][] {
  const found: [number, unknown][] = [];
  let [open, left] = [waits, inbox];
  for (;;) {
    const { outcome, consumed } = findNews(open, left, now);
    if (!outcome) return found;
    const { step, outcome: what } = outcome;
    found.push([
      step.step_index,
      what.status === "COMPLETED" ? JSON.parse(what.output_payload) : readError(what.error).name,
    ]);
    open = open.filter((each) => each !== step);
    left = left.filter(({ seq }) => !consumed.includes(seq));
  }
}

describe("news", () => {
  test("are none where nothing has come and nothing is due", () => {
    expect(findNews([wait(1), sleep(2, 100)], [], 99)).toEqual({ outcome: undefined, consumed: [], cancels: [] });
  });

  test("come in the order of arrival, signals to the first wait of their name", () => {
    const waits = [wait(1), wait(2, { target: "stop" }), wait(3)];
    const inbox = [row(5, { name: "stop" }), row(6), row(7)];
    expect(allNews(waits, inbox, 0)).toEqual([
      [2, 5],
      [1, 6],
      [3, 7],
    ]);
  });

  test("are told one by one: another wait takes nothing before the flow has heard of the first", () => {
    const { outcome, consumed } = findNews([wait(1), wait(2)], [row(1), row(2)], 0);
    expect(outcome?.step.step_index).toBe(1);
    expect(consumed).toEqual([1]);
  });

  test("leave a signal that nobody waits for where it is", () => {
    expect(findNews([wait(1, { target: "stop" })], [row(1)], 0)).toEqual({
      outcome: undefined,
      consumed: [],
      cancels: [],
    });
    expect(findNews([sleep(1, 0)], [row(1)], 0).consumed).toEqual([]);
  });

  test("give a signal to a wait of that name only, not to a step that is called so", () => {
    expect(findNews([wait(1, { kind: "child", target: "go" })], [row(1)], 0).outcome).toBeUndefined();
  });

  test("of time come in the order in which they were due, then in that of planning", () => {
    const waits = [sleep(1, 30), wait(2, { due_at: 10 }), sleep(3, 20), sleep(4, 20), sleep(5, 31)];
    expect(allNews(waits, [], 30)).toEqual([
      [2, "TimeoutError"],
      [3, null],
      [4, null],
      [1, null],
    ]);
  });

  test("of a signal that is there beat a timeout that has passed", () => {
    expect(allNews([wait(1, { due_at: 10 })], [row(1)], 1000)).toEqual([[1, 1]]);
  });

  test("of a child go to the step that waits for it: its output, or its failure", () => {
    const waits = [wait(1, { kind: "child" }), wait(2, { kind: "child" })];
    expect(allNews(waits, [endOf(1, "step 2"), endOf(2, "step 1", '{"name":"Oops","message":"x"}')], 0)).toEqual([
      [2, "done"],
      [1, "Oops"],
    ]);
  });

  test("of a child that nobody waits for any more are dealt with", () => {
    expect(findNews([wait(1)], [endOf(1, "step 9"), row(2)], 0).consumed).toEqual([1, 2]);
    expect(findNews([], [endOf(1, "step 9")], 0)).toEqual({ outcome: undefined, consumed: [1], cancels: [] });
  });

  test("tell of every cancel, also of those behind a signal", () => {
    const cancel = { kind: "cancel", name: null } as const;
    const { cancels, outcome, consumed } = findNews([wait(1)], [row(1, cancel), row(2), row(3, cancel)], 0);
    expect(cancels).toEqual([1, 3]);
    expect(outcome?.step.step_index).toBe(1);
    expect(consumed).toEqual([2]);
  });
});
