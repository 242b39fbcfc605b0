import { expect, test } from "bun:test";
import { TaskonautError } from "../core/errors.ts";
import type { Task, Waiting } from "../core/api/task.ts";
import { awaitEnd, pauseOf } from "./await-end.ts";

const NOW = Date.parse("2026-11-23T03:39:25.000Z");

function wait(kind: Waiting["kind"], dueInMs?: number): Waiting {
  const until = dueInMs === undefined ? null : new Date(NOW + dueInMs).toISOString();
  return { kind, name: kind === "time" ? null : "x", until, task_id: null };
}

test("it is looked when the earliest wait is over, and every half second where others can end it", () => {
  expect(pauseOf([wait("signal")], NOW)).toBe(500);
  expect(pauseOf([wait("signal", 172_800_000), wait("child")], NOW)).toBe(500);
  expect(pauseOf([wait("signal", 300), wait("time", 70)], NOW)).toBe(70);
  expect(pauseOf([wait("time", 900), wait("time", 1200)], NOW)).toBe(900);
  expect(pauseOf([wait("doubt")], NOW)).toBe(500);
  expect(pauseOf([], NOW)).toBe(500);
  expect(pauseOf([{ ...wait("signal"), until: "no time" }], NOW)).toBe(500);
});

test("a long sleep is looked at now and then, and one that is over by our clock alone is not asked about without a pause", () => {
  expect(pauseOf([wait("time", 3_600_000)], NOW)).toBe(5000);
  expect(pauseOf([wait("time", 3_600_000), wait("retry", 7_200_000)], NOW)).toBe(5000);
  expect(pauseOf([wait("time", -3_600_000)], NOW)).toBe(20);
});

test("waits are told once each, others may drive the task meanwhile, and other errors are passed on", async () => {
  const task = (status: Task["status"], ...waiting_for: Waiting[]): Task =>
    ({ status, waiting_for }) as unknown as Task;
  const busy = new TaskonautError("task_busy", "busy");
  const answers: (Task | Error)[] = [
    task("WAITING_OBSERVATION", wait("signal")),
    task("WAITING_OBSERVATION", wait("signal")),
    busy,
    task("RUNNING"),
    task("WAITING_OBSERVATION", wait("child")),
    task("CANCELLED"),
    new TaskonautError("task_parked", "parked"),
  ];
  const told: unknown[] = [];
  const pauses: number[] = [];
  const following = {
    run: async () => {
      const answer = answers.shift();
      if (answer instanceof Error) throw answer;
      return answer as Task;
    },
    onWaits: async ({ waiting_for }: Task) => {
      told.push(waiting_for[0]?.kind);
    },
    getTask: async () => task("RUNNING"),
    sleep: async (ms: number) => {
      pauses.push(ms);
    },
  };
  expect((await awaitEnd(following)).status).toBe("CANCELLED");
  expect(told).toEqual(["signal", "child"]);
  expect(pauses).toEqual([500, 500, 500, 500, 500]);
  expect(awaitEnd(following)).rejects.toMatchObject({ code: "task_parked" });
});

/** Follows task `a` among these; it is cancelled at the third look, so that what goes on waiting ends. */
function followFirst(tasks: Readonly<Record<string, Partial<Task>>>, told: string[] = []): Promise<Task> {
  const getTask = async (id: string): Promise<Task> =>
    ({ id, status: "WAITING_OBSERVATION", waiting_for: [], parked_reason: null, ...tasks[id] }) as unknown as Task;
  let looks = 0;
  const run = async (): Promise<Task> => ({ ...(await getTask("a")), ...(++looks === 3 && { status: "CANCELLED" }) });
  const onWaits = async ({ id }: Task): Promise<void> => {
    told.push(id);
  };
  return awaitEnd({ run, getTask, onWaits, sleep: async () => {} });
}

const childOf = (id: string, dueInMs?: number): Waiting => ({ ...wait("child", dueInMs), task_id: id });

test("a child that is parked ends the wait, with what takes it on, however deep it is", async () => {
  const parked = { parked_reason: "The flow took another path." };
  const error = {
    code: "task_parked",
    message: "Task a waits for its child c, which is parked. The flow took another path.",
    details: { task_id: "c", waiting_task_id: "a" },
  };
  await expect(followFirst({ a: { waiting_for: [childOf("c")] }, c: parked })).rejects.toMatchObject(error);
  const deep = { a: { waiting_for: [childOf("b")] }, b: { waiting_for: [childOf("c")] }, c: parked };
  await expect(followFirst(deep)).rejects.toMatchObject(error);
});

test("a child in doubt is told of once, and waited for, however deep it is", async () => {
  const c = { waiting_for: [wait("doubt")] };
  const told: string[] = [];
  await followFirst({ a: { waiting_for: [childOf("b")] }, b: { waiting_for: [childOf("c")] }, c }, told);
  expect(told).toEqual(["c"]);
  const others: string[] = [];
  await followFirst(
    { a: { waiting_for: [childOf("c")] }, c: { waiting_for: [wait("doubt"), wait("time", 50)] } },
    others,
  );
  expect(others).toEqual(["a"]);
});

test("a parked child ends no wait that something else may end", async () => {
  const c = { parked_reason: "x" };
  for (const waiting_for of [
    [childOf("c"), wait("time", 50)],
    [childOf("c"), wait("signal")],
    [childOf("c"), childOf("runs")],
    [childOf("c", 5000)],
  ]) {
    expect((await followFirst({ a: { waiting_for }, c })).status).toBe("CANCELLED");
  }
});
