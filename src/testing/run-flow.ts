// One run of a flow in a test: a store in memory, the engine over it, and a course of events.

import { TaskonautError } from "../core/errors.ts";
import { toMilliseconds } from "../core/flow/duration.ts";
import { type Flow, isFlow, isForeignFlow } from "../core/flow/flow.ts";
import type { Limits } from "../core/limits.ts";
import { openSqliteStore } from "../store/sqlite/store.ts";
import type { FlowRun, RunOptions } from "./api.ts";
import { Course } from "./course.ts";
import { callUnder, Ledger, readFakes } from "./fakes.ts";
import { readHappenings } from "./happenings.ts";
import type { Known } from "./known.ts";
import { Lives } from "./lives.ts";
import { readTasks } from "./read-run.ts";
import { SimulatedClock } from "./simulated-clock.ts";

const BEGIN = "2026-01-01T00:00:00Z";

/** Namespace of the ids of processes: any UUID, as long as it stays. */
const PROCESSES = "0b6d3f0a-5d0c-4c39-9a0e-7f3a5f0d2c11";

/** A process that is gone is seen at once, and one that lives is never thought to be gone. */
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
  const fakes = readFakes(options.tools, known.tools);
  const startedAt = startOf(options);
  const end = options.until === undefined ? Number.POSITIVE_INFINITY : startedAt + toMilliseconds(options.until);
  const clock = new SimulatedClock(startedAt);
  const ledger = new Ledger();
  const ids: string[] = [];
  const happenings = readHappenings(options, ids);
  let processes = 0;
  const store = await openSqliteStore({ path: ":memory:", now: () => clock.now() });
  try {
    const lives = new Lives({
      store,
      clock,
      flows: known.flowsFor(flow),
      limits: { ...limits, ...OWN_LIMITS },
      callTool: callUnder(clock, fakes, ledger),
      log: ledger.log,
      newId: () => Bun.randomUUIDv5(`${(processes += 1)}`, PROCESSES),
      diesAt: () => false,
      onInserted: (records) => ids.push(...records.map(({ task }) => task.id)),
      onChanged: () => {},
    });
    const course = new Course({ store, clock, lives, ids }, end);
    // the key gives the task its id: the same in each run, and in each process of a run
    const request = { flow: flow.name, input, idempotencyKey: `${flow.name} ${options.seed ?? 1}` };
    await clock.follow(course.survive((engine) => engine.createTask(request)));
    for (const happening of happenings) course.schedule(happening, happening.ms);
    await course.run();
    const [own, ...children] = await readTasks(ids, { store, startedAt });
    if (!own) throw new Error("The run has no task.");
    const duration = (own.finishedAt ?? clock.now()) - startedAt;
    await lives.end();
    const { effects, logs } = ledger;
    return { ...(own.run as FlowRun<Out>), effects, logs, duration, children: children.map(({ run }) => run) };
  } finally {
    await store.close();
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
