import { expect, test } from "bun:test";
import fc from "fast-check";
import type { LogFields, LogLevel } from "../core/log.ts";
import { createLog, LOG_STYLES, type LogStyle } from "./create-log.ts";

function record(style: LogStyle, options: { level?: LogLevel; color?: boolean } = {}) {
  const lines: string[] = [];
  const { level = "debug", color = false } = options;
  return { lines, log: createLog({ level, style, color, write: (line) => lines.push(line) }) };
}

function writeOne(style: LogStyle, message: string, fields?: LogFields): string {
  const { lines, log } = record(style);
  log.info?.(message, fields);
  return lines.join("");
}

class Driver {
  async advance(log: ReturnType<typeof createLog>): Promise<void> {
    await Promise.resolve();
    log.info?.("from a method");
  }
}

test("a JSON line has the time, the level, the caller, the message and then the fields", () => {
  const asked = Date.now();
  const line = writeOne("json", "task ended", { task_id: "t1", steps: 2, output: { sum: 5 } });
  expect(line.endsWith("}\n")).toBe(true);
  const entry = JSON.parse(line) as Record<string, unknown>;
  expect(Object.keys(entry)).toEqual([
    "timestamp",
    "level",
    "file",
    "function",
    "line",
    "message",
    "task_id",
    "steps",
    "output",
  ]);
  expect(entry).toMatchObject({ level: "info", message: "task ended", task_id: "t1", steps: 2, output: { sum: 5 } });
  expect(Date.parse(String(entry["timestamp"]))).toBeWithin(asked, Date.now() + 1);
});

test("file, function and line are those of the statement that logged", async () => {
  const { lines, log } = record("json");
  const marker = new Error("for its line").stack ?? "";
  log.info?.("from the test itself");
  await new Driver().advance(log);
  const [own, method] = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  const markerLine = Number(/create-log\.test\.ts:(\d+)/.exec(marker)?.[1]);
  expect(own).toMatchObject({ file: "src/log/create-log.test.ts", line: markerLine + 1 });
  expect(method).toMatchObject({ file: "src/log/create-log.test.ts", function: "advance" });
});

test("finding the caller leaves Error.stackTraceLimit as it was", () => {
  const before = Error.stackTraceLimit;
  writeOne("json", "x");
  expect(Error.stackTraceLimit).toBe(before);
});

test("a method is undefined where its level is off", () => {
  const { log } = record("json", { level: "warn" });
  expect(log.debug).toBeUndefined();
  expect(log.info).toBeUndefined();
  expect(log.warn).toBeFunction();
  expect(log.error).toBeFunction();
});

test("a line that repeats is written every time, at once", () => {
  const { lines, log } = record("json");
  for (let i = 0; i < 50; i++) log.warn?.("again", { n: 1 });
  expect(lines).toHaveLength(50);
});

test("fields that JSON cannot carry do not throw", () => {
  const cycle: Record<string, unknown> = { name: "c" };
  cycle["self"] = cycle;
  const cyclicError = new Error("outer");
  cyclicError.cause = cyclicError;
  const shared = { x: 1 };
  const fields = {
    big: 10n,
    cycle,
    twice: [shared, shared],
    error: new TypeError("bad", { cause: new Error("why") }),
    cyclicError,
    nothing: undefined,
    run: () => 1,
    thrower: {
      toJSON: () => {
        throw new Error("no");
      },
    },
    get getter(): never {
      throw new Error("not today");
    },
    level: "mine",
    __proto__: null,
  };
  const entry = JSON.parse(writeOne("json", "odd", fields)) as Record<string, unknown>;
  expect(entry).toMatchObject({
    level: "info",
    level_: "mine",
    big: "10",
    cycle: { name: "c", self: "[cycle]" },
    twice: [{ x: 1 }, { x: 1 }],
    error: { name: "TypeError", message: "bad", cause: { message: "why" } },
    cyclicError: { message: "outer", cause: "[cycle]" },
    thrower: "[not serialisable: no]",
    getter: { message: "not today" },
  });
  expect(entry).not.toHaveProperty("nothing");
  expect(entry).not.toHaveProperty("run");
  expect(writeOne("logster", "odd", fields)).toContain('error="TypeError: bad; caused by Error: why"');
});

test("a logster line is compact, and quotes what is not a plain word", () => {
  const line = writeOne("logster", "step\nended", {
    step: "echo",
    text: "a b",
    path: "x=1",
    empty: "",
    n: 3,
    output: { sum: 5 },
  });
  expect(line).toMatch(/^\[\d\d:\d\d:\d\d\]\[INFO\]\[src\/log\/create-log\.test\.ts\]\[writeOne:\d+\] step\\nended /);
  expect(line).toEndWith(' step=echo text="a b" path="x=1" empty="" n=3 output={"sum":5}\n');
});

test("colour is there only where it is asked for", () => {
  const colored = record("logster", { color: true });
  colored.log.error?.("x");
  expect(colored.lines.join("")).toContain("\u001b[38;5;196m[ERROR]");
  const plain = record("logster");
  plain.log.error?.("x");
  expect(plain.lines.join("")).not.toContain("\u001b");
});

test("a line stays one line without controls, and a JSON line carries every text exactly", () => {
  const text = fc.string({ unit: "binary" });
  fc.assert(
    fc.property(fc.constantFrom(...LOG_STYLES), text, text, text, (style, message, key, value) => {
      fc.pre(key !== "stack");
      const line = writeOne(style, message, { [key]: value, list: [value] });
      expect(line.endsWith("\n")).toBe(true);
      expect(line.slice(0, -1)).not.toMatch(/[\p{Cc}\u2028\u2029\u202a-\u202e]/u);
      if (style === "json") expect(JSON.parse(line)).toMatchObject({ message, list: [value] });
    }),
  );
});
