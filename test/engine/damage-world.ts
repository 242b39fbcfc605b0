// A database in which every table has rows of many kinds, made by engines that work as ever.

import * as v from "valibot";
import type { Flow } from "../../src/core/flow/flow.ts";
import { DELAY_RANGES } from "../../src/core/record/delays.ts";
import { call, defineFlow, runChild, sleep, waitForSignal } from "../../src/sdk/taskonaut.ts";
import type { Store } from "../../src/store/store.ts";
import { engineOn } from "../support/engine.ts";
import { FLOWS as SOLD } from "../support/openapi-flows.ts";
import { enqueue, waiting } from "../support/queue.ts";
import { Gate, giveBack } from "../support/tools.ts";
import { until } from "../support/until.ts";

/** Longer than a text that is kept in its row. */
const LONG = "long ".repeat(1000);

const limited = new Gate("limited");

const child = defineFlow({
  name: "child",
  input: v.unknown(),
  signals: { go: v.unknown() },
  *run() {
    yield* call(giveBack("give"), LONG);
    yield* waitForSignal("go");
  },
});
const parent = defineFlow({
  name: "parent",
  input: v.unknown(),
  tags: () => ({ customer: "c1" }),
  unique: { key: () => "only" },
  *run() {
    return yield* runChild(child, 1);
  },
});
const queued = defineFlow({
  name: "queued",
  input: v.object({ n: v.number() }),
  limits: { running: 5, runningPerKey: 2, rate: { count: 1000, per: "1h" }, key: ({ n }) => `key ${n}` },
  *run({ n }) {
    const limits = {
      name: "limited",
      running: 1,
      runningPerKey: null,
      rate: { count: 1000, perMs: 3_600_000 },
      key: undefined,
    };
    return yield* call({ ...limited.tool, limits }, n);
  },
});
const gives = defineFlow({
  name: "gives",
  input: v.unknown(),
  schedules: [{ name: "of_file", every: "1h", input: 1 }],
  *run(input) {
    yield* call(giveBack("give"), input);
    yield* sleep("30d");
  },
});

export const FLOWS: readonly Flow[] = [
  ...SOLD,
  parent,
  child,
  queued,
  { ...gives, file: "/flows/gives.ts", code: "c1" },
];

export interface World {
  /** By what became of them. */
  readonly ids: Readonly<Record<string, string>>;
  readonly token: string;
  readonly secret: string;
  readonly session: string;
  readonly close: () => Promise<void>;
}

const ACTOR = { who: "ada", role: "admin", way: "cli", reason: "why" } as const;

export async function makeWorld(open: () => Promise<Store>): Promise<World> {
  const store = await open();
  const engine = engineOn(store, { flows: FLOWS, limits: { graceMs: 0 } });
  const crew = engineOn(await open(), { flows: FLOWS, limits: { graceMs: 0 } });
  return engine.audit.acting(ACTOR, async () => {
    const start = async (flow: string, input: unknown, run = true): Promise<string> => {
      const { task } = await engine.createTask({ flow, input });
      if (run) await engine.runTask(task.id).catch(() => {});
      return task.id;
    };
    const ci = await engine.tokens.create({ name: "ci", role: "viewer", flows: ["order"] });
    const { token, secret } = await engine.tokens.create({ name: "grafana", role: "viewer" });
    await engine.tokens.rotate(token.id, 3_600_000);
    const session = await engine.sessions.open(secret);
    await engine.schedules.add({ name: "hourly", flow: "echo_add", every: "1h", input: {} });
    await engine.schedules.add({ name: "nightly", flow: "echo_add", cron: "0 3 * * *", input: {} });
    await store.events.listen(600_000);
    const done = await start("echo_add", { text: LONG });
    const failed = await start("other", null);
    const waits = await start("order", { sku: "ab" });
    const doubtful = await start("order", { sku: "ab" });
    await engine.signalTask(doubtful, { name: "approved", payload: { by: "ada" }, idempotencyKey: "k" });
    await engine.runTask(doubtful);
    const naps = await start("naps", {});
    const long = await start("gives", { text: LONG });
    const signalled = await start("order", { sku: "ab" });
    await engine.signalTask(signalled, { name: "approved", payload: { by: LONG } });
    const undone = await start("naps", {});
    await engine.cancelTask(undone, { force: true });
    const { task: forked } = await engine.forks.create(done, { from: 2 });
    const above = await enqueue(engine, "parent", { input: null });
    await crew.startWorker({ concurrency: 5 });
    await enqueue(engine, "queued", { input: { n: 1 } });
    await limited.called(1);
    const line = await enqueue(engine, "queued", { input: { n: 2 } });
    await until(async () => (await store.figures.ofTickets()).some((each) => each.waiting > 0));
    await waiting(engine, above, "child");
    const below = (await engine.getTask(above)).waiting_for[0]?.task_id ?? "";
    await waiting(engine, below, "signal");
    const idle = await start("echo_add", {}, false);
    await store.counters.write(Bun.randomUUIDv7(), [
      {
        flow_name: "echo_add",
        begins_at: null,
        created: 1,
        completed: 1,
        failed: 0,
        cancelled: 0,
        delays: Array.from({ length: DELAY_RANGES }, () => 1),
      },
    ]);
    await engine.pauses.pause({ scope: "tool", name: "none" }, { reason: "why" });
    const due = await enqueue(engine, "naps", { input: {}, expiresIn: 86_400_000, start: Date.now() + 3_600_000 });
    await engine.limits.set("queued", { running: 4, reason: "why" });
    return {
      ids: {
        done,
        failed,
        waits,
        doubtful,
        naps,
        long,
        signalled,
        undone,
        forked: forked.id,
        above,
        below,
        line,
        idle,
        due,
      },
      token: token.id,
      secret: ci.secret,
      session: session?.secret ?? "",
      async close() {
        await engine.close();
        limited.end(0, 1);
        await crew.close();
      },
    };
  });
}
