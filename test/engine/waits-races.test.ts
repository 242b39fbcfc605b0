// What comes from another process comes at any moment: before or after any write of whoever drives the task, while it is
// driven or left to wait. It is never lost.

import { describe, expect, setDefaultTimeout, test } from "bun:test";
import * as v from "valibot";
import type { Flow } from "../../src/core/flow/flow.ts";
import { childTaskId } from "../../src/core/record/ids.ts";
import { isTerminal } from "../../src/core/record/status.ts";
import type { Task } from "../../src/core/api/task.ts";
import type { Taskonaut } from "../../src/core/api/taskonaut.ts";
import { all, call, defineFlow, defineTool, race, runChild, sleep, waitForSignal } from "../../src/sdk/taskonaut.ts";
import { FLOWS, forever, held, note, patient, work } from "../support/construct-flows.ts";
import { DATABASES } from "../support/databases.ts";
import { World } from "../support/mortal-store.ts";
import { breaches } from "../support/scripts.ts";
import { useWorlds } from "../support/worlds.ts";
import { recordsOf } from "../support/listed.ts";

// a task is run for each of its moments, on a machine that may be busy
setDefaultTimeout(120_000);

const anything = v.unknown();

const signalled = defineFlow({
  name: "signalled",
  input: anything,
  signals: { go: anything },
  *run() {
    yield* call(work, "before");
    const [signal] = yield* all([waitForSignal("go"), call(work, "beside")]);
    return { signal, after: yield* call(note, "after") };
  },
});

/** A tool runs all the time: only whoever drives it can hear of the signal. */
const interrupted = defineFlow({
  name: "interrupted",
  input: anything,
  signals: { go: anything },
  *run() {
    yield* call(work, "before");
    const won = yield* race([call(forever, null), waitForSignal("go")]);
    return { won, after: yield* call(work, "after") };
  },
});

const holding = { tell: () => {} };

/** Tells that it runs, and runs all the time. */
const hold = defineTool({
  name: "hold",
  input: forever.input,
  output: forever.output,
  retry: { attempts: 1 },
  timeout: 10_000_000,
  run(value, context) {
    holding.tell();
    return forever.run(value, context);
  },
});

const cancellable = defineFlow({
  name: "cancellable",
  input: anything,
  *run() {
    try {
      yield* call(work, "reserve");
      yield* call(note, "think");
      yield* race([call(hold, null), sleep("1000d")]);
    } finally {
      yield* call(work, "release");
    }
  },
});

const parent = defineFlow({
  name: "parent",
  input: anything,
  *run() {
    yield* call(work, "before");
    const [child] = yield* all([runChild(patient, "x"), call(work, "beside")]);
    return { child, after: yield* call(work, "after") };
  },
});

const parentOfHeld = defineFlow({
  name: "parent_of_held",
  input: anything,
  *run() {
    yield* call(note, "before"); // pure: the task is not leased when it comes to the child
    yield* runChild(held, null);
  },
});

const flows: readonly Flow[] = [...FLOWS, signalled, interrupted, cancellable, parent, parentOfHeld];

/** More writes than any of these tasks makes. */
const WRITES_MAX = 60;

describe.each(DATABASES)("on %s", (_name, create) => {
  const worlds = useWorlds(create);

  /**
   * Runs a new task once for each moment of its life; just then `post` comes from another engine. `check` looks at the
   * task after one more run, as a worker that was woken would make it. Gives how many moments there were.
   */
  async function atEveryMoment(
    flow: Flow,
    post: (other: Taskonaut, id: string) => Promise<unknown>,
    check: (task: Task, world: World) => Promise<void> | void,
  ): Promise<number> {
    for (let write = 2; write <= WRITES_MAX; write++) {
      for (const side of ["before", "after"] as const) {
        const world = new World(worlds.store, flows);
        const { task: created } = await world.engine().engine.createTask({ flow: flow.name, input: null });
        const other = world.engine().engine;
        let posted: Promise<unknown> | undefined;
        world.listener = async (moment) => {
          if (posted || moment.write < write || (moment.write === write && moment.side !== side)) return undefined;
          posted = post(other, created.id);
          await Promise.race([posted, Bun.sleep(20)]); // a cancel runs the task, which waits for this very write
          return undefined;
        };
        const { engine } = world.engine();
        await engine.runTask(created.id);
        const isPast = posted === undefined;
        if (isPast) posted = post(other, created.id); // it comes while the task is left to wait
        await posted;
        const task = await engine.runTask(created.id);
        await check(task, world);
        const record = await world.read(created.id);
        expect(record && breaches(record)).toEqual([]);
        await world.end();
        if (isPast) return write;
      }
    }
    throw new Error(`The task makes more than ${WRITES_MAX} writes.`);
  }

  test("a signal that comes at any moment is taken", async () => {
    const moments = await atEveryMoment(
      signalled,
      (other, id) => other.signalTask(id, { name: "go", payload: "now" }),
      (task) => {
        expect(task.status).toBe("COMPLETED");
        expect(task.output_payload).toEqual({ signal: "now", after: "after" });
      },
    );
    expect(moments).toBeGreaterThan(4);
  });

  test("a cancel that comes at any moment lets the flow clean up once", async () => {
    let cleanUps = 0;
    // nobody would end its race but the cancel
    for (let write = 2; write <= 8; write++) {
      const world = new World(worlds.store, flows);
      const { task: created } = await world.engine().engine.createTask({ flow: "cancellable", input: null });
      const other = world.engine().engine;
      const first = world.engine();
      let posted: Promise<unknown> | undefined;
      world.listener = async (moment) => {
        if (!posted && moment.write >= write) {
          posted = other.cancelTask(created.id);
          await Promise.race([posted, Bun.sleep(20)]);
        }
        return undefined;
      };
      const holds = new Promise<void>((resolve) => (holding.tell = resolve));
      const running = first.engine.runTask(created.id);
      await Promise.race([running, holds]);
      posted ??= other.cancelTask(created.id);
      await running;
      await posted;
      const task = await other.getTask(created.id);
      expect(task.status).toBe("CANCELLED");
      const released = task.steps.filter((step) => JSON.stringify(step.input_payload) === '"release"');
      const reserved = task.steps.some((step) => JSON.stringify(step.input_payload) === '"reserve"');
      expect(released.map((step) => step.status)).toEqual(reserved ? ["COMPLETED"] : []);
      cleanUps += released.length;
      const record = await world.read(created.id);
      expect(record && breaches(record)).toEqual([]);
      await world.end();
    }
    expect(cleanUps).toBeGreaterThan(4);
  });

  test("a signal that comes while a tool runs ends the race, in whichever process the tool runs", async () => {
    for (const moment of [0, 1, 2, 5, 10]) {
      const world = new World(worlds.store, flows);
      const { task: created } = await world.engine().engine.createTask({ flow: "interrupted", input: null });
      const running = world.engine().engine.runTask(created.id);
      await Bun.sleep(moment);
      await world.engine().engine.signalTask(created.id, { name: "go", payload: moment });
      const task = await running;
      expect(task.output_payload).toEqual({ won: moment, after: "after" });
      await world.end();
    }
  });

  test("the end of a child that another process drives is never lost", async () => {
    await atEveryMoment(
      parent,
      async (other, id) => {
        const child = (await worlds.store.readTask(id))?.steps.find((step) => step.kind === "child");
        const childId = child && childTaskId(child.id);
        if (!childId || !(await worlds.store.readTask(childId))) return;
        await other.signalTask(childId, { name: "go", payload: { go: "on" } });
        await other.runTask(childId);
      },
      async (task, world) => {
        // where the child was not there yet, its signal comes now
        if (!isTerminal(task.status)) {
          const childId = task.waiting_for.find(({ kind }) => kind === "child")?.task_id ?? "";
          const { engine } = world.engine();
          await engine.signalTask(childId, { name: "go", payload: { go: "on" } });
          await engine.runTask(childId);
        }
        const ended = await world.engine().engine.runTask(task.id);
        expect(ended.output_payload).toEqual({ child: { patient: { go: "on" } }, after: "after" });
      },
    );
  });

  test("a parent that is cancelled at any moment leaves no child behind", async () => {
    await atEveryMoment(
      parentOfHeld,
      (other, id) => other.cancelTask(id),
      async (task, world) => {
        expect(task.status).toBe("CANCELLED");
        // not those of its steps: a child could be left behind by a step that was never recorded
        const children = recordsOf(await worlds.store.listTasks({ limit: 20 })).filter(
          (other) => other.task.parent_task_id === task.id,
        );
        for (const { task: child } of children) {
          expect((await world.engine().engine.runTask(child.id)).status).toBe("CANCELLED");
        }
      },
    );
  });

  test("two engines that run one task together come to one end", async () => {
    for (const flow of [...flows].filter(({ name }) => ["calls", "branches", "maps", "catches"].includes(name))) {
      const world = new World(worlds.store, flows);
      const { task: created } = await world.engine().engine.createTask({ flow: flow.name, input: null });
      const ends = await Promise.all([1, 2, 3].map(() => world.engine().engine.runTask(created.id)));
      expect(new Set(ends.map((task) => JSON.stringify(task.output_payload))).size).toBe(1);
      const record = await world.read(created.id);
      expect(record && breaches(record)).toEqual([]);
      await world.end();
    }
  });
});
