// One task's life, call by call, and what is refused.

import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import type { TaskonautError } from "../../src/core/errors.ts";
import { defineFlow, type Flow } from "../../src/core/flow/flow.ts";
import type { Task, TaskStep } from "../../src/core/api/task.ts";
import type { Taskonaut } from "../../src/core/api/taskonaut.ts";
import type { Bench } from "../support/bench.ts";
import { rejection } from "../support/rejection.ts";
import { tasksOf } from "../support/listed.ts";

const INPUT = { text: "hello", a: 2, b: 3 };
const OUTPUT = { echo: { text: "hello" }, add: { sum: 5 } };

type State = readonly [
  status: Task["status"],
  currentStep: number,
  steps: readonly TaskStep["status"][],
  toolCalls: number,
  output: Task["output_payload"],
];

/** The task after so many transitions. */
export const LIFE: readonly State[] = [
  ["PLANNED", 0, ["PLANNED", "PLANNED"], 0, null],
  ["RUNNING", 0, ["PLANNED", "PLANNED"], 0, null],
  ["WAITING_OBSERVATION", 1, ["COMPLETED", "PLANNED"], 1, null],
  ["RUNNING", 1, ["COMPLETED", "PLANNED"], 1, null],
  ["WAITING_OBSERVATION", 2, ["COMPLETED", "COMPLETED"], 2, null],
  ["COMPLETED", 2, ["COMPLETED", "COMPLETED"], 2, OUTPUT],
];

const rowOf = (task: Task): State => [
  task.status,
  task.current_step,
  task.steps.map((step) => step.status),
  task.tool_calls.length,
  task.output_payload,
];
const lifeAfter = (transitions: number): State => LIFE[Math.min(transitions, LIFE.length - 1)] as State;

export function lifeContract(bench: Bench): void {
  const create = async (engine: Taskonaut, input: unknown = INPUT): Promise<Task> =>
    (await engine.createTask({ flow: "echo_add", input })).task;
  const code = async (failing: Promise<unknown>): Promise<string> =>
    ((await rejection(failing)) as TaskonautError).code;

  describe("one task's life", () => {
    for (const engines of ["one engine", "a new engine for every call"]) {
      test(`goes call by call, with ${engines}`, async () => {
        let engine = await bench.openEngine();
        const created = await create(engine);
        expect(rowOf(created)).toEqual(lifeAfter(0));
        expect(created.steps.map((step) => step.input_payload)).toEqual([{ text: "hello" }, { a: 2, b: 3 }]);
        for (let call = 1; call <= 7; call++) {
          if (engines !== "one engine") engine = await bench.openEngine();
          const task = await engine.advanceTask(created.id);
          expect(rowOf(task)).toEqual(lifeAfter(call));
          // what is returned is durable, and the same for everybody
          expect(task).toEqual(await (await bench.openEngine()).getTask(created.id));
        }
      });
    }

    test("fills every field of the task resource", async () => {
      const engine = await bench.openEngine();
      const { id } = await create(engine);
      const task = await engine.runTask(id.toUpperCase());
      const [echo, add] = task.steps;
      expect(task).toMatchObject({
        id,
        flow_name: "echo_add",
        input_payload: INPUT,
        lease_owner: null,
        parked_reason: null,
        error_message: null,
        error: null,
      });
      expect(echo).toMatchObject({
        task_id: id,
        step_index: 1,
        step_name: "echo",
        output_payload: { text: "hello" },
        error_message: null,
        error: null,
      });
      expect(add).toMatchObject({ task_id: id, step_index: 2, step_name: "add", output_payload: { sum: 5 } });
      expect(task.tool_calls).toEqual(task.steps.flatMap((step) => step.tool_calls));
      expect(echo?.tool_calls).toEqual([
        {
          id: expect.any(String),
          task_id: id,
          task_step_id: echo?.id ?? "",
          idempotency_key: `${id}:${echo?.id}:echo`,
          tool_name: "echo",
          status: "COMPLETED",
          retry_count: 0,
          progress: null,
          last_error: null,
          started_at: expect.any(String),
          finished_at: expect.any(String),
          request_payload: { text: "hello" },
          response_payload: { text: "hello" },
          error_message: null,
          error: null,
          created_at: expect.any(String),
        },
      ]);
    });

    for (let maxSteps = 1; maxSteps <= 6; maxSteps++) {
      const isEnough = maxSteps >= 5;
      test(`run of at most ${maxSteps} transitions ${isEnough ? "completes" : "is refused, and what it did stays"}`, async () => {
        const engine = await bench.openEngine();
        const { id } = await create(engine);
        const running = engine.runTask(id, { maxSteps });
        if (isEnough) expect(rowOf(await running)).toEqual(lifeAfter(5));
        else {
          expect(await rejection(running)).toMatchObject({
            code: "max_steps_exhausted",
            message: `Task ${id} did not reach terminal state within ${maxSteps} steps`,
          });
        }
        const other = await bench.openEngine();
        expect(rowOf(await other.getTask(id))).toEqual(lifeAfter(maxSteps));
        expect(rowOf(await other.runTask(id, { maxSteps: 5 }))).toEqual(lifeAfter(5));
      });
    }

    test("is over when the task has ended: run and advance give it as it is", async () => {
      const engine = await bench.openEngine();
      const done = await engine.runTask((await create(engine)).id);
      for (const each of [engine, await bench.openEngine()]) {
        expect(await each.runTask(done.id)).toEqual(done);
        expect(await each.runTask(done.id, { maxSteps: 1 })).toEqual(done);
        expect(await each.advanceTask(done.id)).toEqual(done);
        expect(await each.getTask(done.id)).toEqual(done);
      }
    });

    test("keeps texts and numbers exactly, whatever they are", async () => {
      const engine = await bench.openEngine();
      const text = `NUL \0 lone \ud800 quote " 漢字 👩‍👩‍👧 \u2028 ${"x".repeat(5000)}`;
      const { id } = await create(engine, { text, a: -Number.MAX_SAFE_INTEGER, b: Number.MAX_SAFE_INTEGER });
      await engine.runTask(id);
      const task = await (await bench.openEngine()).getTask(id);
      expect(task.output_payload).toEqual({ echo: { text }, add: { sum: 0 } });
    });

    test("lists tasks newest first, in pages that miss and repeat nothing", async () => {
      const engine = await bench.openEngine();
      const ids: string[] = [];
      for (let i = 0; i < 5; i++) ids.push((await create(engine)).id);
      const seen: Task[] = [];
      let cursor: string | undefined;
      for (let pages = 0; pages < 100; pages++) {
        const page = await engine.listTasks({ limit: 2, ...(cursor !== undefined && { cursor }) });
        seen.push(...tasksOf(page));
        cursor = page.next;
        if (cursor === undefined) break;
      }
      expect(seen.slice(0, 5).map((task) => task.id)).toEqual(ids.toReversed());
      expect(new Set(seen.map((task) => task.id)).size).toBe(seen.length);
      expect(seen[0]).toEqual(await engine.getTask(ids[4] as string));
    });
  });

  describe("an idempotency key", () => {
    const keyOf = (): string => `key-${Bun.randomUUIDv7()}`;

    test("gives the same task again, whoever asks and however its input is written", async () => {
      const [engine, other] = [await bench.openEngine(), await bench.openEngine()];
      const idempotencyKey = keyOf();
      const first = await engine.createTask({ flow: "echo_add", input: { a: 5, b: 6 }, idempotencyKey });
      expect(first.created).toBe(true);
      for (const input of [
        { a: 5, b: 6 },
        { b: 6, a: 5 },
        { b: 6, text: "hello", a: 5 },
      ]) {
        for (const each of [engine, other]) {
          expect(await each.createTask({ flow: "echo_add", input, idempotencyKey })).toEqual({
            task: first.task,
            created: false,
          });
        }
      }
      const done = await other.runTask(first.task.id);
      expect(await engine.createTask({ flow: "echo_add", input: { a: 5, b: 6 }, idempotencyKey })).toEqual({
        task: done,
        created: false,
      });
    });

    test("looks at the value of an input, whatever the order of its keys", async () => {
      const [flow, twin] = ["keyed", "twin"].map((name) =>
        defineFlow({ name, input: v.record(v.string(), v.any()), plan: () => [] }),
      );
      const engine = await bench.openEngine({ flows: [flow as Flow, twin as Flow] });
      const idempotencyKey = keyOf();
      const { task } = await engine.createTask({ flow: "keyed", input: { a: 1, b: { c: 2, d: [3] } }, idempotencyKey });
      const again = await engine.createTask({ flow: "keyed", input: { b: { d: [3], c: 2 }, a: 1 }, idempotencyKey });
      expect(again).toEqual({ task, created: false });
      const other = rejection(
        engine.createTask({ flow: "twin", input: { a: 1, b: { c: 2, d: [3] } }, idempotencyKey }),
      );
      expect(await other).toMatchObject({ code: "idempotency_key_reused" });
    });

    test("of many calls at once creates one task, and tells one of them so", async () => {
      const engines = await Promise.all([bench.openEngine(), bench.openEngine()]);
      const idempotencyKey = keyOf();
      const calls = Array.from({ length: 16 }, (_, i) =>
        engines[i % 2]?.createTask({ flow: "echo_add", input: INPUT, idempotencyKey }),
      );
      const created = await Promise.all(calls);
      expect(new Set(created.map((each) => each?.task.id)).size).toBe(1);
      expect(created.filter((each) => each?.created)).toHaveLength(1);
    });

    test("is refused for another input, and leaves the task alone", async () => {
      const engine = await bench.openEngine();
      const idempotencyKey = keyOf();
      const { task } = await engine.createTask({ flow: "echo_add", input: INPUT, idempotencyKey });
      const error = await rejection(engine.createTask({ flow: "echo_add", input: { ...INPUT, a: 3 }, idempotencyKey }));
      expect(error).toMatchObject({
        code: "idempotency_key_reused",
        status: 409,
        message: expect.stringContaining(task.id),
      });
      expect(await engine.getTask(task.id)).toEqual(task);
    });
  });

  describe("refused is", () => {
    test("an unknown flow, with the known ones named", async () => {
      const engine = await bench.openEngine();
      const error = await rejection(engine.createTask({ flow: "predefined_echo_add", input: {} }));
      expect(error).toMatchObject({
        code: "flow_not_found",
        message: expect.stringContaining("Known flows: echo_add"),
      });
      expect(await code(engine.describeFlow("nope"))).toBe("flow_not_found");
    });

    test("an unknown task", async () => {
      const engine = await bench.openEngine();
      const id = Bun.randomUUIDv7();
      const calls = [engine.getTask(id), engine.advanceTask(id), engine.runTask(id)];
      for (const error of await Promise.all(calls.map((each) => rejection(each)))) {
        expect(error).toMatchObject({ code: "task_not_found", message: `Task ${id} not found` });
      }
    });

    test("an id that is no UUID", async () => {
      const engine = await bench.openEngine();
      for (const id of ["", "1", "not-a-uuid", "' or 1=1 --", `${Bun.randomUUIDv7()}\0`]) {
        const calls = [engine.getTask(id), engine.advanceTask(id), engine.runTask(id)];
        for (const error of await Promise.all(calls.map((each) => rejection(each)))) {
          expect(error).toMatchObject({ code: "task_id_invalid" });
        }
      }
    });

    test("an input with violations: every one is told, and nothing is written", async () => {
      const engine = await bench.openEngine();
      const before = await engine.listTasks({ limit: 1000 });
      const error = (await rejection(
        create(engine, { text: 1, a: "2", b: Number.MAX_SAFE_INTEGER + 2, more: 1 }),
      )) as TaskonautError;
      expect(error).toMatchObject({ code: "input_invalid", status: 422 });
      expect(error.errors.map(({ path }) => path)).toEqual(["text", "a", "b", "more"]);
      for (const input of [null, [], 5, "x", { a: true }, { a: 2.5 }, { a: Number.NaN }]) {
        expect(await code(create(engine, input))).toBe("input_invalid");
      }
      expect(await engine.listTasks({ limit: 1000 })).toEqual(before);
    });

    test("a page of no size, of too many tasks, or after no cursor", async () => {
      const engine = await bench.openEngine();
      for (const limit of [0, -1, 1001, 1.5, Number.NaN])
        expect(await code(engine.listTasks({ limit }))).toBe("input_invalid");
      expect(await code(engine.listTasks({ limit: 1, cursor: "x" }))).toBe("input_invalid");
    });
  });
}
