// The course of one run: the flow's task from its creation to its end, or to where nothing more happens to it.

import type { TaskRow } from "../core/record/record.ts";
import { isTerminal } from "../core/record/status.ts";
import type { Engine } from "../engine/engine.ts";
import type { Store } from "../store/store.ts";
import type { Happening } from "./happenings.ts";
import type { Lives } from "./lives.ts";
import type { SimulatedClock } from "./simulated-clock.ts";

export interface CourseTools {
  readonly store: Pick<Store, "readTaskRow">;
  readonly clock: SimulatedClock;
  readonly lives: Lives;
  /** Ids of all tasks of the run in the order of their creation, the flow's own first. It grows. */
  readonly ids: readonly string[];
}

/** What is left of a run: the rows of tasks that have not ended. */
type Open = readonly TaskRow[];

export class Course {
  /** By how to call it off. */
  readonly #pending = new Map<Happening, () => void>();
  #happening: Promise<void>[] = [];
  #onHappening: () => void = () => {};

  /** `end`: when it stops, whatever it still waits for; in simulated time. */
  constructor(
    private readonly tools: CourseTools,
    private readonly end: number,
  ) {}

  /** Lets it happen after so much time. */
  schedule(happening: Happening, ms: number): void {
    const { clock } = this.tools;
    const cancel = clock.at(clock.now() + ms, () => {
      this.#pending.delete(happening);
      this.#happening.push(this.survive((engine) => happening.happen(engine)));
      this.#onHappening();
    });
    this.#pending.set(happening, cancel);
  }

  /** Throws what the engine does. */
  async run(): Promise<void> {
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

  /** Does it in the process that lives, and again in the next one where that dies meanwhile. */
  async survive<T>(work: (engine: Engine) => Promise<T>): Promise<T> {
    for (;;) {
      const life = this.tools.lives.current;
      const worked = work(life.engine).then(
        (value) => ({ value }),
        (error: unknown) => {
          if (!life.isOver) throw error;
        },
      );
      const came = await Promise.race([worked, life.died]);
      if (came && !life.isOver) return came.value;
    }
  }

  /** As far as it goes now, with all that happens to it meanwhile. */
  async #drive(): Promise<Open> {
    let open = await this.survive((engine) => this.#driveDue(engine));
    while (this.#happening.length > 0) {
      await Promise.all(this.#happening.splice(0));
      open = await this.survive((engine) => this.#driveDue(engine));
    }
    return open;
  }

  /** The flow's own task, which drives its children, and then whatever is due beside. */
  async #driveDue(engine: Engine): Promise<Open> {
    const { clock, ids } = this.tools;
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
