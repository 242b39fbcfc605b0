// The audit log: whatever a person or a token changes is written down once, with what it changes, and nothing else is.

import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import type { Actor, AuditEntry } from "../../src/core/api/audit.ts";
import { WAYS } from "../../src/core/record/audit.ts";
import type { Engine } from "../../src/engine/engine-options.ts";
import { call, defineFlow, defineTool, NonRetryableError, waitForSignal } from "../../src/sdk/taskonaut.ts";
import { benchOn } from "../support/bench.ts";
import { DATABASES } from "../support/databases.ts";
import { rejection } from "../support/rejection.ts";

const pay = defineTool({
  name: "pay",
  input: v.unknown(),
  output: v.unknown(),
  limits: { name: "bank", running: 5 },
  run() {
    throw new NonRetryableError("broken");
  },
});
const once = defineTool({
  name: "once",
  input: v.unknown(),
  output: v.unknown(),
  execution: "at-most-once",
  timeout: "20ms",
  run: () => new Promise(() => {}),
});
const pays = defineFlow({
  name: "pays",
  input: v.unknown(),
  *run() {
    return yield* call(pay, null);
  },
});
const doubts = defineFlow({
  name: "doubts",
  input: v.unknown(),
  *run() {
    return yield* call(once, null);
  },
});
const asks = defineFlow({
  name: "asks",
  input: v.unknown(),
  signals: { go: v.object({ card: v.string() }) },
  *run() {
    return yield* waitForSignal("go");
  },
});
const flows = [pays, doubts, asks];

const DAILY = { flow: "asks", cron: "0 3 * * *", timeZone: "UTC", input: {} } as const;

interface Doing {
  readonly action: string;
  readonly before?: unknown;
  readonly after?: unknown;
  /** Gives the target, and what is then done to it. */
  readonly prepare: (engine: Engine) => Promise<readonly [target: string, act: () => Promise<unknown>]>;
}

const created = async (engine: Engine, flow: string): Promise<string> => {
  const { task } = await engine.createTask({ flow, input: {} });
  await engine.runTask(task.id);
  return task.id;
};

let number = 0;
const nameOf = (what: string): string => `${what}-${++number}`;

const DOINGS: readonly Doing[] = [
  {
    action: "cancel-task",
    before: { status: "WAITING_OBSERVATION" },
    after: { force: false },
    async prepare(engine) {
      const id = await created(engine, "asks");
      return [id, () => engine.cancelTask(id)];
    },
  },
  {
    action: "cancel-task",
    after: { force: true },
    async prepare(engine) {
      const id = await created(engine, "asks");
      return [id, () => engine.cancelTask(id, { force: true })];
    },
  },
  {
    action: "signal-task",
    before: { status: "WAITING_OBSERVATION" },
    after: { signal: "go" },
    async prepare(engine) {
      const id = await created(engine, "asks");
      return [id, () => engine.signalTask(id, { name: "go", payload: { card: "4111 1111" } })];
    },
  },
  {
    action: "retry-task",
    before: expect.objectContaining({ status: "FAILED" }),
    after: { status: "RUNNING" },
    async prepare(engine) {
      const id = await created(engine, "pays");
      return [id, () => engine.retryTask(id)];
    },
  },
  {
    action: "resolve",
    before: expect.objectContaining({ step: 1 }),
    after: { step: 1, resolution: "output" },
    async prepare(engine) {
      const id = await created(engine, "doubts");
      return [id, () => engine.resolveTask(id, { resolution: { kind: "output", output: "done" } })];
    },
  },
  {
    action: "fork-task",
    after: expect.objectContaining({ from: 1 }),
    async prepare(engine) {
      const id = await created(engine, "pays");
      return [id, () => engine.forks.create(id, { from: 1 })];
    },
  },
  {
    action: "retry-tasks",
    after: { filter: { flow: ["pays"], status: ["FAILED"] } },
    async prepare(engine) {
      await created(engine, "pays");
      const request = { action: "retry", filter: { flow: ["pays"], status: ["FAILED"] } } as const;
      const { token } = await engine.bulk.preview(request);
      return ["", () => engine.bulk.start({ ...request, token })];
    },
  },
  {
    action: "purge",
    before: expect.objectContaining({ status: "CANCELLED" }),
    async prepare(engine) {
      const id = await created(engine, "asks");
      await engine.cancelTask(id);
      return ["asks", () => engine.bulk.purge({ filter: { flow: ["asks"] }, isDryRun: false })];
    },
  },
  {
    action: "pause",
    after: { reason: "why", by: "Ada", abort: false },
    async prepare(engine) {
      return ["pay", () => engine.pauses.pause({ scope: "tool", name: "pay" }, { reason: "why", by: "Ada" })];
    },
  },
  {
    action: "unpause",
    before: { reason: "why", by: "Ada", abort: false },
    async prepare(engine) {
      return ["pay", () => engine.pauses.unpause({ scope: "tool", name: "pay" })];
    },
  },
  {
    action: "limits set",
    after: { running: 1, reason: null, by: "Ada" },
    async prepare(engine) {
      await created(engine, "pays");
      return ["tool bank", () => engine.limits.set("bank", { running: 1, by: "Ada" })];
    },
  },
  {
    action: "limits reset",
    before: expect.objectContaining({ running: 1, by: "Ada" }),
    async prepare(engine) {
      return ["tool bank", () => engine.limits.reset("bank")];
    },
  },
  {
    action: "schedules add",
    after: expect.objectContaining({ flow: "asks", cron: "0 3 * * *" }),
    async prepare(engine) {
      const name = nameOf("daily");
      return [name, () => engine.schedules.add({ ...DAILY, name })];
    },
  },
  ...(["pause", "resume", "trigger", "remove"] as const).map((act): Doing => ({
    action: `schedules ${act}`,
    async prepare(engine) {
      const name = nameOf("daily");
      await engine.schedules.add({ ...DAILY, name });
      if (act === "resume") await engine.schedules.pause(name, {});
      const { schedules } = engine;
      return [
        name,
        () =>
          act === "resume" || act === "remove"
            ? schedules[act](name)
            : act === "pause"
              ? schedules.pause(name, {})
              : schedules.trigger(name, {}),
      ];
    },
  })),
  {
    action: "schedules backfill",
    after: expect.objectContaining({ at: "2026-01-01T03:00:00.000Z" }),
    async prepare(engine) {
      const name = nameOf("daily");
      await engine.schedules.add({ ...DAILY, name });
      const times = { from: "2026-01-01T00:00:00Z", until: "2026-01-01T12:00:00Z", dryRun: false };
      return [name, () => engine.schedules.backfill(name, times)];
    },
  },
  {
    action: "tokens create",
    after: { name: "ci", role: "viewer", flows: ["asks"], hides_payloads: true, expires_in_ms: 1000 },
    async prepare(engine) {
      const request = { name: "ci", role: "viewer", flows: ["asks"], hidesPayloads: true, expiresInMs: 1000 } as const;
      return ["", () => engine.tokens.create(request)];
    },
  },
  {
    action: "tokens rotate",
    before: { name: "ci", role: "viewer", state: "active" },
    after: { name: "ci", role: "viewer", state: "active", grace_ms: 5 },
    async prepare(engine) {
      const { token } = await engine.tokens.create({ name: "ci", role: "viewer" });
      return [token.id, () => engine.tokens.rotate(token.id, 5)];
    },
  },
  {
    action: "tokens revoke",
    before: { name: "ci", role: "viewer", state: "active" },
    after: { name: "ci", role: "viewer", state: "revoked" },
    async prepare(engine) {
      const { token } = await engine.tokens.create({ name: "ci", role: "viewer" });
      return [token.id, () => engine.tokens.revoke(token.id)];
    },
  },
];

async function logOf(engine: Engine): Promise<readonly AuditEntry[]> {
  return (await engine.audit.list({ limit: 1000 })).entries;
}

describe.each(DATABASES)("the audit log on %s", (_name, create) => {
  const bench = benchOn(create);

  const open = (): Promise<Engine> =>
    bench.openEngine({
      flows,
      limits: { retention: { completed: null, failed: null, cancelled: 0 } },
    });

  for (const way of WAYS) {
    const actor: Actor = {
      who: `somebody by ${way}`,
      tokenId: way === "cli" ? undefined : "abc",
      role: "operator",
      way,
      reason: "because",
      requestId: "request-1",
      address: "192.0.2.1",
    };
    test.each(DOINGS)(`has one entry of $action by ${way}`, async ({ action, before, after, prepare }) => {
      const engine = await open();
      const [target, act] = await prepare(engine);
      const earlier = await logOf(engine);
      await engine.audit.acting(actor, act);
      const entries = (await logOf(engine)).slice(0, -earlier.length || undefined);
      expect(entries).toHaveLength(1);
      const [entry] = entries;
      expect(entry).toMatchObject({
        seq: earlier.length + 1,
        who: actor.who,
        token_id: actor.tokenId ?? null,
        role: "operator",
        way,
        action,
        reason: "because",
        request_id: "request-1",
        address: "192.0.2.1",
      });
      if (target !== "") expect(entry?.target.id).toBe(target);
      if (before !== undefined) expect(entry?.before).toEqual(before as never);
      if (after !== undefined) expect(entry?.after).toEqual(after as never);
      // what is in payloads, and secrets, are nobody's to read here
      expect(JSON.stringify(entry)).not.toMatch(/4111 1111|tkn_/);
      expect(await engine.audit.verify()).toMatchObject({ intact: true, entries: earlier.length + 1 });
    });
  }

  test("has nothing of what a worker does, or is refused, or changes nothing", async () => {
    const engine = await open();
    const earlier = (await logOf(engine)).length;
    const actor: Actor = { who: "somebody", role: "admin", way: "cli" };
    const id = await created(engine, "asks");
    await engine.signalTask(id, { name: "go", payload: { card: "4111 1111" } });
    await engine.runTask(id);
    const refused: readonly (() => Promise<unknown>)[] = [
      () => engine.signalTask(id, { name: "go", payload: { card: "4111 1111" } }),
      () => engine.retryTask(id),
      () => engine.resolveTask(id, { resolution: { kind: "retry" } }),
      () => engine.forks.create(id, { from: 99 }),
      () => engine.pauses.pause({ scope: "flow", name: "nobody" }),
      () => engine.pauses.unpause({ scope: "flow", name: "asks" }),
      () => engine.limits.set("nothing", { running: 1 }),
      () => engine.schedules.remove("nothing"),
      () => engine.tokens.revoke("nothing"),
      () => engine.tokens.rotate("nothing", 0),
      () => engine.tokens.create({ name: "", role: "admin" }),
    ];
    for (const act of refused) await rejection(engine.audit.acting(actor, act));
    await engine.audit.acting(actor, () => engine.cancelTask(id));
    await engine.audit.acting(actor, () => engine.resumeTask(id));
    await engine.audit.acting(actor, () => created(engine, "pays"));
    expect(await logOf(engine)).toHaveLength(earlier);
  });

  test("has a second revocation of a token only once, and the same signal", async () => {
    const engine = await open();
    const earlier = (await logOf(engine)).length;
    const actor: Actor = { who: "somebody", role: "admin", way: "cli" };
    const id = await created(engine, "asks");
    const { token } = await engine.tokens.create({ name: "ci", role: "viewer" });
    for (let times = 0; times < 2; times++) {
      await engine.audit.acting(actor, () => engine.tokens.revoke(token.id));
      const signal = { name: "go", payload: { card: "4111 1111" }, idempotencyKey: "one" };
      await engine.audit.acting(actor, () => engine.signalTask(id, signal));
    }
    expect(await logOf(engine)).toHaveLength(earlier + 2);
  });

  test("refuses a reason that is none", async () => {
    const engine = await open();
    for (const reason of ["", "x".repeat(1001), "a\0b"]) {
      const actor: Actor = { who: "somebody", role: "admin", way: "cli", reason };
      const refusal = async (): Promise<unknown> => engine.audit.acting(actor, async () => 1);
      expect(await rejection(refusal())).toMatchObject({ code: "input_invalid" });
    }
  });
});
