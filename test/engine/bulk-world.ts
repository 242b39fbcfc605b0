// Flows for tests of operations on many tasks, and what is done with them.

import { expect } from "bun:test";
import * as v from "valibot";
import { BULK_FLOW, type BulkRequest, type BulkTotals, totalsOf } from "../../src/core/api/bulk.ts";
import type { Task } from "../../src/core/api/task.ts";
import { defineFlow, type Flow } from "../../src/core/flow/flow.ts";
import { call, waitForSignal } from "../../src/core/flow/operation.ts";
import { defineTool } from "../../src/core/flow/tool.ts";
import type { Engine } from "../../src/engine/engine-options.ts";

/** A world in which a tool fails for as long as it is told to. */
export class Trouble {
  isOver = false;
  calls = 0;
  readonly tool = defineTool({
    name: "charge",
    input: v.unknown(),
    output: v.string(),
    retry: { attempts: 1 },
    run: () => {
      this.calls += 1;
      if (!this.isOver) throw new Error("connection refused");
      return "paid";
    },
  });
}

export const nameOf = (): string => `flow_${crypto.randomUUID().replaceAll("-", "")}`;

export const paying = (trouble: Trouble): Flow =>
  defineFlow({
    name: nameOf(),
    input: v.unknown(),
    *run() {
      return yield* call(trouble.tool, 1);
    },
  });

export const asking = (cleaned: string[] = []): Flow => {
  const clean = defineTool({
    name: "clean",
    input: v.string(),
    output: v.string(),
    run: (id) => {
      cleaned.push(id);
      return id;
    },
  });
  return defineFlow({
    name: nameOf(),
    input: v.unknown(),
    signals: { go: v.strictObject({ by: v.string() }) },
    *run() {
      try {
        return yield* waitForSignal("go");
      } finally {
        yield* call(clean, "cleaned");
      }
    },
  });
};

/** Shows it, starts it, and drives it here. */
export async function carryOut(engine: Engine, request: BulkRequest): Promise<{ task: Task; totals: BulkTotals }> {
  const { token } = await engine.bulk.preview(request);
  const { task } = await engine.bulk.start({ ...request, token });
  const done = await engine.runTask(task.id);
  expect(done).toMatchObject({ flow_name: BULK_FLOW, status: "COMPLETED" });
  expect(done.output_payload).toEqual(totalsOf(done) as never);
  return { task: done, totals: totalsOf(done) };
}

export const reasons = (all: BulkTotals["skipped"]): readonly (readonly [string, number])[] =>
  all.map(({ reason, tasks }) => [reason, tasks] as const);

export const make = async (engine: Engine, flow: Flow, count: number, run = true): Promise<string[]> => {
  const ids: string[] = [];
  for (let n = 0; n < count; n++) {
    const { id } = (await engine.createTask({ flow: flow.name, input: {} })).task;
    if (run) await engine.runTask(id);
    ids.push(id);
  }
  return ids;
};
export const statuses = async (engine: Engine, ids: readonly string[]): Promise<string[]> =>
  Promise.all(ids.map(async (id) => (await engine.getTask(id)).status));
