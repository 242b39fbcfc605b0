import { expect, test } from "bun:test";
import { toHumanLine } from "./human-line.ts";
import type { LogEntry } from "./lines.ts";
import { createPaint } from "./paint.ts";

const OWN = { file: "src/engine/engine.ts", function: "advance", line: 12 };

function lineOf(entry: Partial<LogEntry>, { isDebugging = false, color = false } = {}): string {
  const date = new Date(2026, 10, 23, 3, 39, 25);
  const whole: LogEntry = { date, level: "warn", caller: OWN, message: "tool attempt failed", fields: {}, ...entry };
  return toHumanLine(whole, createPaint(color), { isDebugging, folder: "/home/ada/shop" });
}

test("a person reads when, how bad, what, and the facts, with the task's id at the end", () => {
  const fields = { task_id: "t1", flow: "order", step: "charge", step_id: "s1", attempt: 2, error: "no route" };
  expect(lineOf({ fields })).toBe(
    '03:39:25 WARN  tool attempt failed  flow=order step=charge attempt=2 error="no route" task_id=t1\n',
  );
  expect(lineOf({ level: "info", message: "task ended" })).toBe("03:39:25 INFO  task ended\n");
});

test("where taskonaut wrote the line is told at debug alone", () => {
  const fields = { step_id: "s1" };
  expect(lineOf({ fields }, { isDebugging: true })).toBe(
    "03:39:25 WARN  tool attempt failed  step_id=s1 (src/engine/engine.ts:12 advance)\n",
  );
});

test("a line of a user's own file says where it is, from the folder on that the program was started in", () => {
  const of = (file: string): string => lineOf({ caller: { file, function: "run", line: 7 }, message: "charging" });
  expect(of("/home/ada/shop/flows/order.ts")).toEndWith("charging  (flows/order.ts:7)\n");
  expect(of("/opt/flows/order.ts")).toEndWith("charging  (/opt/flows/order.ts:7)\n");
});

test("a stack follows on lines of its own, without a control that a terminal would obey", () => {
  const line = lineOf({ message: "", fields: { a: "x y", stack: "Error: no\u001b[2J\n    at f (a.ts:1:2)" } });
  expect(line).toBe('03:39:25 WARN  a="x y"\n    Error: no\\x1b[2J\n    at f (a.ts:1:2)\n');
});

test("a field that is called like a stack, and is none, is a fact as every other", () => {
  expect(lineOf({ message: "moved", fields: { stack: "plates" } })).toBe("03:39:25 WARN  moved  stack=plates\n");
  expect(lineOf({ message: "moved", fields: { stack: [1, 2] } })).toBe("03:39:25 WARN  moved  stack=[1,2]\n");
});

test("colour marks the level, and nothing that has to be copied", () => {
  expect(lineOf({ level: "error", fields: { task_id: "t1" } }, { color: true })).toBe(
    "\u001b[38;5;243m03:39:25\u001b[0m \u001b[38;5;196mERROR\u001b[0m tool attempt failed  \u001b[38;5;243mtask_id=\u001b[0mt1\n",
  );
});
