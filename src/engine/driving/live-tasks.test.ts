import { expect, test } from "bun:test";
import { LiveTasks } from "./live-tasks.ts";
import type { TaskDriver } from "../task/task-driver.ts";

const driver = (isBusy = false): TaskDriver => ({ isBusy, isAbandoned: false }) as TaskDriver;

function filled(count: number, from = 0): { live: LiveTasks; more: (id: string) => void } {
  const live = new LiveTasks();
  for (let i = from; i < from + count; i++) live.keep(`t${i}`, driver());
  return { live, more: (id) => live.keep(id, driver()) };
}

test("the driver that was not used for the longest time goes first", () => {
  const { live, more } = filled(500);
  expect(live.get("t0")).toBeDefined();
  more("new");
  expect(live.get("t1")).toBeUndefined();
  expect(live.get("t0")).toBeDefined();
  expect(live.drivers()).toHaveLength(500);
});

test("keeping a driver again counts as its use", () => {
  const { live, more } = filled(500);
  live.keep("t0", driver());
  more("new");
  expect(live.get("t0")).toBeDefined();
});

test("a driver whose tools run here stays", () => {
  const live = new LiveTasks();
  live.keep("busy", driver(true));
  for (let i = 0; i < 1000; i++) live.keep(`t${i}`, driver());
  expect(live.get("busy")).toBeDefined();
  expect(live.drivers()).toHaveLength(500);
});

test("a driver that has given up is not given any more", () => {
  const live = new LiveTasks();
  live.keep("t", { isBusy: true, isAbandoned: true } as TaskDriver);
  expect(live.get("t")).toBeUndefined();
});

test("a driver that was dropped is gone", () => {
  const { live } = filled(1);
  live.drop("t0");
  expect(live.get("t0")).toBeUndefined();
});
