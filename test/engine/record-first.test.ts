// No effect before its decision: what the store holds in the moment in which a tool is called, or a child begins, leads
// whoever has nothing else to the very same step.

import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import { canonicalJson } from "../../src/core/record/json.ts";
import type { Flow } from "../../src/core/flow/flow.ts";
import { defineTool, type Tool } from "../../src/core/flow/tool.ts";
import { recover } from "../../src/engine/task/recover.ts";
import { all, call, defineFlow, map, now, runChild, waitForSignal, type Operation } from "../../src/sdk/taskonaut.ts";
import type { Store } from "../../src/store/store.ts";
import { DATABASES } from "../support/databases.ts";
import { ended, enqueue, waiting } from "../support/queue.ts";
import { giveBack } from "../support/tools.ts";
import { workerBench } from "./worker-bench.ts";

type Body = Generator<Operation<unknown>, unknown, unknown>;

interface Given {
  /** At-least-once and at-most-once: each call of them is looked at. */
  readonly effect: Tool;
  readonly once: Tool;
  readonly pure: Tool;
  readonly child: Flow;
}

/** Flows that are looked at. */
interface Looking {
  readonly flows: Flow[];
  /** What was there as effects began. */
  readonly seen: string[];
  /** Looks as a child is created. */
  readonly around: (store: Store) => Store;
}

const at = (): { at: number } => ({ at: now().getTime() });

const RUNS: Record<string, (given: Given) => Body> = {
  *"the first of a flow"({ effect }) {
    yield* call(effect, at());
  },
  *"one after pure steps alone"({ pure, effect }) {
    yield* call(pure, 1);
    yield* call(pure, 2, { as: "again" });
    yield* call(effect, at());
  },
  *"one after another"({ effect, pure }) {
    const first = yield* call(effect, at());
    yield* call(pure, first);
    yield* call(effect, at(), { as: "again" });
  },
  *"several at once"({ effect, once }) {
    yield* all([call(effect, at()), call(once, at())]);
    yield* map([1, 2, 3], (n) => call(effect, { n, ...at() }, { as: `of_${n}` }), { concurrency: 2 });
  },
  *"a child, and what comes after it"({ child, pure, effect }) {
    yield* call(pure, 1);
    yield* runChild(child, at());
    yield* call(effect, at());
  },
  *"one in a finally"({ effect, pure }) {
    try {
      yield* waitForSignal("stop");
    } finally {
      yield* call(pure, at());
      yield* call(effect, at());
    }
  },
};

const CANCELLED = "one in a finally";

describe.each(DATABASES)("on %s", (_name, create) => {
  const { bench, working } = workerBench(create);

  /** Flows and tools that look into the store as they begin; `seen` says what was not there. */
  async function lookingInto(store: Store, run: (given: Given) => Body): Promise<Looking> {
    const seen: string[] = [];
    const unique = crypto.randomUUID().slice(0, 8);
    let parent: Flow | undefined;
    const look = async (flow: Flow | undefined, taskId: string, stepId: string, input: unknown): Promise<string> => {
      const record = await store.readTask(taskId);
      const step = record?.steps.find(({ id }) => id === stepId);
      if (!flow || !record || !step) return "nothing";
      if (canonicalJson(step.input_payload) !== canonicalJson(JSON.stringify(input))) return "another input";
      const recovery = recover(flow, record, 1000);
      const decision = recovery.kind === "ready" ? recovery.decisionOf.get(stepId) : undefined;
      if (!decision) return "a record that does not lead to it";
      return step.execution === (decision.tool?.execution ?? null) ? "all of it" : "another guarantee";
    };
    const lookingTool = (name: string, execution: "at-least-once" | "at-most-once"): Tool =>
      defineTool({
        name,
        input: v.unknown(),
        output: v.unknown(),
        execution,
        run: async (input, { taskId, stepId }) => {
          seen.push(await look(parent, taskId, stepId, input));
          return input;
        },
      });
    const child = defineFlow({
      name: `child_${unique}`,
      input: v.unknown(),
      *run(input) {
        yield* call(giveBack("pure", { execution: "pure" }), input);
      },
    });
    const around = (given: Store): Store => ({
      ...given,
      async insertTasks(records) {
        for (const { task } of records) {
          const { parent_task_id: taskId, parent_step_id: stepId, input_payload } = task;
          if (taskId !== null) seen.push(await look(parent, taskId, stepId ?? "", JSON.parse(input_payload)));
        }
        return given.insertTasks(records);
      },
    });
    const given = {
      effect: lookingTool("effect", "at-least-once"),
      once: lookingTool("once", "at-most-once"),
      pure: giveBack("pure", { execution: "pure" }),
      child,
    };
    parent = defineFlow({
      name: `parent_${unique}`,
      input: v.unknown(),
      signals: { stop: v.unknown() },
      *run() {
        return yield* run(given);
      },
    });
    return { flows: [parent, child], seen, around };
  }

  test.each(Object.entries(RUNS))("%s, taken from the queue", async (name, run) => {
    const { flows, seen, around } = await lookingInto(await bench.openStore(), run);
    const { engine } = await working({ flows, around });
    const id = await enqueue(engine, flows[0]?.name ?? "");
    if (name === CANCELLED) {
      await waiting(engine, id);
      await engine.cancelTask(id);
    }
    expect((await ended(engine, id)).status).toBe(name === CANCELLED ? "CANCELLED" : "COMPLETED");
    expect(seen.length).toBeGreaterThan(0);
    expect(new Set(seen)).toEqual(new Set(["all of it"]));
  });

  test.each(Object.entries(RUNS))("%s, by hand", async (name, run) => {
    const { flows, seen, around } = await lookingInto(await bench.openStore(), run);
    const engine = await bench.openEngine({ flows, around });
    const { task } = await engine.createTask({ flow: flows[0]?.name ?? "", input: {} });
    const { status } = await engine.runTask(task.id);
    if (name === CANCELLED) await engine.cancelTask(task.id);
    else expect(status).toBe("COMPLETED");
    expect(seen.length).toBeGreaterThan(0);
    expect(new Set(seen)).toEqual(new Set(["all of it"]));
  });

  test("a step of a plan is there from the creation on, and its first effect needs no commit of its own", async () => {
    const store = await bench.openStore();
    const seen: unknown[] = [];
    const effect = defineTool({
      name: "effect",
      input: v.unknown(),
      output: v.unknown(),
      run: async (_, { taskId }) => {
        const record = await store.readTask(taskId);
        seen.push(
          record?.steps.map(({ input_payload, execution, observed_at }) => [
            input_payload,
            execution,
            observed_at !== null,
          ]),
        );
        return null;
      },
    });
    const flow = defineFlow({
      name: "planned",
      input: v.unknown(),
      plan: () => [call(effect, 1, { as: "first" }), call(giveBack("pure", { execution: "pure" }), 2), call(effect, 3)],
    });
    let commits = 0;
    const { engine } = await working({
      flows: [flow],
      around: (given) => ({
        ...given,
        commitChanges(changes) {
          commits += 1;
          return given.commitChanges(changes);
        },
      }),
    });
    await ended(engine, await enqueue(engine, "planned"));
    const rows = (observed: boolean): unknown => [
      ["1", "at-least-once", observed],
      ["2", "pure", observed],
      ["3", "at-least-once", false],
    ];
    expect(seen).toEqual([rows(false), rows(true)]);
    expect(commits).toBe(2);
  });
});
