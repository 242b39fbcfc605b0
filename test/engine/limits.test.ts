// Limits of flows and tools, by engines over both stores: what runs at any moment is counted in the tools themselves.

import { describe, expect, test } from "bun:test";
import * as v from "valibot";

import { defineFlow, type Flow } from "../../src/core/flow/flow.ts";
import { all, call, map, race, sleep, waitForSignal } from "../../src/core/flow/operation.ts";
import type { LimitOptions, ToolLimitOptions } from "../../src/core/flow/own-limits.ts";
import { defineTool, type Tool } from "../../src/core/flow/tool.ts";
import { turn } from "../support/fake-clock.ts";
import { clock } from "../support/pausable.ts";
import { DATABASES } from "../support/databases.ts";
import { ended, enqueue, waiting, when } from "../support/queue.ts";
import { faultyStore } from "../support/faulty-store.ts";
import { Gate } from "../support/tools.ts";
import { until } from "../support/until.ts";
import { TaskonautError } from "../../src/core/errors.ts";
import type { Store } from "../../src/store/store.ts";
import { flowOf, workerBench } from "./worker-bench.ts";

interface Mail {
  readonly tenant: string;
  readonly n: number;
}

/** Counts what runs. */
class Observer {
  readonly order: Mail[] = [];
  most = 0;
  mostOfKey = 0;
  readonly #running: string[] = [];

  tool(limits?: ToolLimitOptions<Mail>): Tool<Mail> {
    return defineTool({
      name: "send",
      input: v.object({ tenant: v.string(), n: v.number() }),
      output: v.null(),
      ...(limits && { limits }),
      run: async (mail) => {
        this.order.push(mail);
        this.#running.push(mail.tenant);
        this.most = Math.max(this.most, this.#running.length);
        const ofKey = this.#running.filter((tenant) => tenant === mail.tenant);
        this.mostOfKey = Math.max(this.mostOfKey, ofKey.length);
        for (let n = 0; n < 5; n++) await turn();
        this.#running.splice(this.#running.indexOf(mail.tenant), 1);
        return null;
      },
    }) as Tool<Mail>;
  }
}

const mailing = (send: Tool<Mail>, limits?: LimitOptions<Mail>): Flow =>
  defineFlow({
    name: `mail_${crypto.randomUUID().replaceAll("-", "")}`,
    input: v.object({ tenant: v.string(), n: v.number() }),
    ...(limits && { limits }),
    *run(mail) {
      yield* call(send, mail);
    },
  }) as Flow;

describe.each(DATABASES)("limits on %s", (_name, create) => {
  const { bench, working } = workerBench(create);

  const run = async (flow: Flow, mails: readonly Mail[]): Promise<void> => {
    const engine = await bench.openEngine({ flows: [flow] });
    const ids: string[] = [];
    for (const mail of mails) ids.push(await enqueue(engine, flow.name, { input: mail }));
    for (let n = 0; n < 3; n++) await working({ flows: [flow], concurrency: 4 });
    for (const id of ids) expect(await ended(engine, id)).toMatchObject({ status: "COMPLETED" });
  };
  const mails = Array.from({ length: 24 }, (_, n) => ({ tenant: `tenant ${n % 3}`, n }));

  test("of a flow no more run at once than its limits say, and those of a key in order", async () => {
    const observer = new Observer();
    await run(mailing(observer.tool(), { running: 2, key: ({ tenant }) => tenant, runningPerKey: 1 }), mails);
    expect(observer.most).toBe(2);
    expect(observer.mostOfKey).toBe(1);
    for (const tenant of ["tenant 0", "tenant 1", "tenant 2"]) {
      const order = observer.order.filter((mail) => mail.tenant === tenant).map(({ n }) => n);
      expect(order).toEqual(order.toSorted((a, b) => a - b));
      expect(order).toHaveLength(8);
    }
  });

  test("of a tool no more run at once than its limits say, whatever flow calls it", async () => {
    const observer = new Observer();
    const limits = {
      name: `api_${crypto.randomUUID()}`.replaceAll("-", "_"),
      running: 3,
      key: ({ tenant }: Mail) => tenant,
      runningPerKey: 2,
    };
    await run(mailing(observer.tool(limits)), mails);
    expect(observer.most).toBeLessThanOrEqual(3);
    expect(observer.most).toBeGreaterThan(1);
    expect(observer.mostOfKey).toBeLessThanOrEqual(2);
    expect(observer.order).toHaveLength(24);
  });

  const limitedGate = (running: number): { gate: Gate; name: string; flow: Flow } => {
    const name = `api_${crypto.randomUUID()}`.replaceAll("-", "_");
    const gate = new Gate("busy");
    const tool = { ...gate.tool, limits: { name, running, runningPerKey: null, rate: null, key: undefined } };
    return { gate, name, flow: flowOf((input) => call(tool, input)[Symbol.iterator]()) };
  };

  test("who gets no ticket lets go of its place, says what it waits for, and is woken when it has one", async () => {
    const { gate, name, flow } = limitedGate(1);
    const { engine } = await working({ flows: [flow], concurrency: 5 });
    const first = await enqueue(engine, flow.name);
    await gate.called(1);
    const second = await enqueue(engine, flow.name);
    const blocked = await waiting(engine, second, "limit");
    expect(blocked).toMatchObject({ status: "WAITING_OBSERVATION", lease_owner: null });
    expect(blocked.waiting_for).toMatchObject([{ kind: "limit", name }]);
    expect(gate.calls).toHaveLength(1);
    gate.end(0, null);
    await gate.called(2);
    gate.end(1, null);
    for (const id of [first, second]) expect(await ended(engine, id)).toMatchObject({ status: "COMPLETED" });
    const store = await bench.openStore();
    const isFree = async (): Promise<boolean> =>
      (await store.limits.list()).some((limit) => limit.name === name && limit.waiting === 0 && limit.running === 0);
    await until(isFree);
  });

  test("a task that is cancelled while it waits, or while it runs, gives its ticket to the next", async () => {
    const { gate, flow } = limitedGate(1);
    const { engine } = await working({ flows: [flow], concurrency: 5 });
    const running = await enqueue(engine, flow.name);
    await gate.called(1);
    const waits = await enqueue(engine, flow.name);
    await waiting(engine, waits, "limit");
    const next = await enqueue(engine, flow.name);
    await waiting(engine, next, "limit");
    await engine.cancelTask(waits);
    await ended(engine, waits);
    const cancelling = engine.cancelTask(running);
    await until(async () => gate.calls[0]?.signal.aborted === true);
    // what listens to no abort runs on, and keeps its ticket
    expect(gate.calls).toHaveLength(1);
    gate.end(0, null);
    await cancelling;
    await ended(engine, running);
    await gate.called(2);
    gate.end(1, null);
    expect(await ended(engine, next)).toMatchObject({ status: "COMPLETED" });
  });

  test("a step that has lost a race keeps its place until its tool has ended, also after its task", async () => {
    const { gate, name, flow } = limitedGate(1);
    const tool = { ...gate.tool, limits: { name, running: 1, runningPerKey: null, rate: null, key: undefined } };
    const races = flowOf(function* () {
      return yield* race([call(tool, null), sleep("1ms")]);
    });
    const { engine } = await working({ flows: [flow, races], concurrency: 5 });
    const lost = await enqueue(engine, races.name);
    await gate.called(1);
    expect(await ended(engine, lost)).toMatchObject({ status: "COMPLETED" });
    const next = await enqueue(engine, flow.name);
    await waiting(engine, next, "limit");
    const store = await bench.openStore();
    expect((await store.limits.settle()).woken).toEqual([]);
    expect(gate.calls).toHaveLength(1);
    gate.end(0, null);
    await gate.called(2);
    gate.end(1, null);
    expect(await ended(engine, next)).toMatchObject({ status: "COMPLETED" });
  });

  test("a place is not lost where the database was away when it was to be given back", async () => {
    const { gate, flow } = limitedGate(1);
    const clear = Promise.withResolvers<void>();
    let refused = 0;
    const around = (store: Store): Store => ({
      ...store,
      limits: {
        ...store.limits,
        giveBack: (limit, given) => {
          if (refused++ > 0) return store.limits.giveBack(limit, given);
          clear.resolve();
          return Promise.reject(new TaskonautError("database_unavailable", "It is away."));
        },
      },
    });
    const { engine } = await working({ flows: [flow], concurrency: 5, around });
    const first = await enqueue(engine, flow.name);
    await gate.called(1);
    gate.end(0, null);
    await clear.promise;
    await ended(engine, first);
    const second = await enqueue(engine, flow.name);
    await gate.called(2);
    gate.end(1, null);
    expect(await ended(engine, second)).toMatchObject({ status: "COMPLETED" });
  });

  for (const how of ["a worker", "a caller"] as const) {
    test(`whatever answer of the database gets lost, ${how} loses no place`, async () => {
      for (let at = 1; at <= 8; at++) {
        const name = `api_${crypto.randomUUID()}`.replaceAll("-", "_");
        const flow = mailing(new Observer().tool({ name, running: 1 }));
        let isLost = false;
        const around = (store: Store): Store =>
          faultyStore(store, async (number, write) => {
            const result = await write();
            if (number !== at) return result;
            isLost = true;
            throw new TaskonautError("database_unavailable", "The answer is lost.");
          });
        const engine = await bench.openEngine({ flows: [flow], around });
        const createOne = async (n: number): Promise<string> => {
          const request = { flow: flow.name, input: { tenant: "t", n }, idempotencyKey: `${name} ${n}` };
          const ask = () => engine.createTask({ ...request, ...(how === "a worker" && { start: "now" as const }) });
          return (await ask().catch(ask)).task.id;
        };
        const first = await createOne(1);
        if (how === "a worker")
          await engine.startWorker({ concurrency: 2 }).catch(() => engine.startWorker({ concurrency: 2 }));
        else await engine.runTask(first).catch(() => engine.runTask(first));
        expect(await ended(engine, first)).toMatchObject({ status: "COMPLETED" });
        const second = await createOne(2);
        if (how === "a caller") await engine.runTask(second).catch(() => engine.runTask(second));
        expect(await ended(engine, second)).toMatchObject({ status: "COMPLETED" });
        if (!isLost) break;
        await engine.close();
      }
    });
  }

  test("by hand too: a step waits for its ticket, and runs when it is asked for again", async () => {
    const { gate, flow } = limitedGate(1);
    const engine = await bench.openEngine({ flows: [flow] });
    const other = await bench.openEngine({ flows: [flow] });
    const { task: one } = await engine.createTask({ flow: flow.name, input: 1 });
    const { task: two } = await other.createTask({ flow: flow.name, input: 2 });
    const running = engine.runTask(one.id);
    await gate.called(1);
    expect(await other.runTask(two.id)).toMatchObject({ waiting_for: [{ kind: "limit" }] });
    gate.end(0, null);
    expect(await running).toMatchObject({ status: "COMPLETED" });
    await when(other, two.id, ({ due_at }) => due_at !== null && Date.parse(due_at) <= Date.now());
    const again = other.runTask(two.id);
    await gate.called(2);
    gate.end(1, null);
    expect(await again).toMatchObject({ status: "COMPLETED" });
  });

  for (const pauses of ["the tool", "the flow"] as const) {
    test(`a step that is held back by a pause of ${pauses} lets others have its ticket, and asks again afterwards`, async () => {
      const limits = { name: `api_${crypto.randomUUID()}`.replaceAll("-", "_"), running: 1 };
      const running = new Set<string>();
      let most = 0;
      const slow = (name: string): { tool: Tool; begun: () => number; end: () => void } => {
        const end = Promise.withResolvers<null>();
        let begun = 0;
        const tool = defineTool({
          name,
          input: v.unknown(),
          output: v.null(),
          execution: "at-least-once",
          limits,
          run: async (_input, { signal }) => {
            begun += 1;
            running.add(name);
            most = Math.max(most, running.size);
            const told = new Promise<never>((_, reject) =>
              signal.addEventListener("abort", () => reject(signal.reason as Error)),
            );
            await Promise.race([end.promise, told]).finally(() => running.delete(name));
            return null;
          },
        });
        return { tool, begun: () => begun, end: () => end.resolve(null) };
      };
      const [held, other] = [slow("held"), slow("other")];
      const flows = [held, other].map(({ tool }) => flowOf((input) => call(tool, input)[Symbol.iterator]()));
      const [first, second] = flows.map(({ name }) => name) as [string, string];
      const engine = await bench.openEngine({ flows, clock });
      const [one, two] = [
        (await engine.createTask({ flow: first, input: 1 })).task.id,
        (await engine.createTask({ flow: second, input: 2 })).task.id,
      ];
      const target =
        pauses === "the tool" ? ({ scope: "tool", name: "held" } as const) : ({ scope: "flow", name: first } as const);
      const held1 = engine.runTask(one).catch((error: unknown) => error);
      await until(async () => held.begun() === 1);
      await engine.pauses.pause(target, { abort: true });
      await held1;
      const ran = engine.runTask(two);
      await until(async () => other.begun() === 1);
      await engine.pauses.unpause(target);
      // the same engine still knows the first task
      expect(await engine.runTask(one)).toMatchObject({ waiting_for: [{ kind: "limit", name: limits.name }] });
      other.end();
      expect(await ran).toMatchObject({ status: "COMPLETED" });
      held.end();
      await until(async () => (await engine.runTask(one)).status === "COMPLETED");
      expect(most).toBe(1);
    });
  }

  test("by hand, the first step of a task that is created and run at once has its ticket at once", async () => {
    const observer = new Observer();
    const name = `api_${crypto.randomUUID()}`.replaceAll("-", "_");
    const flow = mailing(observer.tool({ name, running: 1 }));
    const engine = await bench.openEngine({ flows: [flow] });
    for (const n of [1, 2]) {
      const task = await (await engine.results.begin({ flow: flow.name, input: { tenant: "t", n } })).run();
      expect(task.status).toBe("COMPLETED");
    }
  });

  test("beside other steps: what has a ticket runs, what has none waits, and a lost race gives it back", async () => {
    const observer = new Observer();
    const name = `api_${crypto.randomUUID()}`.replaceAll("-", "_");
    const send = observer.tool({ name, running: 2 });
    const flow = flowOf(function* () {
      const items = Array.from({ length: 7 }, (_, n) => ({ tenant: "t", n }));
      yield* map(items, (mail) => call(send, mail), { concurrency: 7 });
      yield* race([call(send, { tenant: "t", n: 8 }), sleep("1ms")]);
      yield* all([
        call(send, { tenant: "t", n: 9 }),
        call(send, { tenant: "t", n: 10 }),
        call(send, { tenant: "t", n: 11 }),
      ]);
    });
    const { engine } = await working({ flows: [flow] });
    expect(await ended(engine, await enqueue(engine, flow.name))).toMatchObject({ status: "COMPLETED" });
    expect(observer.most).toBe(2);
  });

  test("a rate of a tool lets so many begin, and the others when their time has come", async () => {
    const observer = new Observer();
    const name = `api_${crypto.randomUUID()}`.replaceAll("-", "_");
    const flow = mailing(observer.tool({ name, rate: { count: 4, per: "1500ms" } }));
    const started = Date.now();
    await run(flow, mails.slice(0, 9));
    expect(Date.now() - started).toBeGreaterThanOrEqual(3000);
  });

  test("a key that cannot be computed fails the step, and nothing else", async () => {
    const tool = defineTool({
      name: "odd",
      input: v.unknown(),
      output: v.null(),
      limits: { running: 1, key: (input) => (input as { a: { b: string } }).a.b },
      run: () => null,
    });
    const flow = flowOf(function* () {
      try {
        yield* call(tool, {});
      } catch (error) {
        return (error as Error).message;
      }
      return undefined;
    });
    const { engine } = await working({ flows: [flow] });
    const task = await ended(engine, await enqueue(engine, flow.name));
    expect(task.status).toBe("COMPLETED");
    expect(task.output_payload).toMatch(/undefined/);
  });

  test("a task that waits for a signal after its tool has run holds no ticket", async () => {
    const gate = new Gate("busy");
    const name = `api_${crypto.randomUUID()}`.replaceAll("-", "_");
    const tool = { ...gate.tool, limits: { name, running: 1, runningPerKey: null, rate: null, key: undefined } };
    const flow = flowOf(function* () {
      yield* call(tool, null);
      yield* waitForSignal("go");
    });
    const { engine } = await working({ flows: [flow] });
    const one = await enqueue(engine, flow.name);
    await gate.called(1);
    gate.end(0, null);
    await waiting(engine, one, "signal");
    const two = await enqueue(engine, flow.name);
    await gate.called(2);
    gate.end(1, null);
    await waiting(engine, two, "signal");
  });
});
