import { expect, test } from "bun:test";
import type { Task, Waiting } from "../core/api/task.ts";
import { plannedStep, plannedTask } from "../../test/support/tasks.ts";
import { standingOf, standingsOf } from "./standing.ts";

const NOW = Date.parse("2026-11-23T03:42:25.130Z");
const SOON = "2026-11-23T03:42:28.130Z";

const WAITS = { status: "WAITING_OBSERVATION" } as const;
const wait = (kind: Waiting["kind"], name: string | null = null, over: Partial<Waiting> = {}): Waiting => ({
  kind,
  name,
  until: null,
  task_id: null,
  ...over,
});
const textOf = (over: Partial<Task>): string => standingOf(plannedTask(over), NOW).text;

test("a task that waits says for what, and of several waits for that about which somebody can do something", () => {
  const waiting = (...waiting_for: Waiting[]): string => textOf({ ...WAITS, waiting_for });
  expect(waiting(wait("signal", "approved"))).toBe("WAITING for signal approved");
  expect(waiting(wait("child", "ship", { task_id: "t9" }))).toBe("WAITING for child ship");
  expect(waiting(wait("time", null, { until: SOON }))).toBe("WAITING 3 s more");
  expect(waiting(wait("retry", "pay", { until: SOON }))).toBe("WAITING to retry pay in 3 s");
  expect(waiting(wait("time"), wait("child", "ship"), wait("signal", "paid"))).toBe("WAITING for signal paid (+2)");
  expect(waiting(wait("moon" as "time"))).toBe("WAITING for moon");
});

test("a task in the queue says since it may be taken, or when it may", () => {
  expect(textOf({ due_at: "2026-11-23T03:39:25.130Z" })).toBe("QUEUED");
  expect(textOf({ due_at: "2026-11-23T04:42:25.130Z" })).toBe("QUEUED, in 1 h");
  expect(textOf({})).toBe("PLANNED");
});

test("a task that somebody drives says for how long its tool runs", () => {
  const running = { status: "RUNNING", lease_owner: "w1", updated_at: "2026-11-23T03:42:20.130Z" } as const;
  expect(textOf(running)).toBe("RUNNING 5 s");
  const call = { started_at: "2026-11-23T03:42:22.130Z", finished_at: null } as Task["tool_calls"][number];
  const steps = [plannedStep({ status: "RUNNING", tool_calls: [call] })];
  expect(textOf({ ...running, steps })).toBe("RUNNING 3 s");
  expect(standingsOf(plannedTask({ ...running, steps }), NOW).map(({ text }) => text)).toEqual(["RUNNING 3 s"]);
  expect(textOf({ ...running, lease_owner: null })).toBe("RUNNING");
  expect(textOf({ ...WAITS, lease_owner: null })).toBe("WAITING to go on");
});

test("an end is an end, whatever else is recorded", () => {
  expect(textOf({ status: "FAILED", parked_reason: "why", due_at: SOON })).toBe("FAILED");
});

test("steps that are waited for say so, and do not repeat their own names", () => {
  const names = ["pay", "approved", "ship", "rest"];
  const steps = names.map((step_name, place) =>
    plannedStep({ id: `s${place}`, step_name, status: place === 0 ? "COMPLETED" : "PLANNED" }),
  );
  const waiting_for = [
    wait("signal", "approved"),
    wait("child", "shipping", { task_id: "t9" }),
    wait("time", null, { until: SOON }),
  ];
  expect(standingsOf(plannedTask({ ...WAITS, steps, waiting_for }), NOW).map(({ text }) => text)).toEqual([
    "COMPLETED",
    "WAITING for signal",
    "WAITING for child shipping",
    "WAITING 3 s more",
  ]);
});

test("of a plan only the step waits that the others stand behind", () => {
  const steps = ["pay", "ship"].map((step_name) => plannedStep({ step_name }));
  const waiting_for = [wait("retry", "pay", { until: SOON })];
  expect(standingsOf(plannedTask({ ...WAITS, steps, waiting_for }), NOW).map(({ text }) => text)).toEqual([
    "WAITING to retry in 3 s",
    "PLANNED",
  ]);
});
