import { expect, test } from "bun:test";
import type { Task, TaskStep, ToolCall, Waiting } from "../core/api/task.ts";
import { hintsOf } from "../../test/support/hints.ts";
import { plannedStep, plannedTask } from "../../test/support/tasks.ts";
import { suggestSteps } from "./next-steps.ts";

const WAITING = { status: "WAITING_OBSERVATION" } as const;
const SIGNAL: Waiting = { kind: "signal", name: "approved", until: null, task_id: null };
const TIME: Waiting = { kind: "time", name: null, until: "2026-11-23T03:39:25.200Z", task_id: null };
const CHILD: Waiting = { kind: "child", name: "ship", until: null, task_id: "t9" };
const CALL = { id: "c1", status: "FAILED" } as unknown as ToolCall;

function commandsFor(
  parts: Partial<Task>,
  argv: readonly string[] = [],
  payloads = new Map<string, string | undefined>(),
): string[] {
  const task = plannedTask({ id: "t1", ...parts });
  return suggestSteps(task, hintsOf(argv), payloads).flatMap(({ command }) => command ?? []);
}

test("each state has the command that takes the task on from there, or none", () => {
  const failed = plannedStep({ status: "FAILED", tool_calls: [CALL] });
  expect(commandsFor({ status: "PLANNED" })).toEqual(["taskonaut run-task t1"]);
  expect(commandsFor(WAITING)).toEqual(["taskonaut run-task t1"]);
  expect(commandsFor({ ...WAITING, waiting_for: [TIME, CHILD] })).toEqual(["taskonaut run-task t1 --wait"]);
  expect(commandsFor({ status: "RUNNING", lease_owner: "w1" })).toEqual([]);
  expect(commandsFor({ status: "RUNNING", parked_reason: "why" })).toEqual([
    "taskonaut resume-task t1",
    "taskonaut cancel-task t1 --force",
  ]);
  expect(commandsFor({ status: "FAILED", steps: [failed] })).toEqual(["taskonaut retry-task t1"]);
  expect(commandsFor({ status: "FAILED", steps: [] })).toEqual([]);
  expect(commandsFor({ status: "COMPLETED" })).toEqual([]);
  expect(commandsFor({ status: "CANCELLED" })).toEqual([]);
});

test("a task of the queue wants a worker, which against a server somebody else has to start", () => {
  const queued = { status: "PLANNED", due_at: "2026-11-23T03:39:25.200Z" } as const;
  expect(commandsFor(queued)).toEqual(["taskonaut work"]);
  const url = "http://127.0.0.1:8000";
  expect(commandsFor(queued, ["get-task", "t1", "--api-base-url", url])).toEqual([
    `taskonaut run-task t1 --wait --api-base-url ${url}`,
  ]);
});

test("a signal is shown with a payload where its contract wants one, each name once", () => {
  const payloads = new Map([
    ["approved", '{"by":"it\'s me"}'],
    ["paid", undefined],
  ]);
  const waiting_for = [SIGNAL, SIGNAL, { ...SIGNAL, name: "paid" }];
  expect(commandsFor({ ...WAITING, waiting_for }, [], payloads)).toEqual([
    `taskonaut signal-task t1 approved --payload '{"by":"it'\\''s me"}'`,
    "taskonaut signal-task t1 paid",
  ]);
  const many = Array.from({ length: 1000 }, (_, i) => ({ ...SIGNAL, name: `s${i}` }));
  expect(
    commandsFor({ ...WAITING, waiting_for: many }, [], new Map(many.map(({ name }) => [name, undefined]))),
  ).toHaveLength(8);
});

test("where the contract of a signal is not known, what tells it is shown instead", () => {
  const waiting = { ...WAITING, flow_name: "order", waiting_for: [SIGNAL] };
  expect(commandsFor(waiting, ["get-task", "t1", "--flows", "a.ts"])).toEqual(["taskonaut flows order --flows a.ts"]);
  const url = "http://127.0.0.1:8000";
  expect(commandsFor(waiting, ["get-task", "t1", "--api-base-url", url])).toEqual([
    `taskonaut signal-task t1 approved --api-base-url ${url}`,
  ]);
  const task = plannedTask({ ...waiting, flow_file: "/nowhere/order.ts" });
  const [gone] = suggestSteps(task, hintsOf(), new Map());
  expect(gone?.text).toContain("came from /nowhere/order.ts, which is not there any more");
});

test("a doubt is settled before the task is resumed, and with all that a person may say of it", () => {
  const step = (step_index: number): TaskStep =>
    plannedStep({ step_index, status: "RUNNING", doubt: "Its worker died." });
  expect(commandsFor({ ...WAITING, steps: [step(2)], parked_reason: "why" })).toEqual([
    "taskonaut resolve t1 --retry",
    "taskonaut resolve t1 --fail",
  ]);
  const steps = [step(2), step(5)];
  expect(commandsFor({ ...WAITING, steps })).toEqual([
    "taskonaut resolve t1 --step 2 --retry",
    "taskonaut resolve t1 --step 2 --fail",
    "taskonaut resolve t1 --step 5 --retry",
    "taskonaut resolve t1 --step 5 --fail",
  ]);
  const texts = suggestSteps(plannedTask({ id: "t1", ...WAITING, steps }), hintsOf(), new Map()).map(
    ({ text }) => text,
  );
  expect(texts).toContain(
    "If its effect happened, give its result as JSON, in place of --step 5 --retry: --output <json>.",
  );
});
