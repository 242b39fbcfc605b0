// Reads tasks for callers: one task, a page of tasks, or their number.

import { parseTaskId } from "../../core/record/ids.ts";
import { toSpan, toTrace } from "../../core/record/otlp.ts";
import type { TaskRecord } from "../../core/record/record.ts";
import { spansInSlices } from "../../core/record/spans.ts";
import type { Span, Trace } from "../../core/record/trace.ts";
import { summarize, summarizeListed } from "../../core/api/summarize.ts";
import { checkFilter } from "../../core/api/filter-text.ts";
import type { TaskFilter } from "../../core/api/task-filter.ts";
import type { CountTasks, TaskCounts } from "../../core/api/task-counts.ts";
import type { Task, TaskSummary } from "../../core/api/task.ts";
import type { ListTasks, LookAtSteps, SummaryPage, TaskPage } from "../../core/api/taskonaut.ts";
import type { Clock } from "../../core/clock.ts";
import type { Reading, Store } from "../../store/store.ts";
import { inSlices } from "../process/in-slices.ts";
import type { KnownPauses } from "../process/known-pauses.ts";
import type { StoreClock } from "../process/store-clock.ts";
import { damageOf, toSoundTask } from "../task/damage.ts";
import type { Flows } from "../task/flows.ts";
import type { PauseRow } from "../../store/pause-store.ts";
import { withPauses } from "../task/to-pause.ts";
import { toTask } from "../task/to-task.ts";
import { countTasks } from "./count-tasks.ts";
import type { KnownNames } from "./known-names.ts";
import { listTasks } from "./list-tasks.ts";
import { tellLimits } from "./tell-limits.ts";

/** A summary tells of no payload. */
const LEAN = { isLean: true } as const;

interface ReadingTools {
  readonly store: Store;
  readonly clock: Clock;
  readonly storeClock: Pick<StoreClock, "guess">;
  readonly pauses: Pick<KnownPauses, "list">;
  readonly flows: Pick<Flows, "get">;
  readonly names: Pick<KnownNames, "check">;
  /** Throws task_not_found, record_damaged. */
  readonly read: (id: string, reading?: Reading) => Promise<TaskRecord>;
  /** A caller that reads page after page must not block the others. */
  readonly turnOfLoop: () => Promise<void>;
}

export class TaskReading {
  constructor(private readonly tools: ReadingTools) {}

  async getTask(id: string, { steps }: LookAtSteps = {}): Promise<Task> {
    return this.#tellInLine(await this.tools.read(parseTaskId(id), { steps }));
  }

  async getTaskSummary(id: string, { steps }: LookAtSteps = {}): Promise<TaskSummary> {
    return summarize(await this.#tellInLine(await this.tools.read(parseTaskId(id), { ...LEAN, steps })));
  }

  async readTrace(id: string): Promise<Trace> {
    const { clock, store, read } = this.tools;
    const record = await read(parseTaskId(id), LEAN);
    try {
      return await inSlices(makeTrace(record), clock);
    } catch (error) {
      throw damageOf(record, store.location) ?? error;
    }
  }

  async listTasks(request: ListTasks): Promise<TaskPage> {
    const { store, pauses, turnOfLoop } = this.tools;
    await turnOfLoop();
    await this.#checkNames(request);
    return listTasks(store, request, { steps: request.steps }, () => pauses.list());
  }

  async listTaskSummaries(request: ListTasks): Promise<SummaryPage> {
    const { store, pauses, turnOfLoop } = this.tools;
    await turnOfLoop();
    await this.#checkNames(request);
    const { tasks, ...page } = await listTasks(store, request, { ...LEAN, steps: request.steps }, () => pauses.list());
    return { tasks: tasks.map(summarizeListed), ...page };
  }

  async countTasks(request: CountTasks): Promise<TaskCounts> {
    await this.#checkNames(request);
    return countTasks(this.tools.store, this.tools.clock, request);
  }

  /** Of a first page: on a later one, what was there may be gone by now. Throws input_invalid. */
  async #checkNames({ filter, cursor }: { readonly filter?: TaskFilter; readonly cursor?: string }): Promise<void> {
    if (filter && cursor === undefined) await this.tools.names.check(checkFilter(filter));
  }

  /** The task as its caller sees it. Throws record_damaged. */
  async tell(record: TaskRecord): Promise<Task> {
    const { store, pauses } = this.tools;
    return withPauses(await toSoundTask(record, store.location), await pauses.list());
  }

  /** The same of one that was just made here, whose record is sound: mostly at once. */
  tellNew(record: TaskRecord): Task | Promise<Task> {
    const pauses = this.tools.pauses.list();
    const tell = (known: readonly PauseRow[]): Task => withPauses(toTask(record), known);
    return pauses instanceof Promise ? pauses.then(tell) : tell(pauses);
  }

  /** With its place in the line, where a limit stands before it. */
  async #tellInLine(record: TaskRecord): Promise<Task> {
    const { store, flows, storeClock } = this.tools;
    const task = await this.tell(record);
    const waiting_for = await tellLimits(record, task.waiting_for, {
      limits: store.limits,
      isLimited: (flow) => flows.get(flow)?.limits !== undefined,
      now: () => storeClock.guess(),
    });
    return waiting_for === task.waiting_for ? task : { ...task, waiting_for };
  }
}

function* makeTrace(record: TaskRecord): Generator<undefined, Trace> {
  const spans: Span[] = [];
  for (const facts of yield* spansInSlices(record)) {
    spans.push(toSpan(facts));
    if (spans.length % TURN === 0) yield;
  }
  return toTrace(spans, { resource: { "service.name": "taskonaut" } });
}

/** So many spans are made between two yields. */
const TURN = 500;
