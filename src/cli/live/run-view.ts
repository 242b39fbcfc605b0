// Shows a task while it runs: in place at the bottom of the terminal, or line by line where nothing can be shown in place.
//
// RV1. A frame is drawn at most every `TURN_MS`, whatever happens meanwhile, and only where it differs from the last one.
// RV2. No timer of it keeps the process alive.
// RV3. The store is read only where this process hears of nothing: the task is driven elsewhere, or only waits.

import { setTimeout } from "node:timers/promises";
import { summarize } from "../../core/api/summarize.ts";
import type { Task } from "../../core/api/task.ts";
import type { Call } from "../command.ts";
import { drawRun, standsStill, TURN_MS } from "./draw-run.ts";
import { openInPlace, rowsFor } from "./in-place.ts";
import { PlainRun } from "./plain-run.ts";
import { type Reading, readRun } from "./read-run.ts";
import { RunModel } from "./run-model.ts";
import type { Surface } from "./surface.ts";

/** Of a task that changes. One that does not is read as seldom as `QUIET_MS`. */
const READ_MS = 300;
const QUIET_MS = 1000;

/** A large task is not read all the time: so many times as long as it takes, nothing is read. */
const REST = 5;

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

  /** From now on it is shown, and read where this process does not hear of it. What is known of it already may be given. */
  start(taskonaut: Reading, task: Task | string): void {
    const isKnown = typeof task !== "string";
    const id = isKnown ? task.id : task;
    if (isKnown) this.read(task);
    this.show(id, { since: this.call.io.time() });
    this.#follow(taskonaut, id, isKnown).catch(() => {}); // it is over
  }

  /** From now on it is shown, as the model is told of it. `since`: how long it runs is told from there on. */
  show(id: string, { since }: { readonly since: number | undefined }): void {
    this.#surface ??= surfaceFor(this.call, this.model, since);
    this.#ticks ??= setInterval(() => this.#tick(), TURN_MS).unref();
    this.#id = id;
    this.#draw();
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
    // of a task that nobody could read there is nothing to keep
    const isKnown = this.#id !== undefined && this.model.task(this.#id) !== undefined;
    await this.#surface?.close({ keeps: how.keeps && isKnown });
  }

  #onChange(): void {
    this.#isChanged = true;
    this.#changedAt = this.call.io.now();
    // at once where it may be: a tool that blocks the process is seen before it does
    if (this.#surface?.isInPlace && this.#changedAt - this.#drawnAt >= TURN_MS) this.#draw();
  }

  #tick(): void {
    const { io } = this.call;
    const isDue = this.#isChanged || io.now() - this.#drawnAt >= QUIET_MS;
    const turns = this.#id !== undefined && standsStill(this.model, this.#id, io.time()) === undefined;
    if (isDue || (turns && this.#surface?.isInPlace)) this.#draw();
  }

  #draw(): void {
    if (this.#id === undefined || this.#over.signal.aborted) return;
    this.#isChanged = false;
    this.#drawnAt = this.call.io.now();
    this.#surface?.draw(this.#id);
  }

  /** RV3 */
  async #follow(taskonaut: Reading, id: string, isKnown: boolean): Promise<void> {
    const { io, isRemote } = this.call;
    const { signal } = this.#over;
    const isOutdated = (): boolean => signal.aborted || (!isRemote && this.model.isHere);
    let pauseMs = isKnown ? READ_MS : 0;
    for (let seen = ""; !signal.aborted;) {
      await setTimeout(pauseMs, undefined, { signal, ref: false });
      const startedAt = io.now();
      const isHeard = !isRemote && (this.model.isHere || (pauseMs > 0 && startedAt - this.#changedAt < QUIET_MS));
      const now = isHeard ? seen : await readRun(this.model, id, { taskonaut, isOutdated });
      pauseMs = now === seen ? Math.min(pauseMs + 100, QUIET_MS) : READ_MS;
      pauseMs = Math.max(pauseMs, (io.now() - startedAt) * REST);
      seen = now;
    }
  }
}

function surfaceFor(
  { io, look, env }: Pick<Call, "io" | "look" | "env">,
  model: RunModel,
  since: number | undefined,
): Surface {
  const lines = openInPlace({ io, env });
  if (!lines) return new PlainRun(model, { io, look });
  let last = "";
  return {
    isInPlace: true,
    draw(id) {
      const { columns } = lines;
      const shown = drawRun(model, id, { columns, rows: rowsFor(lines), paint: look.paint, now: io.time(), since });
      const text = `${columns} ${shown.join("\n")}`;
      if (text === last) return;
      last = text;
      lines.show(shown);
    },
    close: (how) => lines.close(how),
  };
}
