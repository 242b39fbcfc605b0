import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import { TaskonautError } from "../../core/errors.ts";
import { defineFlow, type Flow } from "../../core/flow/flow.ts";
import { keyedTaskId, stepId } from "../../core/record/ids.ts";
import { DEFAULT_LIMITS } from "../../core/limits.ts";
import { call } from "../../core/flow/operation.ts";
import type { CreateTask } from "../../core/api/create-task.ts";
import { echoAdd } from "../../flows/echo-add.ts";
import { echo } from "../../flows/tools.ts";
import { planTask, taskIdOf } from "./create.ts";

const ID = "0193d3f0-7c1e-7b7a-9c5e-2f6f6f0c8a11";

function plan(flow: Flow, request: Partial<CreateTask> = {}, limits = {}): ReturnType<typeof planTask> {
  const all = { ...DEFAULT_LIMITS, ...limits };
  const id = taskIdOf({ flow: flow.name, input: {}, ...request }, () => ID);
  return planTask({ id, flow, input: "input" in request ? request.input : {}, now: 1000, limits: all });
}

function refusal(flow: Flow, request: Partial<CreateTask> = {}, limits = {}): TaskonautError {
  try {
    plan(flow, request, limits);
  } catch (error) {
    if (error instanceof TaskonautError) return error;
    throw error;
  }
  throw new Error("It was not refused.");
}

const echoTimes = (times: number): Flow =>
  defineFlow({
    name: "echoes",
    input: v.object({}),
    plan: () => Array.from({ length: times }, (_, i) => call(echo, { text: "x" }, { as: `echo${i}` })),
  });

describe("a planned task", () => {
  test("of a plan flow has all its steps, with their inputs", () => {
    const { record, decisions } = plan(echoAdd, { input: { a: 5 } });
    expect(record.task).toMatchObject({
      id: ID,
      flow_name: "echo_add",
      status: "PLANNED",
      version: 1,
      current_step: 0,
      input_payload: '{"text":"hello","a":5,"b":2}',
      output_payload: null,
      created_at: 1000,
      updated_at: 1000,
    });
    expect(
      record.steps.map(({ id, step_index, path, step_name, target, status, input_payload }) => [
        id,
        step_index,
        path,
        step_name,
        target,
        status,
        input_payload,
      ]),
    ).toEqual([
      [stepId(ID, "/0"), 1, "/0", "echo", "echo", "PLANNED", '{"text":"hello"}'],
      [stepId(ID, "/1"), 2, "/1", "add", "add", "PLANNED", '{"a":5,"b":2}'],
    ]);
    expect(record.calls).toEqual([]);
    expect(decisions.map(({ path }) => path)).toEqual(record.steps.map((step) => step.path));
  });

  test("of a run flow has none yet, and nothing of the flow has run", () => {
    const flow = defineFlow({
      name: "run",
      input: v.object({}),
      // oxlint-disable-next-line require-yield
      *run() {
        throw new Error("too early");
      },
    });
    expect(plan(flow).record.steps).toEqual([]);
  });

  test("without an input has the flow's defaults", () => {
    expect(plan(echoAdd, { input: undefined }).record.task.input_payload).toBe('{"text":"hello","a":1,"b":2}');
  });

  test("under an idempotency key has the id of that key", () => {
    expect(plan(echoAdd, { idempotencyKey: "order-1" }).record.task.id).toBe(keyedTaskId("order-1"));
    expect(plan(echoAdd, { idempotencyKey: "k".repeat(255) }).record.task.id).toBe(keyedTaskId("k".repeat(255)));
  });
});

describe("refused is", () => {
  test("an input with violations, every one at once", () => {
    const error = refusal(echoAdd, { input: { text: 1, a: "2", b: 2.5, c: 1 } });
    expect(error.code).toBe("input_invalid");
    expect(error.errors.map(({ path }) => path)).toEqual(["text", "a", "b", "c"]);
    expect(error.message).toStartWith(
      "The input breaks the contract of flow echo_add: text: must be a string; a: must be an integer;",
    );
  });

  for (const input of [null, 5, "x", []]) {
    test(`an input that is ${JSON.stringify(input)}`, () => {
      expect(refusal(echoAdd, { input }).code).toBe("input_invalid");
    });
  }

  test("an input that JSON cannot carry", () => {
    const anything = defineFlow({ name: "any", input: v.any(), plan: () => [] });
    expect(refusal(anything, { input: { at: new Date(0) } })).toMatchObject({
      code: "input_invalid",
      errors: [{ path: "at", message: "JSON cannot carry a Date" }],
    });
  });

  test("an input over the limit, in bytes of UTF-8, and no shorter one", () => {
    const bytes = Buffer.byteLength('{"text":"é","a":1,"b":2}');
    expect(refusal(echoAdd, { input: { text: "é" } }, { inputBytes: bytes - 1 })).toMatchObject({
      code: "body_too_large",
      message: expect.stringContaining(`${bytes} bytes of JSON; the limit is ${bytes - 1}`),
    });
    plan(echoAdd, { input: { text: "é" } }, { inputBytes: bytes });
  });

  test("an idempotency key that is empty, longer than 255 characters, or no text of a database", () => {
    for (const idempotencyKey of ["", "k".repeat(256)]) {
      expect(refusal(echoAdd, { idempotencyKey })).toMatchObject({
        code: "input_invalid",
        errors: [{ path: "Idempotency-Key", message: "must have 1 to 255 characters" }],
      });
    }
    // as text of the database, and as a source of ids, two of them could be one
    for (const idempotencyKey of ["a\0", "\ud800", "\udc00"]) {
      expect(refusal(echoAdd, { idempotencyKey })).toMatchObject({
        code: "input_invalid",
        errors: [{ path: "Idempotency-Key", message: "must not hold NUL or half of a surrogate pair" }],
      });
    }
  });

  test("a plan of more steps than a task may have", () => {
    plan(echoTimes(3), {}, { stepsPerTask: 3 });
    expect(refusal(echoTimes(4), {}, { stepsPerTask: 3 })).toMatchObject({
      code: "flow_invalid",
      message: "Flow echoes plans 4 steps for this input; a task has at most 3 (TASKONAUT_MAX_STEPS).",
    });
  });

  test("a plan that throws, whatever it throws", () => {
    for (const [thrown, message] of [
      [new TypeError("odd"), expect.stringMatching(/input: odd \(at \S+create\.test\.ts:\d+:\d+\)$/)],
      [Object.create(null), expect.stringContaining("input: a value that cannot be shown was thrown")],
    ]) {
      const flow = defineFlow({
        name: "broken",
        input: v.object({}),
        plan: () => {
          throw thrown;
        },
      });
      expect(refusal(flow)).toMatchObject({
        code: "flow_invalid",
        message,
      });
    }
  });

  test("a plan with an option that there is not, with the place of the call", () => {
    const flow = defineFlow({
      name: "planned",
      input: v.object({}),
      plan: () => [call(echo, { text: "" }, { az: "x" } as never)],
    });
    expect(refusal(flow)).toMatchObject({
      code: "flow_invalid",
      message: expect.stringMatching(
        /^call\(echo\): az is not an option of call; did you mean as\? It was at \S+:\d+:\d+\.$/,
      ),
    });
  });
});
