import { expect, test } from "bun:test";
import type { Task, TaskStep, ToolCall } from "../core/api/task.ts";
import { createPaint } from "../log/paint.ts";
import { CREATED_AT, plannedStep, plannedTask } from "../../test/support/tasks.ts";
import type { Look } from "./look.ts";
import { showWholeStep } from "./show-step.ts";

const LATER = "2026-11-23T03:39:26.630Z";

const CALL: ToolCall = {
  id: "c1",
  task_id: "t1",
  task_step_id: "s1",
  idempotency_key: "t1:s1:pay",
  tool_name: "pay",
  status: "COMPLETED",
  retry_count: 2,
  progress: null,
  last_error: "connection reset",
  started_at: CREATED_AT,
  finished_at: LATER,
  request_payload: { sku: "A1" },
  response_payload: { paid: true },
  error_message: null,
  error: null,
  created_at: CREATED_AT,
};

const STEP = plannedStep({
  step_index: 4,
  step_name: "pay",
  status: "COMPLETED",
  input_payload: { sku: "A1" },
  output_payload: { paid: true },
  updated_at: LATER,
  tool_calls: [CALL],
});

const look = (columns: number): Look => ({
  style: "readable",
  columns,
  paint: createPaint(false),
  now: () => Date.parse("2026-11-23T03:42:26.630Z"),
});

function show(step: TaskStep, columns = 80, over: Partial<Task> = {}): string {
  return showWholeStep(plannedTask({ flow_name: "order", steps: [step], ...over }), step, look(columns));
}

test("a step is shown whole: what went in and came out, its times and its calls, nothing twice", () => {
  expect(show(STEP)).toBe(
    [
      "step      4 pay",
      "task      t1",
      "flow      order",
      "status    COMPLETED",
      "decided   2026-11-23 03:39:25.130Z  (3 min ago)",
      "updated   2026-11-23 03:39:26.630Z  (3 min ago)",
      "input     {",
      '            "sku": "A1"',
      "          }",
      "output    {",
      '            "paid": true',
      "          }",
      "",
      "call      pay: COMPLETED, 3 attempts, 1.5 s",
      "started   2026-11-23 03:39:25.130Z  (3 min ago)",
      "finished  2026-11-23 03:39:26.630Z  (3 min ago)",
      "key       t1:s1:pay",
      "tried     connection reset",
      "",
    ].join("\n"),
  );
});

test("an error is told with its place, what it says of itself, and all that it was thrown for", () => {
  const error = {
    name: "BankError",
    message: "no money",
    code: "E17",
    at: "/flows/pay.ts:12:9",
    fields: { status: 402 },
    errors: [{ path: "cents", message: "must be positive" }],
    members: [{ name: "Error", message: "one of them" }],
    cause: { name: "Error", message: "the socket hung up", at: "/flows/bank.ts:3:1" },
  };
  const shown = show({
    ...STEP,
    status: "FAILED",
    output_payload: null,
    error_message: "no money",
    error,
    tool_calls: [
      { ...CALL, status: "FAILED", response_payload: null, error_message: "no money", error, last_error: "no money" },
    ],
  });
  expect(shown).toContain(
    [
      "error     BankError: no money (E17)",
      "          cents: must be positive",
      "at        /flows/pay.ts:12:9",
      "fields    {",
      '            "status": 402',
      "          }",
      "member    Error: one of them",
      "cause     Error: the socket hung up",
      "at        /flows/bank.ts:3:1",
      "",
      "call      pay: FAILED, 3 attempts, 1.5 s",
      "started   2026-11-23 03:39:25.130Z  (3 min ago)",
      "finished  2026-11-23 03:39:26.630Z  (3 min ago)",
      "key       t1:s1:pay",
      "",
    ].join("\n"),
  );
  expect(shown).not.toContain("output");
});

test("a call that said something else than its step shows it", () => {
  const shown = show({ ...STEP, output_payload: null, status: "RUNNING", tool_calls: [CALL, { ...CALL, id: "c2" }] });
  expect(shown).toContain("\ncall 2    pay: COMPLETED");
  expect(shown.match(/^response {2}\{$/gm)).toHaveLength(2);
});

test("a child, a doubt and a wait are told", () => {
  const child = { ...STEP, status: "RUNNING", child_task_id: "t9", doubt: null, tool_calls: [] } as const;
  const waiting_for = [{ kind: "child", name: "ship", until: null, task_id: "t9" }] as const;
  const shown = show(child, 80, { status: "WAITING_OBSERVATION", waiting_for });
  expect(shown).toContain("status    WAITING for child ship\nchild     t9\n");
  expect(show({ ...STEP, status: "RUNNING", doubt: "Its worker died." }, 80, { status: "RUNNING" })).toContain(
    "doubt     Its worker died.\n",
  );
});

test("whatever is in it, a terminal gets no control characters", () => {
  const evil = "\u001b[2J\u009b\u202e\r";
  const shown = show({
    ...STEP,
    step_name: evil,
    input_payload: { [evil]: evil },
    doubt: evil,
    tool_calls: [{ ...CALL, last_error: evil, idempotency_key: evil }],
  });
  expect(shown).not.toMatch(/[^\n\P{Cc}]|\u202e/u);
});
