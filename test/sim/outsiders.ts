// Who comes from outside, at any moment, through any process: creates tasks, signals, cancels, retries, settles doubts,
// drives by hand. And, in the end, who gives every task what it still waits for.

import { hasCode, TaskonautError, type ErrorCode } from "../../src/core/errors.ts";
import { keyedTaskId } from "../../src/core/record/ids.ts";
import { isStepOpen, isTerminal } from "../../src/core/record/status.ts";
import type { PauseTarget } from "../../src/core/api/pauses.ts";
import { BULK_FLOW, type BulkRequest } from "../../src/core/api/bulk.ts";
import type { CreateTask } from "../../src/core/api/create-task.ts";
import type { Taskonaut } from "../../src/core/api/taskonaut.ts";
import type { StepRow } from "../../src/core/record/record.ts";
import type { PauseRow } from "../../src/store/store.ts";
import type { StoredTask } from "./sim-database.ts";
import type { Random } from "./random.ts";
import { type SimProcess, short } from "./sim-process.ts";
import { LIMITED_FLOWS } from "./limit-watch.ts";
import type { World } from "./world.ts";

/** What a caller has to reckon with. Any other error is a bug. */
const EXPECTED: ReadonlySet<ErrorCode> = new Set([
  "database_unavailable",
  "shutting_down",
  "task_busy",
  "task_parked",
  "flow_paused",
  "pause_not_found",
  "task_ended",
  "task_not_found",
  "task_not_in_doubt",
  "task_not_retryable",
  "idempotency_key_reused",
  "schedule_not_found",
  "schedule_exists",
  "schedule_busy",
  "task_not_forkable",
  "unique_key_taken",
]);

const CREATE_AGAIN_MS = 2000;

/** A step of a task that has not ended, with what it needs. */
interface OpenStep {
  readonly stored: StoredTask;
  readonly step: StepRow;
}

export class Outsiders {
  /** Keys of tasks that somebody wants, and does not know to be there. */
  readonly #unknown = new Set<string>();
  /** Names of schedules that somebody wanted. */
  readonly #schedules: string[] = [];
  #calls = 0;

  constructor(
    private readonly world: World,
    private readonly flows: readonly string[],
  ) {}

  /** Somebody does something. */
  act(): void {
    const { random, database } = this.world;
    const process = this.#anyProcess();
    if (!process) return;
    const open = database.tasks.filter(({ task }) => !isTerminal(task.status));
    if (this.#schedules.length > 0 && random.chance(0.2)) return this.#pauseOrResume(process);
    const kind = random.pick([
      "signal",
      "signal",
      "cancel",
      "retry",
      "resolve",
      "drive",
      "drive",
      "resume",
      "pause",
      "unpause",
    ] as const);
    switch (kind) {
      case "signal":
        if (open.length > 0) this.#signal(process, random.pick(open), random.pick(["go", "stop"]), random.uuid());
        return;
      case "cancel":
        if (open.length > 0 && random.chance(0.3)) this.#cancel(process, random.pick(open));
        return;
      case "retry":
        this.#retryOne(process);
        return;
      case "resolve": {
        const doubts = this.#openSteps((step) => step.doubt !== null);
        if (doubts.length > 0) this.#resolve(process, random.pick(doubts), random.pick(["output", "retry", "fail"]));
        return;
      }
      case "drive": {
        // by hand no limit is looked at
        const drivable = open.filter(({ task }) => !LIMITED_FLOWS.has(task.flow_name));
        if (drivable.length > 0) this.#drive(process, random.pick(drivable));
        return;
      }
      case "resume": {
        const parked = open.filter(({ task }) => task.parked_reason !== null);
        if (parked.length > 0) this.#resume(process, random.pick(parked));
        return;
      }
      case "pause": {
        const name = random.pick(this.flows);
        const tool = random.pick(["effect", "once", "note", "unlucky"]);
        const target = random.pick([{ scope: "flow", name }, { scope: "tool", name: tool }, { scope: "all" }] as const);
        this.#pause(process, target);
        return;
      }
      case "unpause":
        if (database.pauses.length > 0) this.#unpause(process, random.pick(database.pauses));
    }
  }

  /** Somebody makes a schedule; it may not come to be. */
  schedule(): void {
    const { random } = this.world;
    const process = this.#anyProcess();
    if (!process) return;
    const name = `schedule-${this.#schedules.length + 1}`;
    this.#schedules.push(name);
    const catchUp = random.pick(["none", "last", { within: random.int(1000, 100_000) }]);
    this.call(process, `schedule ${name}`, (engine) =>
      engine.schedules.add({
        name,
        flow: random.pick(this.flows),
        every: random.int(1, 5) * 1000,
        jitter: random.pick([0, 0, 1000]),
        overlap: random.pick(["skip", "queue", "all", "cancel-running"]),
        catchUp,
      }),
    );
  }

  #pauseOrResume(process: SimProcess): void {
    const { random } = this.world;
    const name = random.pick(this.#schedules);
    const how = random.pick(["pause", "resume", "resume"] as const);
    this.call(process, `${how} ${name}`, ({ schedules }) =>
      how === "pause" ? schedules.pause(name, {}) : schedules.resume(name),
    );
  }

  create(flow: string): void {
    this.#createAs(flow, this.world.random.uuid());
  }

  /** Under a key, again and again until it is known that the task is there: its process may die without an answer. */
  #createAs(flow: string, key: string): void {
    const { random, timeline } = this.world;
    const process = this.#anyProcess();
    this.#unknown.add(key);
    this.world.awaited.add(keyedTaskId(key));
    timeline.after(CREATE_AGAIN_MS, () => {
      if (this.#unknown.has(key)) this.#createAs(flow, key);
    });
    if (!process) return;
    const start = LIMITED_FLOWS.has(flow) ? "now" : random.pick(["now", "now", "later", "by hand"]);
    const at = process.clock.now() + random.int(0, 4000);
    const request: CreateTask = {
      flow,
      // the same whenever it is asked for
      input: flow === "keyed" ? { tenant: (key.codePointAt(0) ?? 0) % 3 } : {},
      idempotencyKey: key,
      priority: random.int(0, 9),
      ...(random.chance(0.2) && { expiresIn: random.int(1000, 8000) }),
      ...(start === "by hand" ? {} : { start: start === "now" ? start : at }),
    };
    this.call(process, `create ${flow} ${start}`, async (engine) => {
      await engine.createTask(request);
      this.#unknown.delete(key);
      this.world.awaited.delete(keyedTaskId(key));
    });
  }

  /** Somebody creates a task and waits for what it comes to; it runs in the process that he has asked. */
  createHere(random: Random): void {
    const process = this.#anyOf(random);
    const flow = random.pick(this.flows);
    // by hand no limit is looked at
    if (!process || LIMITED_FLOWS.has(flow)) return;
    const key = random.uuid();
    const waitMs = random.pick([0, 50, 1000, 20_000]);
    this.world.awaited.add(keyedTaskId(key));
    this.call(process, `create ${flow} and run it for ${waitMs} ms`, async (engine) => {
      const { task } = await engine.results.create({ flow, input: {}, idempotencyKey: key }, { waitMs });
      this.world.awaited.delete(task.id);
    });
  }

  /** Somebody begins anew in the middle of what a task has done. */
  fork(random: Random): void {
    const process = this.#anyOf(random);
    const forkable = this.world.database.tasks.filter(({ task }) => task.flow_name !== BULK_FLOW);
    if (!process || forkable.length === 0) return;
    const { task, steps } = random.pick(forkable);
    const from = random.int(1, steps.size + 1);
    const request = { from, idempotencyKey: random.uuid(), start: "now" } as const;
    this.call(process, `fork ${short(task.id)} from step ${from}`, (engine) => engine.forks.create(task.id, request));
  }

  #anyOf(random: Random): SimProcess | undefined {
    const running = this.world.living.filter(({ life }) => life.state === "running");
    return running.length === 0 ? undefined : random.pick(running);
  }

  /** Whether every task that somebody wanted is there. */
  get isServed(): boolean {
    return this.#unknown.size === 0;
  }

  createAny(): void {
    this.create(this.world.random.pick(this.flows));
  }

  /** Gives every task that has not ended what it waits for from outside. */
  help(): void {
    const process = this.#anyProcess();
    if (!process) return;
    for (const pause of this.world.database.pauses) this.#unpause(process, pause);
    for (const { stored, step } of this.#openSteps((open) => open.kind === "signal" && open.due_at === null)) {
      this.#signal(process, stored, step.target ?? "", `for ${step.path}`);
    }
    for (const doubt of this.#openSteps((step) => step.doubt !== null)) this.#resolve(process, doubt, "output");
    for (const stored of this.world.database.tasks) {
      const { task } = stored;
      if (task.parked_reason !== null) this.#resume(process, stored);
      const isIdle = task.due_at === null && task.lease_owner === null && !isTerminal(task.status);
      if (isIdle && !this.world.queued.has(task.id)) this.#drive(process, stored);
    }
  }

  /** Makes a call and expects of it what every caller has to. */
  call(process: SimProcess, what: string, make: (engine: Taskonaut) => Promise<unknown>): void {
    const { trace } = this.world;
    const number = ++this.#calls;
    trace.note(`outsider ${number} through ${process.name}: ${what}`);
    make(process.engine).then(
      () => trace.note(`outsider ${number}: done`),
      (error: unknown) => {
        const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
        trace.note(`outsider ${number}: ${text}`);
        const isExpected =
          error instanceof TaskonautError && (EXPECTED.has(error.code) || hasCode(error, "input_invalid"));
        if (!isExpected) trace.breach(`${what} through ${process.name} failed with ${text}`);
      },
    );
  }

  #anyProcess(): SimProcess | undefined {
    const running = this.world.living.filter(({ life }) => life.state === "running");
    return running.length > 0 ? this.world.random.pick(running) : undefined;
  }

  #openSteps(wanted: (step: StepRow) => boolean): OpenStep[] {
    return this.world.database.tasks.flatMap((stored) =>
      [...stored.steps.values()]
        .filter((step) => isStepOpen(step.status) && wanted(step))
        .map((step) => ({ stored, step })),
    );
  }

  #signal(process: SimProcess, { task }: StoredTask, name: string, idempotencyKey: string): void {
    if (task.flow_name === "planned") return;
    const what = `signal ${name} for ${short(task.id)}`;
    // each wait takes one; several are told apart by their key
    this.call(process, what, (engine) => engine.signalTask(task.id, { name, payload: {}, idempotencyKey }));
  }

  #cancel(process: SimProcess, { task }: StoredTask): void {
    const force = this.world.random.chance(0.3);
    this.call(process, `cancel ${short(task.id)}${force ? " by force" : ""}`, (engine) =>
      engine.cancelTask(task.id, { force }),
    );
  }

  #retryOne(process: SimProcess): void {
    const failed = this.world.database.tasks.filter(({ task }) => task.status === "FAILED");
    if (failed.length === 0) return;
    const { task } = this.world.random.pick(failed);
    this.call(process, `retry ${short(task.id)}`, (engine) => engine.retryTask(task.id));
  }

  #resolve(process: SimProcess, { stored: { task }, step }: OpenStep, kind: "output" | "retry" | "fail"): void {
    const { value } = JSON.parse(step.input_payload) as { value: string };
    const output = { value, receipt: this.world.newReceipt() };
    this.call(process, `resolve ${short(task.id)} step ${step.step_index} by ${kind}`, (engine) =>
      engine.resolveTask(task.id, {
        step: step.step_index,
        resolution:
          kind === "output" ? { kind, output } : kind === "fail" ? { kind, message: "settled as failed" } : { kind },
      }),
    );
  }

  /** An operation on all tasks of a flow. Its own task has to end like any other. */
  actOnMany(random: Random): void {
    const process = this.#anyOf(random);
    if (!process) return;
    const action = random.pick(["cancel", "retry", "retry", "resume", "signal", "delete"] as const);
    const flow = random.pick(this.flows);
    if (flow === "planned" && action === "signal") return;
    // what was deleted may be wanted again by who does not know yet that it was there
    const names = action === "delete" ? [BULK_FLOW] : [flow];
    const request: BulkRequest = {
      action,
      filter: { flow: names },
      ...(action === "signal" && { signal: { name: random.pick(["go", "stop"]), payload: {} } }),
      ...(action === "cancel" && random.chance(0.3) && { force: true }),
    };
    this.call(process, `${action} all of ${names.join()}${request.force ? " by force" : ""}`, async (engine) => {
      const { token } = await engine.bulk.preview(request);
      await engine.bulk.start({ ...request, token });
    });
  }

  #drive(process: SimProcess, { task }: StoredTask): void {
    const how = this.world.random.pick(["advance", "run"]);
    this.call(process, `${how} ${short(task.id)}`, (engine) =>
      how === "run" ? engine.runTask(task.id) : engine.advanceTask(task.id),
    );
  }

  #pause(process: SimProcess, target: PauseTarget): void {
    const name = target.scope === "all" ? "" : target.name;
    this.call(process, `pause ${target.scope} ${name}`, async (engine) => {
      await engine.pauses.pause(target);
      this.world.trace.note(`${target.scope} ${name} is paused`);
      this.world.ledger.notePaused(target.scope, name);
    });
  }

  #unpause(process: SimProcess, { scope, name }: PauseRow): void {
    const target: PauseTarget = scope === "all" ? { scope } : { scope, name };
    this.call(process, `unpause ${scope} ${name}`, (engine) => engine.pauses.unpause(target));
  }

  #resume(process: SimProcess, { task }: StoredTask): void {
    this.call(process, `resume ${short(task.id)}`, (engine) => engine.resumeTask(task.id));
  }
}
