import { expect, test } from "bun:test";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import type { TaskRow } from "../../core/record/record.ts";
import { LostTaskError } from "../task/driver-tools.ts";
import type { TaskDriver } from "../task/task-driver.ts";
import { DrivenTasks } from "./driven-tasks.ts";

const driver = (isBusy = false, toolsThatRun: TaskDriver["toolsThatRun"] = []): TaskDriver =>
  ({ isBusy, toolsThatRun, isAbandoned: false }) as TaskDriver;

function filled(count: number, from = 0): { tasks: DrivenTasks; more: (id: string) => void } {
  const tasks = new DrivenTasks(new FakeClock(), 1000);
  for (let i = from; i < from + count; i++) tasks.remember(`t${i}`, driver());
  return { tasks, more: (id) => tasks.remember(id, driver()) };
}

test("the driver that was not used for the longest time goes first", () => {
  const { tasks, more } = filled(500);
  expect(tasks.remembered("t0")).toBeDefined();
  more("new");
  expect(tasks.remembered("t1")).toBeUndefined();
  expect(tasks.remembered("t0")).toBeDefined();
  expect(tasks.drivers()).toHaveLength(500);
});

test("keeping a driver again counts as its use", () => {
  const { tasks, more } = filled(500);
  tasks.remember("t0", driver());
  expect(tasks.drivers()).toHaveLength(500);
  more("new");
  expect(tasks.remembered("t0")).toBeDefined();
  expect(tasks.drivers()).toHaveLength(500);
});

test("a driver whose tools run here stays", () => {
  const tasks = new DrivenTasks(new FakeClock(), 1000);
  tasks.remember("busy", driver(true));
  for (let i = 0; i < 1000; i++) tasks.remember(`t${i}`, driver());
  expect(tasks.remembered("busy")).toBeDefined();
  expect(tasks.drivers()).toHaveLength(500);
});

test("a driver that has given up is not given any more", () => {
  const tasks = new DrivenTasks(new FakeClock(), 1000);
  tasks.remember("t", { isBusy: true, isAbandoned: true } as TaskDriver);
  expect(tasks.remembered("t")).toBeUndefined();
});

test("a driver that was dropped is gone, and leaves room for another", () => {
  const { tasks, more } = filled(500);
  tasks.forget("t7");
  expect(tasks.remembered("t7")).toBeUndefined();
  more("new");
  expect(tasks.drivers()).toHaveLength(500);
});

test("a driver that was dropped under its lock, and is kept again, counts once", () => {
  const { tasks, more } = filled(490);
  const unlock = tasks.lockNow("t");
  for (let n = 0; n < 20; n++) {
    more("t");
    tasks.forget("t");
  }
  unlock?.();
  for (let n = 0; n < 20; n++) more(`new${n}`);
  expect(tasks.drivers()).toHaveLength(500);
});

test("with a driver that was dropped everything goes that was known of its task", () => {
  const tasks = new DrivenTasks(new FakeClock(), 1000);
  const orphan = { task: { id: "t", version: 3 } as TaskRow };
  tasks.noteOrphan(orphan);
  tasks.hold("t", driver());
  expect(tasks.isOrphan(orphan)).toBe(true);
  tasks.forget("t");
  expect(tasks.isOrphan(orphan)).toBe(false);
  tasks.noteOrphan(orphan);
  const unlock = tasks.lockNow("t");
  tasks.hold("t", driver());
  tasks.forget("t");
  // who has the lock still knows it
  expect(tasks.isOrphan(orphan)).toBe(true);
  unlock?.();
  expect(tasks.isOrphan(orphan)).toBe(false);
  expect(tasks.heldIds()).toEqual([]);
});

test("a driver that is dropped while its tools run drives no more, one that only rests is left as it is", () => {
  const tasks = new DrivenTasks(new FakeClock(), 1000);
  const given: unknown[] = [];
  for (const [id, isBusy] of Object.entries({ busy: true, resting: false })) {
    const abandon = (reason: unknown): void => {
      given.push(id, reason);
    };
    const toolsThatRun: TaskDriver["toolsThatRun"] = [];
    tasks.remember(id, { isBusy, toolsThatRun, isAbandoned: false, abandon } as TaskDriver);
    tasks.forget(id);
  }
  expect(given).toEqual(["busy", expect.any(LostTaskError)]);
});

test("a driver that was only held is gone when it is let go of, a remembered one stays", () => {
  const tasks = new DrivenTasks(new FakeClock(), 1000);
  tasks.remember("remembered", driver());
  const unlock = tasks.lockNow("held");
  tasks.hold("held", driver());
  expect(tasks.drivers()).toHaveLength(2);
  for (const id of ["remembered", "held"]) tasks.letGo(id);
  expect(tasks.drivers()).toHaveLength(1);
  expect(tasks.remembered("remembered")).toBeDefined();
  expect(tasks.heldIds()).toEqual(["held"]);
  unlock?.();
  expect(tasks.heldIds()).toEqual([]);
});

test("drivers that are only held are no reason to forget others", () => {
  const { tasks, more } = filled(499);
  for (let i = 0; i < 500; i++) tasks.hold(`held${i}`, driver());
  more("new");
  expect(tasks.remembered("t0")).toBeDefined();
});

test("what a driver that was dropped has left running is known until it ends, however often it is told on", async () => {
  const tasks = new DrivenTasks(new FakeClock(0), 0);
  const end = Promise.withResolvers<void>();
  const left = { path: "a", ended: end.promise };
  tasks.remember("t", driver(false, [left]));
  tasks.forget("t");
  expect(tasks.leftOf("t")).toEqual([left]);
  tasks.hold("t", driver(false, [...tasks.leftOf("t")]));
  tasks.letGo("t");
  expect(tasks.leftOf("t")).toEqual([left]);
  expect(tasks.leftOf("other")).toEqual([]);
  end.resolve();
  await end.promise;
  expect(tasks.leftOf("t")).toEqual([]);
});
