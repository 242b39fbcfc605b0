import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import {
  errorOf,
  execute,
  failingUntil,
  KEY,
  optionsOf,
  resultOf,
  RETRY,
  toolOf,
} from "../../../test/support/executions.ts";
import { SILENT, type Log } from "../../core/log.ts";
import { backoffMs, lotOf } from "../../core/flow/retry.ts";
import { defineTool, NonRetryableError, type Tool, type ToolContext } from "../../core/flow/tool.ts";
import { readError } from "../../core/record/stored-error.ts";

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

/** Does nothing until its `then` is called, and repeats its work at each call. */
function lazily(answer: () => unknown): { calls: number; then: unknown } {
  const lazy = {
    calls: 0,
    // oxlint-disable-next-line unicorn/no-thenable -- that is what it is about
    then(resolve: (value: unknown) => void, reject: (reason: unknown) => void) {
      lazy.calls += 1;
      try {
        resolve(answer());
      } catch (error) {
        reject(error);
      }
    },
  };
  return lazy;
}

describe("a tool that gives something with a then, as query builders are", () => {
  test("has its effect once, and is done with what comes of it", async () => {
    const query = lazily(() => ({ n: 3 }));
    expect((await resultOf(toolOf(() => query))).outcome).toEqual({ kind: "completed", output: '{"n":3}' });
    expect(query.calls).toBe(1);
  });

  test("fails where it is rejected, and is called again", async () => {
    const queries: { calls: number }[] = [];
    const tool = toolOf(() => {
      const query = lazily(() => {
        if (queries.length < 2) throw new Error("deadlock");
        return { n: 1 };
      });
      queries.push(query);
      return query;
    });
    const { outcome, retryCount } = await resultOf(tool);
    expect([outcome.kind, retryCount, queries.map(({ calls }) => calls)]).toEqual(["completed", 1, [1, 1]]);
  });

  test("has its time, and no more", async () => {
    const never = { then() {} }; // oxlint-disable-line unicorn/no-thenable
    const result = errorOf(await resultOf(toolOf(() => never, { timeout: "5s", retry: { attempts: 1 } })));
    expect(result).toMatchObject({ kind: "failed", name: "ToolTimeoutError" });
  });

  test("fails where it cannot even be asked for its then", async () => {
    const odd = toolOf(() =>
      // oxlint-disable-next-line unicorn/no-thenable
      Object.defineProperty({}, "then", {
        get: () => {
          throw new Error("odd");
        },
      }),
    );
    expect(errorOf(await resultOf(odd))).toMatchObject({ kind: "failed", message: "odd" });
  });

  test("within what it gives is refused: nobody would ever ask for it", async () => {
    for (const value of [Promise.resolve(1), lazily(() => 1)]) {
      const tool = toolOf(() => ({ rows: value }), { output: v.any() });
      expect(errorOf(await resultOf(tool))).toMatchObject({ kind: "failed", name: "ContractError" });
    }
  });
});

test("lines of a tool's log say whose they are, and what it says itself goes before", async () => {
  const lines: unknown[] = [];
  const log: Log = { ...SILENT, info: (message, fields) => lines.push([message, fields]) };
  await resultOf(
    toolOf((n, context) => {
      context.log.info?.("paid", { cents: 5 });
      ({ ...context }).log.info?.("copied", { step: "mine" });
      context.log.debug?.("not told");
      return { n };
    }),
    { log },
  );
  const own = { task_id: "task", flow: "flow", step: "named", step_id: "step", attempt: 1 };
  expect(lines).toEqual([
    ["paid", { ...own, cents: 5 }],
    ["copied", { ...own, step: "mine" }],
  ]);
});

test("the line of a failed attempt says what was thrown, where, and why", async () => {
  const lines: unknown[] = [];
  const log: Log = { ...SILENT, warn: (_message, fields) => lines.push(fields) };
  const run = (): never => {
    throw Object.assign(new TypeError("no route", { cause: new Error("cable") }), { code: "EHOSTUNREACH" });
  };
  await resultOf(toolOf(run, { retry: { attempts: 1 } }), { log });
  expect(lines).toMatchObject([
    {
      tool: "tool",
      attempt: 1,
      error: "no route",
      error_class: "TypeError",
      error_code: "EHOSTUNREACH",
      at: expect.stringMatching(/execute-tool\.test\.ts:\d+:\d+$/),
      cause: "cable",
    },
  ]);
});

test("the stack of a failed attempt is for whoever looks for a fault", async () => {
  const lines: { readonly stack?: string }[] = [];
  const warn = (_message: string, fields: object = {}): unknown => lines.push(fields);
  const run = (): never => {
    throw new TypeError("no route");
  };
  for (const log of [
    { ...SILENT, warn },
    { ...SILENT, warn, debug: () => {} },
  ]) {
    await resultOf(toolOf(run, { retry: { attempts: 1 } }), { log });
  }
  expect(lines.map(({ stack }) => stack?.split("\n")[0])).toEqual([undefined, "TypeError: no route"]);
});

test("a failure that says no place of its own has that of the tool's definition", async () => {
  const failures = [
    resultOf(
      toolOf(() => ({ n: "1" })),
      {},
    ),
    resultOf(
      toolOf((n) => ({ n })),
      { input: "7" },
    ),
  ];
  for (const { outcome } of await Promise.all(failures)) {
    const { at } = readError("error" in outcome ? outcome.error : "{}");
    expect(at).toMatch(/(?:executions|execute-tool\.test)\.ts:\d+:\d+$/);
  }
});

describe("a tool that fails", () => {
  test("twice and then works is completed with two retries, and its last error is kept", async () => {
    const { clock, result } = execute(failingUntil(3));
    await clock.advance(300);
    const { outcome, retryCount, lastError, startedAt, finishedAt } = await result;
    expect(outcome).toEqual({ kind: "completed", output: '{"n":1}' });
    expect(retryCount).toBe(2);
    expect(readError(lastError ?? "")).toMatchObject({ name: "Error", message: "attempt 2" });
    expect([startedAt, finishedAt]).toEqual([5000, 5300]);
  });

  test("always, fails with its last error after its attempts", async () => {
    const result = await resultOf(failingUntil(Infinity));
    expect(errorOf(result)).toMatchObject({ kind: "failed", name: "Error", message: "attempt 3" });
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
        { retry: optionsOf(policy) },
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
    expect(errorOf(result)).toMatchObject({ kind: "failed", name: "NonRetryableError", message: "never" });
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
  ).toContain("got null");
});
