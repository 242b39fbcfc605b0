// One run in simulated time: the flow's task from its creation to its end, or to where nothing more happens to it.

import type { TaskRow } from "../core/record/record.ts";
import { isStepOpen, isTerminal } from "../core/record/status.ts";
import type { Engine } from "../engine/engine-options.ts";
import type { Change, Store } from "../store/store.ts";
import type { Happening } from "./happenings.ts";
import type { SimulatedClock } from "./simulated-clock.ts";

export interface RunTools {
  readonly store: Pick<Store, "readTaskRow">;
  readonly clock: SimulatedClock;
  readonly engine: Engine;
  /** Ids of all tasks of the run in the order of their creation, the flow's own first. It grows. */
  readonly ids: readonly string[];
}

/** What is left of a run: the rows of tasks that have not ended. */
type Open = readonly TaskRow[];

export class SimulatedRun {
  /** Those that are to come, each with how to call it off. */
  readonly #pending = new Map<Happening, () => void>();
  /** Those that follow a step which has no outcome yet. */
  readonly #following: Set<Happening>;
  #happening: Promise<void>[] = [];
  #onHappening: () => void = () => {};

  /** `end`: when it stops, whatever it still waits for; in simulated time. */
  constructor(
    private readonly tools: RunTools,
    happenings: readonly Happening[],
    private readonly end: number,
  ) {
    this.#following = new Set(happenings.filter(({ after }) => after !== undefined));
    for (const happening of happenings) if (happening.after === undefined) this.#schedule(happening);
  }

  /** Hears of what the store was given: steps of the flow's own task may have an outcome now. */
  noteChanges(changes: readonly Change[]): void {
    const own = changes.filter(({ taskId }) => taskId === this.tools.ids[0]);
    const steps = own.flatMap(({ newSteps, changedSteps }) => [...newSteps, ...changedSteps]);
    const ended = new Set(steps.flatMap(({ status, step_name }) => (isStepOpen(status) ? [] : step_name)));
    for (const happening of this.#following) {
      if (happening.after === undefined || !ended.has(happening.after)) continue;
      this.#following.delete(happening);
      this.#schedule(happening);
    }
  }

  /** Lets it happen after its time. */
  #schedule(happening: Happening): void {
    const { clock, engine } = this.tools;
    const cancel = clock.at(clock.now() + happening.ms, () => {
      this.#pending.delete(happening);
      const happened = happening.happen(engine);
      // `#drive` throws it, once it has come to it
      happened.catch(() => {});
      this.#happening.push(happened);
      this.#onHappening();
    });
    this.#pending.set(happening, cancel);
  }

  /** Throws what the engine does. */
  async finish(): Promise<void> {
    const { clock } = this.tools;
    const isOver = Promise.withResolvers<undefined>();
    const forgetEnd = Number.isFinite(this.end) ? clock.at(this.end, () => isOver.resolve(undefined)) : () => {};
    try {
      for (;;) {
        const open = await clock.follow(Promise.race([this.#drive(), isOver.promise]));
        const next = open && this.#nextOf(open);
        if (next === undefined) return;
        await clock.follow(Promise.race([this.#until(next), isOver.promise]));
      }
    } finally {
      forgetEnd();
      for (const cancel of this.#pending.values()) cancel();
    }
  }

  /** As far as it goes now, with all that happens to it meanwhile. */
  async #drive(): Promise<Open> {
    let open = await this.#driveDue();
    while (this.#happening.length > 0) {
      await Promise.all(this.#happening.splice(0));
      open = await this.#driveDue();
    }
    return open;
  }

  /** The flow's own task, which drives its children, and then whatever is due beside. */
  async #driveDue(): Promise<Open> {
    const { clock, engine, ids } = this.tools;
    const driven = new Set<string>();
    await engine.runTask(ids[0] ?? "");
    for (;;) {
      const open = await this.#open();
      const now = clock.now();
      // one that is due and stays as it is would be driven for ever
      const due = open.filter((row) => (row.due_at ?? Number.POSITIVE_INFINITY) <= now && !driven.has(stateOf(row)));
      if (due.length === 0) return open;
      for (const row of due) {
        driven.add(stateOf(row));
        await engine.runTask(row.id);
      }
    }
  }

  async #open(): Promise<Open> {
    const rows = await Promise.all(this.tools.ids.map((id) => this.tools.store.readTaskRow(id)));
    return rows.filter((row) => row !== undefined && !isTerminal(row.status)) as readonly TaskRow[];
  }

  /** When something is next due; infinite where only what comes from outside is left; undefined where nothing is. */
  #nextOf(open: Open): number | undefined {
    const next = Math.min(...open.map(({ due_at }) => due_at ?? Number.POSITIVE_INFINITY));
    if (Number.isFinite(next)) return next;
    return open.length > 0 && this.#pending.size > 0 ? next : undefined;
  }

  /** Or until something happens. */
  async #until(time: number): Promise<void> {
    const happening = Promise.withResolvers<void>();
    this.#onHappening = happening.resolve;
    const cancel = Number.isFinite(time) ? this.tools.clock.at(time, happening.resolve) : () => {};
    await happening.promise;
    this.#onHappening = () => {};
    cancel();
  }
}

function stateOf({ id, version, wake_seq }: TaskRow): string {
  return `${id} ${version} ${wake_seq}`;
}
