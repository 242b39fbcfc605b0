import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { FakeClock, turn } from "../../../test/support/fake-clock.ts";
import { DrivenTasks } from "./driven-tasks.ts";

const DEADLINE_MS = 1000;

describe("locks", () => {
  test("come to the callers of one task in the order in which they asked", async () => {
    const tasks = new DrivenTasks(new FakeClock(), DEADLINE_MS);
    const order: number[] = [];
    const callers = [0, 1, 2, 3, 4].map(async (number) => {
      const end = await tasks.lockWithin("task", DEADLINE_MS);
      order.push(number);
      await turn();
      expect(order.at(-1)).toBe(number);
      end?.();
    });
    await Promise.all(callers);
    expect(order).toEqual([0, 1, 2, 3, 4]);
  });

  test("of different tasks do not wait for each other", async () => {
    const tasks = new DrivenTasks(new FakeClock(), DEADLINE_MS);
    expect(await tasks.lockWithin("one", DEADLINE_MS)).toBeFunction();
    expect(await tasks.lockWithin("other", DEADLINE_MS)).toBeFunction();
  });

  test("that do not come before the deadline are given up, and those behind move up", async () => {
    const clock = new FakeClock();
    const tasks = new DrivenTasks(clock, DEADLINE_MS);
    const end = await tasks.lockWithin("task", DEADLINE_MS);
    const impatient = tasks.lockWithin("task", 100);
    const patient = tasks.lockWithin("task", DEADLINE_MS);
    await clock.advance(99);
    expect(tasks.isWanted("task")).toBe(true);
    await clock.advance(1);
    expect(await impatient).toBeUndefined();
    end?.();
    expect(await patient).toBeFunction();
    expect(clock.sleeping).toBe(0);
  });

  test("that come in time leave no timer behind", async () => {
    const clock = new FakeClock();
    const tasks = new DrivenTasks(clock, DEADLINE_MS);
    const end = await tasks.lockWithin("task", DEADLINE_MS);
    const next = tasks.lockWithin("task", DEADLINE_MS);
    end?.();
    (await next)?.();
    expect(clock.sleeping).toBe(0);
    expect(tasks.isWanted("task")).toBe(false);
  });

  test("are not lost when the lock and the deadline come in the same moment", async () => {
    for (let microtasks = 0; microtasks < 10; microtasks++) {
      for (const isTurnFirst of [true, false]) {
        const clock = new FakeClock();
        const tasks = new DrivenTasks(clock, DEADLINE_MS);
        const end = await tasks.lockWithin("task", DEADLINE_MS);
        const torn = tasks.lockWithin("task", DEADLINE_MS);
        const behind = tasks.lockWithin("task", 2 * DEADLINE_MS);
        if (isTurnFirst) end?.();
        else clock.jump(DEADLINE_MS);
        for (let i = 0; i < microtasks; i++) await Promise.resolve();
        if (isTurnFirst) clock.jump(DEADLINE_MS);
        else end?.();
        (await torn)?.();
        expect(await behind).toBeFunction();
      }
    }
  });

  test("are never lost nor held by two, whatever the order of asking, ending and waiting", async () => {
    const anyAct = fc.oneof(
      fc.record({
        kind: fc.constant("ask" as const),
        task: fc.constantFrom("a", "b"),
        deadlineMs: fc.integer({ min: 0, max: 5 }),
      }),
      fc.record({ kind: fc.constant("end" as const), task: fc.constantFrom("a", "b") }),
      fc.record({ kind: fc.constant("wait" as const), ms: fc.integer({ min: 0, max: 3 }) }),
      fc.record({
        kind: fc.constant("endInTime" as const),
        task: fc.constantFrom("a", "b"),
        ms: fc.integer({ min: 0, max: 3 }),
      }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(anyAct, { maxLength: 40 }), async (acts) => {
        const clock = new FakeClock();
        const tasks = new DrivenTasks(clock, DEADLINE_MS);
        const holder = new Map<string, () => void>();
        let open = 0;
        let isHeldByTwo = false;
        const end = (task: string): void => {
          const ending = holder.get(task);
          holder.delete(task);
          ending?.();
        };
        for (const act of acts) {
          switch (act.kind) {
            case "ask": {
              open += 1;
              tasks.lockWithin(act.task, act.deadlineMs).then(
                (ending) => {
                  open -= 1;
                  isHeldByTwo ||= ending !== undefined && holder.has(act.task);
                  return ending && holder.set(act.task, ending);
                },
                () => {},
              );
              break;
            }
            case "end":
              end(act.task);
              break;
            case "endInTime":
              clock.jump(act.ms);
              await Promise.resolve();
              end(act.task);
              break;
            case "wait":
              await clock.advance(act.ms);
              break;
          }
        }
        // in the end everybody has an answer, and the task is free again
        await clock.advance(1000);
        for (let i = 0; i <= acts.length; i++) {
          for (const task of ["a", "b"]) end(task);
          await turn();
        }
        expect(open).toBe(0);
        expect(isHeldByTwo).toBe(false);
        for (const task of ["a", "b"]) {
          expect(tasks.isWanted(task)).toBe(false);
          const asked = tasks.lockWithin(task, 0);
          await clock.advance(0);
          expect(await asked).toBeFunction();
        }
        expect(clock.sleeping).toBe(0);
      }),
      { numRuns: 200 },
    );
  });
});
