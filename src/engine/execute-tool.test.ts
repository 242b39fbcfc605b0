import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import { FakeClock } from "../../test/support/fake-clock.ts";
import type { Schema } from "../core/contract.ts";
import { SILENT, type Log } from "../core/log.ts";
import { backoffMs, lotOf, type RetryPolicy } from "../core/retry.ts";
import { readError } from "../core/stored-error.ts";
import { defineTool, NonRetryableError, type Tool, type ToolContext, type ToolDefinition } from "../core/tool.ts";
import { executeTool, type ExecutionResult } from "./execute-tool.ts";

const KEY = "task:step:tool";
const RETRY: RetryPolicy = { attempts: 3, baseMs: 100, factor: 2, maxMs: 1000, jitter: 0 };

const count = v.strictObject({ n: v.number("a number") });

/** A tool on numbers; `run` is what matters. */
function toolOf(
  run: (n: number, context: ToolContext) => unknown,
  extra: Partial<ToolDefinition<Schema, Schema>> = {},
): Tool {
  return defineTool({
    name: "tool",
    input: count,
    output: count,
    retry: RETRY,
    run: (input, context) => run((input as { n: number }).n, context),
    ...extra,
  });
}

interface Running {
  readonly clock: FakeClock;
  readonly stop: AbortController;
  /** As it was given: at once, or a promise of it. */
  readonly given: ExecutionResult | Promise<ExecutionResult>;
  readonly result: Promise<ExecutionResult>;
}

function execute(
  tool: Tool,
  { input = '{"n":1}', log = SILENT, outputBytesMax = 1000, retryWaitMs = 2000, failures = 0 } = {},
): Running {
  const clock = new FakeClock(5000);
  const stop = new AbortController();
  const execution = { tool, taskId: "task", stepId: "step", idempotencyKey: KEY, input, failures, signal: stop.signal };
  const given = executeTool(execution, { clock, log, outputBytesMax, timeoutMs: 30_000, retryWaitMs });
  return { clock, stop, given, result: Promise.resolve(given) };
}

/** The result, after as much time as it needs. */
async function resultOf(tool: Tool, options?: Parameters<typeof execute>[1]): Promise<ExecutionResult> {
  const { clock, result } = execute(tool, options);
  await clock.advance(1_000_000);
  return result;
}

function errorOf({ outcome }: ExecutionResult): { kind: string; name?: string; message?: string; errors?: unknown } {
  return "error" in outcome ? { kind: outcome.kind, ...readError(outcome.error) } : { kind: outcome.kind };
}

/** Fails until the attempt `worksAt`. */
function failingUntil(worksAt: number, contexts: ToolContext[] = []): Tool {
  return toolOf((n, context) => {
    contexts.push(context);
    if (context.attempt < worksAt) throw new Error(`attempt ${context.attempt}`);
    return { n };
  });
}

describe("a tool that works", () => {
  test("gives its output as JSON text, whether it answers at once or later", async () => {
    for (const run of [(n: number) => ({ n: n + 1 }), (n: number) => Promise.resolve({ n: n + 1 })]) {
      expect(await resultOf(toolOf(run))).toEqual({
        outcome: { kind: "completed", output: '{"n":2}' },
        retryCount: 0,
        lastError: null,
        startedAt: 5000,
        finishedAt: 5000,
      });
    }
  });

  test("is done with at once where it answers at once, and else where it answers", async () => {
    expect(execute(toolOf((n) => ({ n }))).given).toMatchObject({ outcome: { kind: "completed", output: '{"n":1}' } });
    expect(
      execute(
        toolOf((n) => ({ n })),
        { input: "7" },
      ).given,
    ).toMatchObject({ outcome: { kind: "failed" } });
    const { given, result } = execute(toolOf((n) => Promise.resolve({ n })));
    expect(given).toBeInstanceOf(Promise);
    await result;
  });

  test("leaves no timer behind", async () => {
    const { clock, result } = execute(toolOf((n) => Promise.resolve({ n })));
    await result;
    expect(clock.sleeping).toBe(0);
  });

  test("is called before executeTool returns, so that nothing comes between the claim and the call", () => {
    let isCalled = false;
    const { result } = execute(
      toolOf((n) => {
        isCalled = true;
        return { n };
      }),
    );
    expect(isCalled).toBe(true);
    return result;
  });

  test("is told who it is, and which attempt", async () => {
    const contexts: ToolContext[] = [];
    await resultOf(failingUntil(3, contexts));
    expect(
      contexts.map(({ taskId, stepId, idempotencyKey, attempt }) => [taskId, stepId, idempotencyKey, attempt]),
    ).toEqual([1, 2, 3].map((attempt) => ["task", "step", KEY, attempt]));
  });
});

test("a tool that hands on a copy of what it is told hands on the key of its effect", async () => {
  const copies: Partial<ToolContext>[] = [];
  await resultOf(toolOf((n, context) => copies.push({ ...context }) && { n }));
  expect(copies[0]).toMatchObject({ taskId: "task", stepId: "step", idempotencyKey: KEY, attempt: 1 });
});

describe("a tool that fails", () => {
  test("twice and then works is completed with two retries, and its last error is kept", async () => {
    const { clock, result } = execute(failingUntil(3));
    await clock.advance(300);
    const { outcome, retryCount, lastError, startedAt, finishedAt } = await result;
    expect(outcome).toEqual({ kind: "completed", output: '{"n":1}' });
    expect(retryCount).toBe(2);
    expect(readError(lastError ?? "")).toEqual({ name: "Error", message: "attempt 2" });
    expect([startedAt, finishedAt]).toEqual([5000, 5300]);
  });

  test("always, fails with its last error after its attempts", async () => {
    const result = await resultOf(failingUntil(Infinity));
    expect(errorOf(result)).toEqual({ kind: "failed", name: "Error", message: "attempt 3" });
    expect(result.retryCount).toBe(2);
    expect(result.lastError).toBe((result.outcome as { error: string }).error);
  });

  test("waits as its idempotency key says, the same in every execution", async () => {
    const policy = { ...RETRY, jitter: 1 };
    const { clock, stop, result } = execute(
      toolOf(
        () => {
          throw new Error("no");
        },
        { retry: policy },
      ),
    );
    await clock.advance(0);
    expect(clock.waits).toEqual([backoffMs(policy, 1, lotOf(`${KEY}#1`))]);
    stop.abort(new Error("enough"));
    await result;
  });

  test("with a NonRetryableError fails at once", async () => {
    let attempts = 0;
    const result = await resultOf(
      toolOf(() => {
        attempts += 1;
        throw new NonRetryableError("never");
      }),
    );
    expect(errorOf(result)).toEqual({ kind: "failed", name: "NonRetryableError", message: "never" });
    expect([attempts, result.retryCount]).toEqual([1, 0]);
  });

  test("with anything at all comes to a result, and its log line too", async () => {
    const lines: unknown[] = [];
    const log: Log = {
      ...SILENT,
      warn: (message, fields) => lines.push([message, fields?.["attempt"], fields?.["error"]]),
    };
    const odd = toolOf(() => {
      throw Object.create(null);
    });
    expect(errorOf(await resultOf(odd, { log }))).toEqual({
      kind: "failed",
      name: "Error",
      message: "a value that cannot be shown was thrown",
    });
    expect(lines).toEqual(
      [1, 2, 3].map((attempt) => ["tool attempt failed", attempt, "a value that cannot be shown was thrown"]),
    );
  });
});

describe("the contracts of a tool", () => {
  test("keep a wrong input from it, and say everything that is wrong", async () => {
    let attempts = 0;
    const tool = toolOf((n) => {
      attempts += 1;
      return { n };
    });
    const result = await resultOf(tool, { input: '{"n":"1","m":2}' });
    expect(errorOf(result)).toEqual({
      kind: "failed",
      name: "ContractError",
      message: "The input of tool tool: n: a number; m: unknown field",
      errors: [
        { path: "n", message: "a number" },
        { path: "m", message: "unknown field" },
      ],
    });
    expect([attempts, result.retryCount]).toEqual([0, 0]);
    expect(result.lastError).not.toBeNull();
  });

  test("hand it what the contract makes of the input", async () => {
    const input = v.strictObject({ n: v.optional(v.number(), 7) });
    const tool = defineTool({ name: "tool", input, output: v.number(), run: ({ n }) => n }) as Tool;
    expect((await resultOf(tool, { input: "{}" })).outcome).toEqual({ kind: "completed", output: "7" });
  });

  const wrong: readonly (readonly [what: string, output: unknown, message: string])[] = [
    ["breaks the contract", { n: "1" }, "n: a number"],
    ["is nothing", undefined, "required"],
    ["is no finite number", { n: Infinity }, "n: JSON has no Infinity"],
  ];
  for (const [what, output, message] of wrong) {
    test(`refuse an output that ${what}, without trying again`, async () => {
      let attempts = 0;
      const result = await resultOf(
        toolOf(() => {
          attempts += 1;
          return Promise.resolve(output);
        }),
      );
      expect(errorOf(result)).toMatchObject({
        kind: "failed",
        name: "ContractError",
        message: `The output of tool tool: ${message}`,
      });
      expect(attempts).toBe(1);
    });
  }

  test("refuse an output that JSON cannot carry, even where the schema takes it", async () => {
    const tool = toolOf(() => ({ at: new Date(0) }), { output: v.any() });
    expect(errorOf(await resultOf(tool)).message).toBe("The output of tool tool: at: JSON cannot carry a Date");
  });

  test("take an output up to the limit in bytes of UTF-8, and no longer one", async () => {
    const tool = (text: string): Tool => toolOf(() => text, { output: v.any() });
    expect((await resultOf(tool("é".repeat(499)), { outputBytesMax: 1000 })).outcome.kind).toBe("completed");
    const result = await resultOf(tool(`${"é".repeat(499)}x`), { outputBytesMax: 1000 });
    expect(errorOf(result)).toMatchObject({
      kind: "failed",
      message: "The output of tool tool: 1001 bytes of JSON, the limit is 1000 (TASKONAUT_MAX_OUTPUT_BYTES)",
    });
  });

  test("that throw themselves count as a failure of the tool", async () => {
    const broken = v.pipe(
      v.any(),
      v.check(() => {
        throw new Error("a broken check");
      }),
    );
    expect(errorOf(await resultOf(toolOf((n) => ({ n }), { input: broken })))).toMatchObject({
      message: "The input of tool tool: a broken check",
    });
    expect(errorOf(await resultOf(toolOf((n) => ({ n }), { output: broken })))).toMatchObject({
      message: "The output of tool tool: a broken check",
    });
  });
});

describe("the time of an attempt", () => {
  const hanging = (signals: AbortSignal[] = [], extra: Parameters<typeof toolOf>[1] = {}): Tool =>
    toolOf(
      (_, { signal }) => {
        signals.push(signal);
        return new Promise(() => {});
      },
      { timeout: 1000, ...extra },
    );

  test("ends it: it is aborted, counts as failed, and the next one starts after the wait", async () => {
    const signals: AbortSignal[] = [];
    const { clock, result } = execute(hanging(signals));
    await clock.advance(999);
    expect(signals.map((signal) => signal.aborted)).toEqual([false]);
    await clock.advance(1);
    expect(signals.map((signal) => signal.aborted)).toEqual([true]);
    expect(String(signals[0]?.reason)).toBe("ToolTimeoutError: Tool tool took longer than its 1000 ms.");
    await clock.advance(100 + 1000 + 200 + 1000);
    expect(signals.map((signal) => signal.aborted)).toEqual([true, true, true]);
    const ended = await result;
    expect(errorOf(ended)).toEqual({
      kind: "failed",
      name: "ToolTimeoutError",
      message: "Tool tool took longer than its 1000 ms.",
    });
    expect([ended.retryCount, ended.finishedAt - ended.startedAt]).toEqual([2, 3300]);
    expect(clock.sleeping).toBe(0);
  });

  test("of an at-most-once tool leaves it in doubt: nobody knows what it did", async () => {
    const result = await resultOf(hanging([], { execution: "at-most-once" }));
    expect(errorOf(result)).toMatchObject({ kind: "doubt", name: "ToolTimeoutError" });
    expect(result.retryCount).toBe(0);
  });

  test("is not lengthened by a failure that comes too late, and that failure harms nobody", async () => {
    const late = Promise.withResolvers<unknown>();
    const { clock, result } = execute(toolOf(() => late.promise, { timeout: 1000, retry: { attempts: 1 } }));
    await clock.advance(1000);
    late.reject(new Error("late"));
    expect(errorOf(await result)).toMatchObject({ name: "ToolTimeoutError" });
  });
});

describe("a wait between two attempts that is longer than a process waits for", () => {
  test("is none of ours: the execution ends, to be begun again then", async () => {
    const { clock, result } = execute(failingUntil(2), { retryWaitMs: 99 });
    const { outcome, retryCount, lastError, finishedAt } = await result;
    expect(outcome).toEqual({ kind: "later", waitMs: 100 });
    expect([retryCount, readError(lastError ?? "").message, finishedAt]).toEqual([1, "attempt 1", 5000]);
    expect(clock.sleeping).toBe(0);
  });

  test("is one that is longer, not one that is as long", async () => {
    expect((await resultOf(failingUntil(2), { retryWaitMs: 100 })).outcome.kind).toBe("completed");
  });

  test("goes on counting where it was: the wait and the attempt are the next ones", async () => {
    const contexts: ToolContext[] = [];
    const again = await resultOf(failingUntil(Infinity, contexts), { failures: 1, retryWaitMs: 150 });
    expect(again).toMatchObject({ outcome: { kind: "later", waitMs: 200 }, retryCount: 2 });
    const last = await resultOf(failingUntil(Infinity, contexts), { failures: 2, retryWaitMs: 150 });
    expect(errorOf(last)).toMatchObject({ kind: "failed", message: "attempt 3" });
    expect(last.retryCount).toBe(2);
    expect(contexts.map(({ attempt }) => attempt)).toEqual([2, 3]);
    const worked = await resultOf(failingUntil(3), { failures: 2 });
    expect(worked).toMatchObject({ outcome: { kind: "completed" }, retryCount: 2, lastError: null });
  });
});

describe("an at-most-once tool in doubt", () => {
  const late = async (end: (gate: PromiseWithResolvers<unknown>) => void): Promise<unknown> => {
    const gate = Promise.withResolvers<unknown>();
    const result = await resultOf(toolOf(() => gate.promise, { execution: "at-most-once", timeout: 10 }));
    end(gate);
    return result.outcome.kind === "doubt" ? result.outcome.late : result.outcome;
  };

  test("tells what it gave after all, as text that its contract takes", async () => {
    expect(await late((gate) => gate.resolve({ n: 2 }))).toBe('{"n":2}');
  });

  test("tells nothing where it failed after all, or gave what breaks its contract", async () => {
    expect(await late((gate) => gate.reject(new Error("no")))).toBeUndefined();
    expect(await late((gate) => gate.resolve({ n: "2" }))).toBeUndefined();
  });
});

describe("an at-most-once tool", () => {
  test("has one attempt, and its own failure is no doubt", async () => {
    let attempts = 0;
    const tool = toolOf(
      () => {
        attempts += 1;
        throw new Error("refused");
      },
      { execution: "at-most-once" },
    );
    expect(errorOf(await resultOf(tool))).toMatchObject({ kind: "failed", message: "refused" });
    expect(attempts).toBe(1);
  });
});

describe("an abort", () => {
  test("is told of, but not as a fault of the tool", async () => {
    const lines: string[] = [];
    const tell = (level: string) => (message: string) => lines.push(`${level} ${message}`);
    const log: Log = { ...SILENT, info: tell("info"), warn: tell("warn") };
    const { stop, result } = execute(
      toolOf(
        (_n, { signal }) =>
          new Promise((_resolve, reject) => {
            signal.addEventListener("abort", () => reject(signal.reason as Error));
          }),
      ),
      { log },
    );
    stop.abort(new Error("leaving"));
    await result;
    expect(lines).toEqual(["info tool attempt aborted"]);
  });

  test("ends the attempt that runs at once, even where the tool does not listen", async () => {
    let signal: AbortSignal | undefined;
    const tool = toolOf((_, context) => {
      signal = context.signal;
      return new Promise(() => {});
    });
    const { clock, stop, result } = execute(tool);
    await clock.advance(10);
    stop.abort(new Error("nobody waits"));
    expect(errorOf(await result)).toEqual({ kind: "failed", name: "Error", message: "nobody waits" });
    expect(signal?.aborted).toBe(true);
    expect(clock.sleeping).toBe(0);
  });

  test("between two attempts allows no other", async () => {
    const contexts: ToolContext[] = [];
    const { clock, stop, result } = execute(failingUntil(3, contexts));
    await clock.advance(50);
    stop.abort(new Error("nobody waits"));
    expect(errorOf(await result).message).toBe("nobody waits");
    await clock.advance(10_000);
    expect(contexts).toHaveLength(1);
  });

  test("of an at-most-once tool leaves it in doubt", async () => {
    const { stop, result } = execute(toolOf(() => new Promise(() => {}), { execution: "at-most-once" }));
    stop.abort(new Error("leaving"));
    expect(errorOf(await result)).toMatchObject({ kind: "doubt", message: "leaving" });
  });
});

test.each([v.undefined(), v.void(), v.optional(v.string())])(
  "a recorded null that the input's contract refuses is undefined",
  async (input) => {
    const given: unknown[] = [];
    const run = (value: unknown): void => {
      given.push(value);
    };
    const tool = defineTool({ name: "tool", input, output: v.void(), run });
    expect((await resultOf(tool, { input: "null" })).outcome).toEqual({ kind: "completed", output: "null" });
    expect(given).toEqual([undefined]);
  },
);

test("a recorded null that no reading of the contract takes is refused as null", async () => {
  expect(
    errorOf(
      await resultOf(
        toolOf((n) => ({ n })),
        { input: "null" },
      ),
    ).message,
  ).toContain("received null");
});
