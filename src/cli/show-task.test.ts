import { expect, test } from "bun:test";
import fc from "fast-check";
import type { Progress } from "../core/record/progress.ts";
import type { Task, TaskStep, ToolCall, Waiting } from "../core/api/task.ts";
import { createPaint } from "../log/paint.ts";
import { CREATED_AT, plannedStep, plannedTask } from "../../test/support/tasks.ts";
import { hintsOf } from "../../test/support/hints.ts";
import { shorten, showJson, showText, wrapText } from "./cells.ts";
import type { Look } from "./look.ts";
import { showTask } from "./show-task.ts";
import { standingOf } from "./standing.ts";

const LATER = "2026-11-23T03:39:25.200Z";
const NOW = Date.parse("2026-11-23T03:42:25.130Z");

function makeTask(text: string, parts: Partial<Task> = {}): Task {
  const call: ToolCall = {
    id: "c1",
    task_id: "t1",
    task_step_id: "s1",
    idempotency_key: "t1:s1:echo",
    tool_name: "echo",
    status: "COMPLETED",
    retry_count: 2,
    progress: null,
    last_error: text,
    started_at: CREATED_AT,
    finished_at: LATER,
    request_payload: { text },
    response_payload: { text },
    error_message: null,
    error: null,
    created_at: CREATED_AT,
  };
  const step = plannedStep({
    step_name: "echo",
    status: "COMPLETED",
    input_payload: { text },
    output_payload: { text },
    updated_at: LATER,
    tool_calls: [call],
  });
  return plannedTask({
    status: "COMPLETED",
    flow_name: "echo_add",
    current_step: 1,
    input_payload: { text },
    output_payload: { echo: { text } },
    updated_at: LATER,
    steps: [
      step,
      { ...step, id: "s2", step_index: 2, status: "FAILED", output_payload: null, error_message: text, tool_calls: [] },
    ],
    tool_calls: [call],
    ...parts,
  });
}

function look(columns: number, color = false): Look {
  return { style: "readable", columns, paint: createPaint(color), now: () => NOW };
}

test("a task is shown with its facts and a table of its steps", () => {
  expect(showTask(makeTask("hello"), look(80))).toBe(
    [
      "task     t1",
      "flow     echo_add",
      "status   COMPLETED",
      "created  2026-11-23 03:39:25.130Z  (3 min ago)",
      "updated  2026-11-23 03:39:25.200Z  (took 70 ms)",
      'input    {"text":"hello"}',
      'output   {"echo":{"text":"hello"}}',
      "",
      "#  STEP  STATUS     ATTEMPTS   TIME  RESULT",
      '1  echo  COMPLETED         3  70 ms  {"text":"hello"}',
      "2  echo  FAILED               70 ms  hello",
      "",
    ].join("\n"),
  );
});

test("an error and the reason of a parked task are shown, an output that is not there is not", () => {
  const shown = showTask(
    makeTask("x", { status: "FAILED", output_payload: null, error_message: "no luck", parked_reason: "why" }),
    look(80),
  );
  expect(shown).toContain("error    no luck\n");
  expect(shown).toContain("parked   why\n");
  expect(shown).not.toContain("output");
});

test("where an error was thrown is shown whole, and all that it was thrown for", () => {
  const cause = {
    name: "PgError",
    message: "deadlock",
    code: "40P01",
    at: "/db.ts:9:1",
    cause: { name: "E", message: "m" },
  };
  const error = { name: "Error", message: "no luck", at: `/${"flows/".repeat(20)}pay.ts:12:9`, cause };
  const shown = showTask(
    makeTask("x", { status: "FAILED", output_payload: null, error_message: "no luck", error }),
    look(80),
  );
  expect(shown).toContain(`at       ${error.at}\n`);
  expect(shown).toContain("cause    PgError: deadlock (40P01), at /db.ts:9:1\ncause    E: m\n");
});

test("the reason of a parked task is shown whole, on as many lines as it takes", () => {
  const reason = `step 1 was recorded as sleep at /0 with {"ms":2000}, now it decides sleep at /0 with {"ms":3000}. ${"x".repeat(80)}.`;
  const shown = showTask(makeTask("x", { parked_reason: reason }), look(70));
  expect(shown).toContain(
    [
      'parked   step 1 was recorded as sleep at /0 with {"ms":2000}, now it',
      '         decides sleep at /0 with {"ms":3000}.',
      `         ${"x".repeat(61)}`,
      `         ${"x".repeat(19)}.`,
      "",
    ].join("\n"),
  );
});

const WAITING = { status: "WAITING_OBSERVATION", output_payload: null } as const;
const SIGNAL: Waiting = { kind: "signal", name: "approved", until: LATER, task_id: null };
const TIME: Waiting = { kind: "time", name: null, until: LATER, task_id: null };
const CHILD: Waiting = { kind: "child", name: "ship", until: null, task_id: "t9" };

/** The lines about what a task waits for. */
function linesOf(parts: Partial<Task>): string[] {
  return showTask(makeTask("x", parts), look(80))
    .split("\n")
    .filter((line) => line.startsWith("waits "));
}

test("a waiting task says what it waits for, and how to go on", () => {
  const next = hintsOf().give("signalTask", { id: "t1", name: "approved", payload: '{"by":"text"}' });
  const shown = showTask(makeTask("x", { ...WAITING, waiting_for: [SIGNAL] }), look(40), [
    ...next,
    ...hintsOf().give("setToken"),
  ]);
  expect(shown).toContain(
    `\nnext     taskonaut signal-task t1 approved --payload '{"by":"text"}'\nhint     Set TASKONAUT_`,
  );
  expect(linesOf({ ...WAITING, waiting_for: [SIGNAL, TIME, CHILD, { ...SIGNAL, name: "paid", until: null }] })).toEqual(
    [
      "waits    for signal approved, until 2026-11-23 03:39:25.200Z",
      "waits    until 2026-11-23 03:39:25.200Z",
      "waits    for child t9 (ship)",
      "waits    for signal paid",
    ],
  );
  const many = linesOf({ ...WAITING, waiting_for: Array.from({ length: 1000 }, () => SIGNAL) });
  expect(many).toHaveLength(9);
  expect(many.at(-1)).toBe("waits    and for 992 more");
});

test("a kind of wait that a later server knows is named", () => {
  const moon = { ...TIME, kind: "moon", until: null } as unknown as Waiting;
  expect(linesOf({ ...WAITING, waiting_for: [moon] })).toEqual(["waits    for moon"]);
});

test("a tool that is tried again is waited for until then", () => {
  const retry: Waiting = { ...TIME, kind: "retry", name: "pay" };
  expect(linesOf({ ...WAITING, waiting_for: [retry] })).toEqual([
    "waits    for the next attempt of pay, until 2026-11-23 03:39:25.200Z",
  ]);
});

test("a step that is tried again later shows the attempts that were made, and how the last one failed", () => {
  const [step] = makeTask("connection refused").steps as [TaskStep];
  const open = { ...step, status: "RUNNING", output_payload: null } as const;
  const stepsOf = (parts: Partial<Task>): string[] => {
    const tool_calls = step.tool_calls.map((call) => ({ ...call, status: "RUNNING", finished_at: null }) as const);
    return showTask(makeTask("x", { ...WAITING, steps: [{ ...open, tool_calls }], ...parts }), look(80)).split("\n");
  };
  const retry: Waiting = { ...TIME, kind: "retry", name: "echo" };
  expect(stepsOf({ waiting_for: [retry] })).toContain("1  echo  WAITING to retry         2  connection refused");
  // the third is under way
  expect(stepsOf({ waiting_for: [] })).toContain("1  echo  RUNNING 3 min         3  connection refused");
});

test("of a step that runs it is shown how far it is, and of one that has ended how it ended", () => {
  const [step] = makeTask("x").steps as [TaskStep];
  const lineOf = (progress: Progress, status: "RUNNING" | "COMPLETED" = "RUNNING"): string => {
    const tool_calls = step.tool_calls.map(
      (call) => ({ ...call, status: "RUNNING", finished_at: null, progress }) as const,
    );
    const steps = [{ ...step, status, tool_calls, ...(status === "RUNNING" && { output_payload: null }) }];
    return (
      showTask(makeTask("x", { status: "RUNNING", steps }), look(100))
        .split("\n")
        .at(-2) ?? ""
    );
  };
  expect(lineOf({ done: 1200, total: 5000, message: "page 3" })).toEndWith("1,200 of 5,000 (24 %), page 3");
  expect(lineOf({ done: 2.71999 })).toEndWith("2.72");
  expect(lineOf({ done: 0, total: 0 })).toEndWith("0 of 0");
  expect(lineOf({ message: "waits\u001b[2J for them" })).not.toContain("\u001b");
  expect(lineOf({ message: "left over" }, "COMPLETED")).not.toContain("left over");
});

/** A task whose steps are in doubt. */
function doubtful(...indexes: number[]): Partial<Task> {
  const [step] = makeTask("x").steps as [TaskStep];
  return {
    ...WAITING,
    waiting_for: indexes.map((): Waiting => ({ kind: "doubt", name: "echo", until: null, task_id: null })),
    steps: indexes.map((index) => ({
      ...step,
      step_index: index,
      status: "RUNNING",
      output_payload: null,
      doubt: "Its worker died.",
    })),
  };
}

test("a step in doubt is shown as such, with why", () => {
  const shown = showTask(makeTask("x", doubtful(2)), look(80));
  expect(shown).toContain("\ndoubt    step 2 echo: Its worker died.\nkey      t1:s1:echo\n");
  expect(shown).toMatch(/^2 +echo +IN DOUBT/m);
  expect(linesOf(doubtful(2))).toEqual(["waits    for somebody who settles step 2 echo, which is in doubt"]);
  expect(linesOf(doubtful(2, 5))).toEqual([
    "waits    for somebody who settles step 2 echo, which is in doubt",
    "waits    for somebody who settles step 5 echo, which is in doubt",
  ]);
});

test("a doubt matters no more when the task has ended", () => {
  const ended = showTask(makeTask("x", { ...doubtful(2), status: "CANCELLED", waiting_for: [] }), look(80));
  expect(ended).not.toContain("doubt");
});

test("a task of the queue says when it is due, as long as nobody has it and it waits for nothing else", () => {
  const queued = { status: "PLANNED", due_at: LATER, priority: 3 } as const;
  const dueOf = (parts: Partial<Task>): string | undefined =>
    /^due +(.*)$/m.exec(showTask(makeTask("x", parts), look(80)))?.[1];
  expect(dueOf(queued)).toBe("2026-11-23 03:39:25.200Z  (in the queue, priority 3)");
  expect(dueOf({ ...queued, status: "RUNNING", lease_owner: "w1" })).toBeUndefined();
  expect(dueOf({ ...queued, ...WAITING, waiting_for: [TIME] })).toBeUndefined();
  expect(dueOf({ ...queued, status: "COMPLETED" })).toBeUndefined();
  expect(dueOf({ ...queued, due_at: null })).toBeUndefined();
});

test("a list says of a task what a person has to see to", () => {
  const textOf = (parts: Partial<Task>): string => standingOf(makeTask("x", parts), NOW).text;
  expect(textOf({ status: "COMPLETED" })).toBe("COMPLETED");
  expect(textOf({ status: "RUNNING", parked_reason: "why" })).toBe("PARKED");
  expect(textOf(doubtful(1))).toBe("IN DOUBT");
  expect(textOf({ ...doubtful(1), parked_reason: "why" })).toBe("IN DOUBT");
});

test("a child names its parent", () => {
  expect(showTask(makeTask("x", { parent_task_id: "t0" }), look(80))).toContain("\nparent   t0\n");
});

test("whatever users and tools wrote, the terminal gets no control characters and no line beyond its width", () => {
  const text = fc.oneof(
    fc.string({ unit: "binary", maxLength: 300 }),
    fc.constantFrom(
      "\u001b[31mred\u001b]0;title\u0007",
      "\u009b2J",
      "a\rb\nc",
      "\u202eevil",
      "\ud800",
      "日本語".repeat(60),
      "👩‍👩‍👧‍👦".repeat(60),
      "e\u0301".repeat(400),
    ),
  );
  fc.assert(
    fc.property(text, fc.integer({ min: 70, max: 200 }), fc.boolean(), (value, columns, isQueued) => {
      const waits = [SIGNAL, CHILD, { ...TIME, kind: "retry" as const }, { ...TIME, kind: "doubt" as const }];
      const [first, ...others] = makeTask(value).steps as [TaskStep];
      const task = makeTask(value, {
        ...WAITING,
        flow_name: value,
        error_message: value,
        parked_reason: value,
        parent_task_id: value,
        due_at: value,
        waiting_for: isQueued ? [] : waits.map((wait) => ({ ...wait, name: value, until: value, task_id: value })),
        steps: isQueued ? [first, ...others] : [{ ...first, status: "RUNNING", doubt: value }, ...others],
      });
      const shown = showTask(task, look(columns));
      for (const line of shown.split("\n")) {
        expect(line).not.toMatch(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u);
        expect(line.isWellFormed()).toBe(true);
        expect(Bun.stringWidth(line)).toBeLessThanOrEqual(columns);
      }
    }),
  );
});

test("a step's status that is none is shown, never obeyed", () => {
  const status = "\u001b]0;title\u0007\n" as "FAILED";
  const task = makeTask("x");
  const hostile = { ...task, steps: task.steps.map((step) => ({ ...step, status })) };
  const shown = showTask(hostile, look(100));
  expect(shown).not.toMatch(/[^\n\P{Cc}]/u);
  expect(shown).toContain("\\x1b]0;title\\x07\\n");
});

test("with colour, the only escapes are those of the colours", () => {
  const shown = showTask(makeTask("\u001b[31mred"), look(80, true));
  expect(Bun.stripANSI(shown)).toBe(showTask(makeTask("\u001b[31mred"), look(80)));
});

test("an id is whole on the narrowest terminal", () => {
  const id = "019ab2c4-5d6e-7f80-9a1b-2c3d4e5f6071";
  expect(showTask(makeTask("x", { id }), look(20))).toContain(id);
});

test("text is wrapped at spaces, else between whole characters", () => {
  expect(wrapText("", 5)).toEqual([""]);
  expect(wrapText("one two three", 7)).toEqual(["one two", "three"]);
  expect(wrapText("one two three", 8)).toEqual(["one two", "three"]);
  expect(wrapText("日本語日本", 5)).toEqual(["日本", "語日", "本"]);
  expect(wrapText("e\u0301".repeat(3), 2)).toEqual(["e\u0301".repeat(2), "e\u0301"]);
  expect(wrapText("a\nb", 10)).toEqual(["a\\nb"]);
  const id = "019ab2c4-5d6e-7f80-9a1b-2c3d4e5f6071";
  expect(wrapText(`for child ${id} (ship)`, 20)).toEqual(["for child", id, "(ship)"]);
  expect(wrapText("x".repeat(10_000_000), 100).at(-1)).toEndWith("x…");
});

test("long values are shortened to whole characters, with a mark", () => {
  expect(shorten("hello", 5)).toBe("hello");
  expect(shorten("hello!", 5)).toBe("hell…");
  expect(shorten("日本語", 5)).toBe("日本…");
  expect(shorten("👩‍👩‍👧‍👦👩‍👩‍👧‍👦", 3)).toBe("👩‍👩‍👧‍👦…");
  expect(showText("\u001b[0m", 20)).toBe("\\x1b[0m");
  expect(showJson({ a: "\u009b\u202e" }, 40)).toBe('{"a":"\\u009b\\u202e"}');
  expect(Bun.stringWidth(showText("x".repeat(10_000_000), 40))).toBe(40);
});
