// A process is killed at every place at which it could be: whatever it left, the next `run` completes it.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TaskonautError } from "../../src/core/errors.ts";
import { keyedTaskId } from "../../src/core/record/ids.ts";
import type { Task } from "../../src/core/api/task.ts";
import { benchOn } from "../support/bench.ts";
import { DATABASES } from "../support/databases.ts";
import { runDoomed, type Doom, type DoomedJob } from "../support/doomed.ts";
import { LEDGER_OUTPUT, ledgerFlow, readLedger } from "../support/ledger-flow.ts";

const OUTPUTS = { echo_add: { echo: { text: "hello" }, add: { sum: 3 } }, ledger: LEDGER_OUTPUT };
/** So many processes at a time. */
const PARALLEL = 4;

for (const [name, createDatabase] of DATABASES) {
  describe(`killed on ${name}`, () => {
    const bench = benchOn(createDatabase);
    let folder = "";
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), "taskonaut-crash-"));
    });
    afterAll(() => rm(folder, { recursive: true }));

    async function newJob(flow: DoomedJob["flow"], drive: DoomedJob["drive"]): Promise<DoomedJob> {
      const idempotencyKey = Bun.randomUUIDv7();
      const ledger = join(folder, idempotencyKey);
      await writeFile(ledger, "");
      return { url: bench.database.url, flow, drive, idempotencyKey, ledger };
    }

    /** Completes the task with an engine of its own, if it is there, and looks at everything that was recorded. */
    async function expectCompletes(job: DoomedJob): Promise<Task | undefined> {
      const engine = await bench.openEngine({ flows: [ledgerFlow(job.ledger)] });
      const task = await engine.runTask(keyedTaskId(job.idempotencyKey)).catch((error: unknown) => {
        if (error instanceof TaskonautError && error.code === "task_not_found") return undefined;
        throw error;
      });
      await engine.close();
      if (!task) return undefined;
      expect(task).toMatchObject({
        status: "COMPLETED",
        output_payload: OUTPUTS[job.flow],
        lease_owner: null,
        parked_reason: null,
      });
      expect(task.steps.map((step) => [step.status, step.tool_calls.length])).toEqual(
        task.steps.map(() => ["COMPLETED", 1]),
      );
      const keys = task.tool_calls.filter((call) => call.tool_name === "append").map((call) => call.idempotency_key);
      expect([...readLedger(job.ledger).keys()].toSorted()).toEqual(keys.toSorted());
      return task;
    }

    for (const flow of ["echo_add", "ledger"] as const) {
      for (const drive of ["advance", "run"] as const) {
        test(`anywhere in create and ${drive} of ${flow}, a task completes with the next run`, async () => {
          const undisturbed = await newJob(flow, drive);
          const survived = await runDoomed(undisturbed);
          if (!survived) throw new Error("Nothing should have killed it.");
          await expectCompletes(undisturbed);
          for (const lines of readLedger(undisturbed.ledger).values()) expect(lines).toHaveLength(1);

          const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1);
          const dooms: Doom[] = [
            ...numbers(survived.writes).map((number) => ({ where: "before a write" as const, number })),
            ...numbers(survived.writes).map((number) => ({ where: "after a write" as const, number })),
            ...numbers(survived.toolCalls).map((number) => ({ where: "in a tool" as const, number })),
          ];
          let absent = 0;
          const workers = numbers(PARALLEL).map(async () => {
            for (let doom = dooms.shift(); doom; doom = dooms.shift()) {
              const job = { ...(await newJob(flow, drive)), doom };
              const outlived = await runDoomed(job);
              // transitions of a run share a write where it is slow: then it has ended with fewer, and nothing killed it
              if (outlived) expect([drive, outlived.writes < doom.number]).toEqual(["run", true]);
              if (!(await expectCompletes(job))) absent += 1;
            }
          });
          await Promise.all(workers);
          expect(absent).toBe(1); // killed before the first write, and nowhere else
        }, 120_000);
      }
    }
  });
}
