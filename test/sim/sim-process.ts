// One process of the simulation: the real engine, with its own store, clock and tools, on a life that may end at any
// moment.

import type { Log } from "../../src/core/log.ts";
import type { ToolContext } from "../../src/core/flow/tool.ts";
import { hasCode } from "../../src/core/errors.ts";
import { DEFAULT_LIMITS } from "../../src/core/limits.ts";
import { createEngine } from "../../src/engine/engine.ts";
import type { Engine } from "../../src/engine/engine-options.ts";
import { Life } from "./life.ts";
import { SimClock } from "./sim-clock.ts";
import { ATTEMPTS, ONCE_TIMEOUT_MS, simFlows, type SimDone, type SimToolName, type SimWork } from "./sim-flows.ts";
import { simStore } from "./sim-store.ts";
import type { World } from "./world.ts";

/** Short, so that a simulation sees many of them. */
export const LEASE_MS = 6000;

/** How likely a deadly flow kills its process, each time that it may. */
const DEADLY = 0.3;

/** Few, for the same reason: no tool kills its process, but processes die around them. */
const DEATHS = 2;

/** Short, so that tasks are removed beside those that are under way. */
const RETENTION = { completed: 4000, failed: 8000, cancelled: 2000 };

export class SimProcess {
  readonly life: Life;
  readonly clock: SimClock;
  readonly engine: Engine;
  readonly workerIds = new Set<string>();
  #worker: { stop(): Promise<void> } | undefined;
  #concurrency = 0;

  constructor(
    private readonly world: World,
    readonly name: string,
    aheadMs: number,
  ) {
    const { timeline, random } = world;
    this.life = new Life(name, timeline);
    this.clock = new SimClock(timeline, this.life, aheadMs);
    this.engine = createEngine({
      store: simStore(world, this),
      flows: simFlows(
        (tool, work, context) => this.#act(tool, work, context),
        (taskId) => this.#mayDie(taskId),
      ),
      clock: this.clock,
      log: this.#log(),
      limits: {
        ...DEFAULT_LIMITS,
        retention: RETENTION,
        leaseMs: LEASE_MS,
        busyMs: 2000,
        graceMs: 3000,
        deaths: DEATHS,
      },
      newId: () => random.uuid(),
      workerName: name,
    });
  }

  /**
   * Its writes so far stand, and it does nothing any more. `isSeen`: the others may notice, because its lock is free, or
   * because the machine tells; else its lease must end.
   */
  crash(isSeen: boolean): void {
    this.life.die();
    if (!isSeen) return;
    const isKnown = this.world.random.chance(0.5);
    for (const id of this.workerIds) {
      this.world.workers.freeLock(id);
      if (isKnown) this.world.workers.gone.add(id);
    }
  }

  /** Takes tasks from the queue from now on, so many at once. A process that cannot start exits, and tells so. */
  work(concurrency: number, onFailed: () => void): void {
    this.#survive("startWorker", onFailed, async () => {
      this.#worker = await this.engine.startWorker({ concurrency });
      this.#concurrency = concurrency;
    });
  }

  /** Whether its worker could take one more task, as far as the database tells. */
  get hasRoom(): boolean {
    if (this.life.state !== "running") return false;
    const held = this.world.database.tasks.filter(({ task }) => this.workerIds.has(task.lease_owner ?? ""));
    return held.length < this.#concurrency;
  }

  /** As on SIGTERM: what runs here may end, the rest is given back. */
  leave(): void {
    this.#survive(
      "leave",
      () => {},
      async () => {
        await this.#worker?.stop();
        await this.engine.close();
        this.world.trace.note(`${this.name} has left`);
        this.crash(true);
      },
    );
  }

  /**
   * A flow's own code takes the process with it. Mostly the watchdog puts that down before; nothing that comes after it in
   * the same piece of code reaches anybody.
   */
  #mayDie(taskId: string): void {
    const { random, weather, trace, database, isAway } = this.world;
    if (!this.life.isDead && (weather.crashes === 0 || !random.chance(DEADLY))) return;
    if (!this.life.isDead) {
      const isPutDown = !isAway && random.chance(0.7);
      trace.note(`${this.name} is killed by the code of task ${short(taskId)}${isPutDown ? "" : ", and nobody knows"}`);
      this.crash(random.chance(0.6));
      if (isPutDown) {
        this.world.writer = { life: this.life, workerIds: this.workerIds };
        const workerId = [...this.workerIds].at(-1) ?? "";
        this.world.deaths.noteKilled(taskId);
        database.blame({ taskId, workerId }, this.world.storeNow());
        this.world.writer = undefined;
      }
      this.world.onKilled();
    }
    throw new Error("This process is dead.");
  }

  #survive(what: string, onFailed: () => void, run: () => Promise<void>): void {
    run().catch((error: unknown) => {
      this.world.trace.note(`${this.name} ${what}: ${String(error)}`);
      if (!hasCode(error, "database_unavailable"))
        this.world.trace.breach(`${this.name} ${what} failed: ${String(error)}`);
      this.crash(true);
      onFailed();
    });
  }

  #act(tool: SimToolName, work: SimWork, context: ToolContext): SimDone | Promise<SimDone> {
    if (this.life.isDead) return new Promise(() => {}); // killed in the middle of a piece of code
    const { random, weather, ledger, trace, database, limits } = this.world;
    ledger.noteEffect(this.name, tool, work, context);
    const without = limits.breachOfCall(tool, context, {
      stored: database.find(context.taskId),
      workerIds: this.workerIds,
      hasTicket: database.limits.hasTicket(context.stepId),
    });
    if (without !== undefined) trace.breach(without);
    const isLast = context.attempt >= ATTEMPTS[tool];
    const fails = !isLast && random.chance(weather.failingAttempts);
    const isHopeless = tool === "unlucky" && random.chance(weather.failingAttempts);
    const finish = (): SimDone => {
      if (fails || isHopeless) throw new Error("simulated");
      return { value: work.value, receipt: tool === "note" ? work.after.join(" ") : this.world.newReceipt() };
    };
    if (tool === "note" || random.chance(0.2)) return finish();
    trace.note(`${this.name} ${tool} ${work.value} of ${short(context.taskId)}, attempt ${context.attempt}`);
    const isSlow = tool === "once" && random.chance(weather.failingAttempts);
    const ms = isSlow ? random.int(ONCE_TIMEOUT_MS, 3 * ONCE_TIMEOUT_MS) : random.tail(0, weather.toolMsMax);
    const end = ledger.noteRunning(this.name, work, context);
    return this.#takeTime(ms, random.chance(0.5) ? context.signal : undefined)
      .finally(end)
      .then(finish);
  }

  /** `signal`: some tools stop when they are told to, others go on. */
  #takeTime(ms: number, signal: AbortSignal | undefined): Promise<void> {
    return this.clock.sleep(ms, signal);
  }

  #log(): Log {
    const note =
      (level: string) =>
      (message: string, fields?: Readonly<Record<string, unknown>>): void => {
        this.world.trace.note(`${this.name} ${level}: ${message} ${JSON.stringify(fields ?? {})}`);
      };
    return { debug: undefined, info: note("info"), warn: note("warn"), error: note("error") };
  }
}

export function short(id: string): string {
  return id.slice(-6);
}
