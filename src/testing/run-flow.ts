// One run of a flow in a test: a store in memory, the engine over it, and what happens meanwhile.

import { TaskonautError } from "../core/errors.ts";
import { toMilliseconds } from "../core/flow/duration.ts";
import { type Flow, isFlow, isForeignFlow } from "../core/flow/flow.ts";
import type { Limits } from "../core/limits.ts";
import { SILENT } from "../core/log.ts";
import { createEngine } from "../engine/engine.ts";
import { openSqliteStore } from "../store/sqlite/store.ts";
import type { FlowRun, RunOptions } from "./api.ts";
import { checkOptions } from "./check-options.ts";
import { SimulatedRun } from "./simulated-run.ts";
import { callUnder, readFakes } from "./fakes.ts";
import { readHappenings } from "./happenings.ts";
import type { Known } from "./known.ts";
import { Ledger } from "./ledger.ts";
import { readTasks } from "./read-run.ts";
import { SimulatedClock } from "./simulated-clock.ts";
import { toldStore } from "./told-store.ts";

const BEGIN = "2026-01-01T00:00:00Z";

/** The id of the one process that there is: any UUID, as long as it stays. */
const PROCESS = "0b6d3f0a-5d0c-4c39-9a0e-7f3a5f0d2c11";

/** It is never thought to be gone, and waits for nothing at its end. */
const OWN_LIMITS = { graceMs: 0, leaseMs: 100 * 365 * 86_400_000 };

export interface Runner {
  readonly known: Known;
  readonly limits: Limits;
}

/** Throws what `RunFlow` says. */
export async function runOnce<Out>(
  flow: Flow,
  input: unknown,
  options: RunOptions,
  { known, limits }: Runner,
): Promise<FlowRun<Out>> {
  assertFlow(flow);
  checkOptions(options);
  const fakes = readFakes(options.tools, known.tools);
  const startedAt = startOf(options);
  const end = options.until === undefined ? Number.POSITIVE_INFINITY : startedAt + toMilliseconds(options.until);
  const clock = new SimulatedClock(startedAt);
  const ledger = new Ledger();
  const ids: string[] = [];
  const happenings = readHappenings(options, ids);
  const memory = await openSqliteStore({ path: ":memory:", now: () => clock.now() });
  try {
    const store = toldStore(memory, {
      onInserted: (created) => ids.push(...created),
      onChanged: (changes) => simulated.noteChanges(changes),
    });
    const engine = createEngine({
      store,
      flows: known.flowsFor(flow),
      clock,
      log: SILENT,
      limits: { ...limits, ...OWN_LIMITS },
      newId: () => PROCESS,
      workerName: "test",
      callTool: callUnder(clock, fakes, ledger),
      toolLog: ledger.log,
      ...(ledger.log.info && { flowLog: ledger.log.info }),
    });
    const simulated = new SimulatedRun({ store, clock, engine, ids }, happenings, end);
    // the key gives the task its id: the same in each run
    const request = { flow: flow.name, input, idempotencyKey: `${flow.name} ${options.seed ?? 1}` };
    await clock.follow(engine.createTask(request));
    await simulated.finish();
    const [own, ...children] = await readTasks(ids, { store, startedAt });
    if (!own) throw new Error("The run has no task.");
    const duration = (own.finishedAt ?? clock.now()) - startedAt;
    await clock.follow(engine.close());
    const { effects, logs, progress } = ledger;
    return {
      ...(own.run as FlowRun<Out>),
      effects,
      logs,
      progress,
      duration,
      children: children.map(({ run }) => run),
    };
  } finally {
    await memory.close();
  }
}

function assertFlow(flow: unknown): asserts flow is Flow {
  if (isFlow(flow)) return;
  const what = isForeignFlow(flow)
    ? 'a flow of another copy of "taskonaut": import defineFlow from "taskonaut"'
    : typeof flow;
  throw new TaskonautError("usage", `runFlow(flow, input) takes a flow that defineFlow has made, got ${what}.`);
}

function startOf({ startsAt = BEGIN }: RunOptions): number {
  const start = new Date(startsAt).getTime();
  if (Number.isFinite(start)) return start;
  throw new TaskonautError(
    "usage",
    `startsAt: ${JSON.stringify(startsAt)} is not a valid time; write 2026-01-01T00:00:00Z.`,
  );
}
