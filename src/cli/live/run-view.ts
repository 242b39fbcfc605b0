// Shows a task while it runs: in place at the bottom of the terminal, or line by line where nothing can be shown in place.
//
// RV1. A frame is drawn at most every `TURN_MS`, whatever happens meanwhile, and only where it differs from the last one.
// RV2. No timer of it keeps the process alive.
// RV3. The store is read only where this process hears of nothing: the task is driven elsewhere, or only waits.

import { setTimeout } from "node:timers/promises";
import { summarize } from "../../core/api/summarize.ts";
import type { Task } from "../../core/api/task.ts";
import type { Taskonaut } from "../../core/api/taskonaut.ts";
import type { Call } from "../command.ts";
import { drawRun, TURN_MS } from "./draw-run.ts";
import { PlainRun } from "./plain-run.ts";
import { RunModel } from "./run-model.ts";

/** Of a task that changes. One that does not is read as seldom as `QUIET_MS`. */
const READ_MS = 300;
const QUIET_MS = 1000;

/** Of the tasks below the one that is shown, at each look. */
const CHILDREN_READ_MAX = 8;

type Reading = Pick<Taskonaut, "getTaskSummary">;

export class RunView {
  readonly model: RunModel;
  /** Undefined: nothing is shown yet. */
  #surface: Surface | undefined;
  #ticks: Timer | undefined;
  readonly #over = new AbortController();
  #id: string | undefined;
  #drawnAt = Number.NEGATIVE_INFINITY;
  #changedAt = 0;
  #isChanged = false;

  constructor(private readonly call: Pick<Call, "io" | "look" | "env" | "isRemote">) {
    this.model = new RunModel(
      () => call.io.time(),
      () => this.#onChange(),
    );
  }

  /** From now on it is shown. What is known of it already may be given; else it is read. */
  start(taskonaut: Reading, task: Task | string): void {
    this.#surface = surfaceFor(this.call, this.model);
    this.#ticks = setInterval(() => this.#tick(), TURN_MS).unref();
    this.#id = typeof task === "string" ? task : task.id;
    if (typeof task !== "string") this.read(task);
    this.#draw();
    this.#follow(taskonaut, this.#id, typeof task === "string").catch(() => {}); // it is over
  }

  /** The task as somebody has read it. */
  read(task: Task): void {
    this.model.read(summarize(task));
  }

  /** `keeps`: what was shown last stays. Harmless when repeated. */
  async close(how: { readonly keeps: boolean }): Promise<void> {
    if (how.keeps && this.#isChanged) this.#draw();
    clearInterval(this.#ticks);
    this.#over.abort();
    await this.#surface?.close(how);
  }

  #onChange(): void {
    this.#isChanged = true;
    this.#changedAt = this.call.io.now();
    // at once where it may be: a tool that blocks the process is seen before it does
    if (this.#surface?.isInPlace && this.#changedAt - this.#drawnAt >= TURN_MS) this.#draw();
  }

  #tick(): void {
    if (this.#isChanged || this.model.isHere || this.call.io.now() - this.#drawnAt >= QUIET_MS) this.#draw();
  }

  #draw(): void {
    if (this.#id === undefined || this.#over.signal.aborted) return;
    this.#isChanged = false;
    this.#drawnAt = this.call.io.now();
    this.#surface?.draw(this.#id);
  }

  /** RV3 */
  async #follow(taskonaut: Reading, id: string, isUnknown: boolean): Promise<void> {
    const { io, isRemote } = this.call;
    const { signal } = this.#over;
    if (isUnknown) await this.#look(taskonaut, id);
    for (let pauseMs = READ_MS; !signal.aborted;) {
      await setTimeout(pauseMs, undefined, { signal, ref: false });
      const isHeard = !isRemote && (this.model.isHere || io.now() - this.#changedAt < QUIET_MS);
      const startedAt = io.now();
      const hasChanged = !isHeard && (await this.#look(taskonaut, id));
      // a large task is not read all the time
      const tookMs = io.now() - startedAt;
      pauseMs = Math.max(hasChanged ? READ_MS : Math.min(pauseMs + 100, QUIET_MS), tookMs * 5);
    }
  }

  #seen = "";

  /** Reads the task and those below it. Gives whether they have changed. */
  async #look(taskonaut: Reading, id: string): Promise<boolean> {
    let seen = "";
    const ids = [id];
    for (
      let each = ids.shift(), count = 0;
      each !== undefined && count <= CHILDREN_READ_MAX;
      each = ids.shift(), count++
    ) {
      try {
        const summary = await taskonaut.getTaskSummary(each);
        if (this.#over.signal.aborted) return false;
        if (!this.call.isRemote && this.model.isHere) return true; // what was read is out of date
        seen += `${each} ${summary.updated_at} ${JSON.stringify(summary.steps.map(({ status }) => status))}\n`;
        this.model.read(summary);
        ids.push(...this.model.openChildren(each));
      } catch {
        // who drives it hears why it cannot be read
      }
    }
    const hasChanged = seen !== this.#seen;
    this.#seen = seen;
    return hasChanged;
  }
}

/** What is said above, and the line of the cursor, are to be seen as well. */
const ROWS_LEFT = 4;
const ROWS_MIN = 3;

/** Where it is shown. */
export interface Surface {
  readonly isInPlace: boolean;
  draw(id: string): void;
  close(how: { readonly keeps: boolean }): Promise<void>;
}

function surfaceFor({ io, look, env }: Pick<Call, "io" | "look" | "env">, model: RunModel): Surface {
  const lines = canDrawInPlace(env) ? io.openLive?.() : undefined;
  if (!lines) return new PlainRun(model, { io, look });
  const since = io.time();
  let last = "";
  return {
    isInPlace: true,
    draw(id) {
      const { columns, rows } = lines;
      const shown = drawRun(model, id, {
        columns,
        rows: Math.max(rows - ROWS_LEFT, ROWS_MIN),
        paint: look.paint,
        now: io.time(),
        since,
      });
      const text = `${columns} ${shown.join("\n")}`;
      if (text === last) return;
      last = text;
      lines.show(shown);
    },
    close: (how) => lines.close(how),
  };
}

/** Not where a person wants plain text, nor where a log is written that only looks like a terminal. */
function canDrawInPlace(env: Call["env"]): boolean {
  return !env["NO_COLOR"] && env["TERM"] !== "dumb" && !env["CI"];
}
