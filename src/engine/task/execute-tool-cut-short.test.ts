// Executions of tools that do not end by themselves: they time out, they are aborted, or the next attempt is far away.

import { describe, expect, test } from "bun:test";
import { errorOf, execute, failingUntil, resultOf, toolOf } from "../../../test/support/executions.ts";
import { SILENT, type Log } from "../../core/log.ts";
import { readError } from "../../core/record/stored-error.ts";
import type { Tool, ToolContext } from "../../core/flow/tool.ts";
import type { Gate } from "./held-back.ts";

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

  test("of a tool that does not listen is over when its time is up, and no other attempt is made", async () => {
    const signals: AbortSignal[] = [];
    const tool = toolOf(
      (_, context) => {
        signals.push(context.signal);
        return new Promise(() => {});
      },
      { timeout: 1000 },
    );
    const { clock, stop, result } = execute(tool);
    await clock.advance(10);
    stop.abort(new Error("nobody waits"));
    expect(signals.map((signal) => signal.aborted)).toEqual([true]);
    await clock.advance(990);
    expect(errorOf(await result)).toMatchObject({ kind: "failed", name: "ToolTimeoutError" });
    await clock.advance(10_000);
    expect([signals.length, clock.sleeping]).toEqual([1, 0]);
  });

  test("does not take away what the tool gives all the same", async () => {
    const gate = Promise.withResolvers<unknown>();
    const { stop, result } = execute(toolOf(() => gate.promise));
    stop.abort(new Error("nobody waits"));
    gate.resolve({ n: 2 });
    expect((await result).outcome).toEqual({ kind: "completed", output: '{"n":2}' });
  });

  test("before it begins keeps the tool from being called", async () => {
    const contexts: ToolContext[] = [];
    const { stop, result } = execute(failingUntil(1, contexts), { isAborted: true });
    stop.abort(new Error("nobody waits"));
    expect(errorOf(await result)).toMatchObject({ kind: "failed" });
    expect(contexts).toEqual([]);
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
    const listening = toolOf(
      (_n, { signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener("abort", () => reject(new Error("stopped")));
        }),
      { execution: "at-most-once" },
    );
    const { stop, result } = execute(listening);
    stop.abort(new Error("leaving"));
    expect(errorOf(await result)).toMatchObject({ kind: "doubt", message: "stopped" });
  });
});

describe("a pause that is asked about between two attempts", () => {
  const asked = (): { known: PromiseWithResolvers<void>; pauses: Gate } => {
    const known = Promise.withResolvers<void>();
    return { known, pauses: { areKnown: true, know: () => known.promise, find: () => undefined } };
  };

  test("begins none when the execution was aborted meanwhile", async () => {
    const contexts: ToolContext[] = [];
    const { known, pauses } = asked();
    const { clock, stop, result } = execute(failingUntil(3, contexts), { pauses });
    await clock.advance(100);
    stop.abort(new Error("given up"));
    known.resolve();
    expect(errorOf(await result)).toMatchObject({ kind: "failed", message: "given up" });
    expect(contexts).toHaveLength(1);
  });

  test("begins none where nobody knows", async () => {
    const contexts: ToolContext[] = [];
    const { known, pauses } = asked();
    const { clock, result } = execute(failingUntil(3, contexts), { pauses });
    await clock.advance(100);
    known.reject(new Error("cut off"));
    expect((await result).outcome).toEqual({ kind: "held" });
    expect(contexts).toHaveLength(1);
  });
});
