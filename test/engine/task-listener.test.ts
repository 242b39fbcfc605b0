// What whoever shows a task is told while this process drives it.

import { expect, test } from "bun:test";
import * as v from "valibot";
import type { TaskListener } from "../../src/core/api/task-listener.ts";
import { defineFlow } from "../../src/core/flow/flow.ts";
import { all, call, runChild, sleep } from "../../src/core/flow/operation.ts";
import { defineTool } from "../../src/core/flow/tool.ts";
import { openSqliteStore } from "../../src/store/sqlite/store.ts";
import { engineOn } from "../support/engine.ts";
import { faultyStore } from "../support/faulty-store.ts";

const input = v.object({});

const flaky = defineTool({
  name: "flaky",
  input,
  output: v.string(),
  retry: { attempts: 3, base: 1, jitter: 0 },
  run(_, { attempt }) {
    if (attempt < 3) throw new Error(`no ${attempt}`);
    return "yes";
  },
});
const never = defineTool({
  name: "never",
  input,
  output: v.string(),
  retry: { attempts: 1 },
  run() {
    throw new Error("never");
  },
});
const kid = defineFlow({
  name: "kid",
  input,
  *run() {
    return yield* call(flaky, {}, { as: "own" });
  },
});
const twice = defineFlow({
  name: "twice",
  input,
  *run() {
    yield* call(flaky, {}, { as: "first" });
    return yield* call(flaky, {}, { as: "second" });
  },
});
const parent = defineFlow({
  name: "parent",
  input,
  *run() {
    yield* all([call(flaky, {}), runChild(kid, {}), sleep("1ms")]);
    return yield* call(never, {});
  },
});

/** A line for each thing that is told. */
class Told implements TaskListener {
  readonly lines: string[] = [];
  readonly #names = new Map<string, string>();

  readonly moved: TaskListener["moved"] = ({ flow_name, status }) => this.lines.push(`${flow_name} is ${status}`);
  readonly parked: TaskListener["parked"] = ({ flow_name }) => this.lines.push(`${flow_name} is parked`);
  readonly planned: TaskListener["planned"] = ({ id, step_name, kind }) => {
    this.#names.set(id, step_name);
    this.lines.push(`${step_name} (${kind}) planned`);
  };
  readonly started: TaskListener["started"] = ({ step_name }, attempt, attempts) =>
    this.lines.push(`${step_name} started ${attempt}/${attempts}`);
  readonly progressed: TaskListener["progressed"] = ({ step_name }) => this.lines.push(`${step_name} progressed`);
  readonly attemptFailed: TaskListener["attemptFailed"] = ({ stepId, attempt, error, nextMs }) =>
    this.lines.push(`${this.#names.get(stepId)} failed ${attempt}: ${error}, next in ${nextMs}`);
  readonly postponed: TaskListener["postponed"] = ({ step_name }) => this.lines.push(`${step_name} postponed`);
  readonly doubted: TaskListener["doubted"] = ({ step_name }) => this.lines.push(`${step_name} in doubt`);
  readonly ended: TaskListener["ended"] = ({ step_name }, status, error) =>
    this.lines.push(`${step_name} ${status}${error === undefined ? "" : `: ${error}`}`);

  /** Of one step or flow, in their order. */
  of(name: string): readonly string[] {
    return this.lines.filter((line) => line.startsWith(`${name} `));
  }
}

test("each step is planned, started, tried again and ended, those of children too, and each move is told", async () => {
  const listener = new Told();
  const store = await openSqliteStore({ path: ":memory:" });
  const engine = engineOn(store, { flows: [parent, kid], listener });
  const { task } = await engine.createTask({ flow: "parent", input: {} });
  let { status } = task;
  // the sleep ends by the store's clock
  for (let runs = 0; status !== "FAILED" && runs < 1000; runs++) ({ status } = await engine.runTask(task.id));
  await engine.close();
  expect(listener.of("flaky")).toEqual([
    "flaky (tool) planned",
    "flaky started 1/3",
    "flaky failed 1: no 1, next in 1",
    "flaky failed 2: no 2, next in 2",
    "flaky COMPLETED",
  ]);
  expect(listener.of("own").slice(0, 2)).toEqual(["own (tool) planned", "own started 1/3"]);
  expect(listener.of("own").at(-1)).toBe("own COMPLETED");
  expect([listener.of("kid").at(0), listener.of("kid").at(-1)]).toEqual(["kid (child) planned", "kid COMPLETED"]);
  expect(listener.of("kid")).toContain("kid is COMPLETED");
  expect(listener.of("sleep")).toEqual(["sleep (sleep) planned", "sleep COMPLETED"]);
  expect(listener.of("never")).toEqual(["never (tool) planned", "never started 1/1", "never FAILED: never"]);
  expect(listener.of("parent").at(-1)).toBe("parent is FAILED");
});

test("no end is told before it is durable", async () => {
  const listener = new Told();
  const durable = await openSqliteStore({ path: ":memory:" });
  let id = "";
  let writes = 0;
  const store = faultyStore(durable, async (_number, write) => {
    const record = id === "" ? undefined : await durable.readTask(id);
    const ended = record?.steps.filter(({ status }) => status === "COMPLETED").map((step) => step.step_name) ?? [];
    expect(listener.lines.filter((line) => /^\w+ COMPLETED/.test(line))).toEqual(
      ended.map((name) => `${name} COMPLETED`),
    );
    writes += 1;
    return write();
  });
  const engine = engineOn(store, { flows: [twice], listener });
  ({ id } = (await engine.createTask({ flow: "twice", input: {} })).task);
  await engine.runTask(id);
  await engine.close();
  expect(listener.lines.filter((line) => line.endsWith(" COMPLETED"))).toEqual([
    "first COMPLETED",
    "second COMPLETED",
    "twice is COMPLETED",
  ]);
  expect(writes).toBeGreaterThan(3);
});
