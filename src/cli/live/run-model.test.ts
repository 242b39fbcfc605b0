import { expect, test } from "bun:test";
import { summarize } from "../../core/api/summarize.ts";
import type { Task, ToolCall } from "../../core/api/task.ts";
import { childTaskId } from "../../core/record/ids.ts";
import type { StepRow, TaskRow } from "../../core/record/record.ts";
import { createPaint } from "../../log/paint.ts";
import { plannedStep, plannedTask } from "../../../test/support/tasks.ts";
import { drawRun } from "./draw-run.ts";
import { RunModel } from "./run-model.ts";

const ID = "01a22719-44e5-70f5-9d32-3b864e3cedf9";
const NOW = Date.parse("2026-11-23T03:39:25.000Z");

function row(step_index: number, step_name: string, over: Partial<StepRow> = {}): StepRow {
  const path = String(step_index);
  const base = { id: `s${step_index}`, task_id: ID, step_index, path, kind: "tool", step_name, target: "t" } as const;
  return { ...base, status: "PLANNED", due_at: null, ...over } as unknown as StepRow;
}

class Clocked {
  now = NOW;
  changes = 0;
  readonly model = new RunModel(
    () => this.now,
    () => (this.changes += 1),
  );

  draw(columns = 80, rows = 20): readonly string[] {
    return drawRun(this.model, ID, { columns, rows, paint: createPaint(false), now: this.now, since: NOW }).slice(1);
  }
}

test("a step is planned, runs, fails, waits for its next attempt, and ends", () => {
  const shown = new Clocked();
  const { model } = shown;
  const charge = row(1, "charge");
  model.planned(charge);
  expect(shown.draw()).toEqual(["  · 1 charge"]);
  model.started(charge, 1, 3);
  shown.now += 1200;
  expect(shown.draw()).toEqual(["  ⠹ 1 charge  1.2 s"]);
  expect(model.isHere).toBe(true);
  model.attemptFailed({ taskId: ID, stepId: "s1", attempt: 1, error: "connection refused", nextMs: 400 });
  expect(shown.draw()).toEqual(["  ↻ 1 charge  1.2 s  attempt 2 of 3 in 400 ms: connection refused"]);
  shown.now += 500;
  expect(shown.draw()).toEqual(["  ↻ 1 charge  1.7 s  attempt 2 of 3: connection refused"]);
  model.ended(charge, "COMPLETED", undefined);
  expect(shown.draw()).toEqual(["  ✔ 1 charge  1.7 s"]);
  expect([model.isHere, shown.changes]).toEqual([false, 4]);
});

test("how far a tool is stands beside it while it runs", () => {
  const shown = new Clocked();
  const { model } = shown;
  const rows = row(1, "rows");
  model.planned(rows);
  model.started(rows, 1, 3);
  model.progressed(rows, '{"done":1200,"total":5000,"message":"page 3"}');
  expect(shown.draw()).toEqual(["  ⠋ 1 rows  0.0 s  1,200 of 5,000 (24 %), page 3"]);
  model.attemptFailed({ taskId: ID, stepId: "s1", attempt: 1, error: "refused", nextMs: 0 });
  model.started(rows, 2, 3);
  expect(shown.draw()).toEqual(["  ⠋ 1 rows  0.0 s  attempt 2 of 3"]);
  model.progressed(rows, '{"done":7}');
  expect(shown.draw()).toEqual(["  ⠋ 1 rows  0.0 s  attempt 2 of 3, 7"]);
  model.ended(rows, "COMPLETED", undefined);
  expect(shown.draw()).toEqual(["  ✔ 1 rows  0 ms"]);
});

test("waits, doubts, failures and what was given up are told as what they are", () => {
  const shown = new Clocked();
  const { model } = shown;
  model.planned(row(1, "sleep", { kind: "sleep", due_at: NOW + 90_000 }));
  model.planned(row(2, "approval", { kind: "signal", target: "approved" }));
  for (const step of [row(3, "pay"), row(4, "mail"), row(5, "look"), row(6, "later")]) model.started(step, 1, 2);
  model.doubted(row(3, "pay"));
  model.ended(row(4, "mail"), "FAILED", "no such\naddress");
  model.ended(row(5, "look"), "CANCELLED", undefined);
  model.postponed(row(6, "later"), NOW + 60_000);
  expect(shown.draw()).toEqual([
    "  ◌ 1 sleep            WAITING 2 min more",
    "  ◌ 2 approval         WAITING for signal approved",
    "  ? 3 pay       0.0 s  IN DOUBT",
    "  ✖ 4 mail       0 ms  no such\\naddress",
    "  – 5 look       0 ms  CANCELLED",
    "  ↻ 6 later     0.0 s  attempt 2 of 2 in 1.0 min",
  ]);
  expect(model.isHere).toBe(false);
});

test("the steps of a child stand below its step until it has ended", () => {
  const shown = new Clocked();
  const { model } = shown;
  const ship = row(1, "ship", { kind: "child", id: ID });
  const child = childTaskId(ID);
  const pack = row(1, "pack", { id: "c1", task_id: child });
  model.started(ship, 1, 1);
  model.moved({ id: child, flow_name: "ship", status: "RUNNING" } as TaskRow);
  model.started(pack, 1, 1);
  model.planned(row(2, "bill"));
  expect(shown.draw()).toEqual(["  ⠋ 1 ship    0.0 s", "    ⠋ 1 pack  0.0 s", "  · 2 bill"]);
  model.ended(ship, "COMPLETED", undefined);
  expect(shown.draw()).toEqual(["  ✔ 1 ship  0 ms", "  · 2 bill"]);
});

test("a task that was read shows the same", () => {
  const shown = new Clocked();
  const at = (ms: number): string => new Date(NOW + ms).toISOString();
  const call = (over: Partial<ToolCall>): ToolCall =>
    ({ retry_count: 0, last_error: null, started_at: at(-2000), finished_at: null, ...over }) as ToolCall;
  const task: Task = plannedTask({
    id: ID,
    status: "WAITING_OBSERVATION",
    waiting_for: [{ kind: "retry", name: "mail", until: at(5000), task_id: null }],
    steps: [
      plannedStep({ id: "s1", status: "COMPLETED", step_name: "pay", tool_calls: [call({ finished_at: at(-500) })] }),
      plannedStep({
        id: "s2",
        step_index: 2,
        status: "RUNNING",
        step_name: "mail",
        tool_calls: [call({ retry_count: 1, last_error: "busy" })],
      }),
    ],
  });
  shown.model.read(summarize(task));
  expect(shown.draw()).toEqual(["  ✔ 1 pay   1.5 s", "  ↻ 2 mail  2.0 s  attempt 2 in 5.0 s: busy"]);
  shown.model.started(row(2, "mail"), 2, 3);
  expect(shown.draw()[1]).toBe("  ⠋ 2 mail  2.0 s  attempt 2 of 3");
});

test("of five thousand steps those that run are shown as far as there is room, and the others counted", () => {
  const shown = new Clocked();
  for (let index = 1; index <= 5000; index++) {
    const step = row(index, "part");
    shown.model.planned(step);
    if (index <= 4000) shown.model.started(step, 1, 1);
    if (index <= 3990) shown.model.ended(step, "COMPLETED", undefined);
  }
  const lines = shown.draw(80, 8);
  expect(lines).toEqual([
    ...[3991, 3992, 3993, 3994, 3995, 3996].map((index) => `  ⠋ ${index} part  0.0 s`),
    "  … 4,994 more: 3,990 completed, 4 running, 1,000 planned",
  ]);
  expect(shown.draw(80, 15)).toContain("  ✔ 3990 part   0 ms");
});

test("no line is as wide as the terminal, and there are no more than there may be", () => {
  const shown = new Clocked();
  shown.model.read(summarize(plannedTask({ id: ID, flow_name: "漢字".repeat(40) })));
  for (let index = 1; index <= 30; index++) {
    shown.model.started(row(index, "wide 漢字 👩‍👩‍👧 ".repeat(5)), 1, 9);
    if (index % 2)
      shown.model.attemptFailed({
        taskId: ID,
        stepId: `s${index}`,
        attempt: 1,
        error: "no\u001B[2J".repeat(9),
        nextMs: 9,
      });
  }
  for (const columns of [20, 40, 80, 120])
    for (const rows of [3, 10, 60]) {
      const lines = drawRun(shown.model, ID, { columns, rows, paint: createPaint(true), now: NOW, since: NOW });
      expect(lines.length).toBeLessThanOrEqual(Math.max(rows, 3));
      for (const line of lines) {
        expect(Bun.stringWidth(line)).toBeLessThan(columns);
        expect(line).not.toContain("\u001B[2J");
      }
    }
});
