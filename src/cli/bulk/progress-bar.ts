// How far an operation is, at the bottom of a terminal.

import { type BulkTotals, countOf } from "../../core/api/bulk.ts";
import type { Call } from "../command.ts";
import type { LiveLines } from "../io.ts";

const BAR_COLUMNS = 30;

export class ProgressBar {
  readonly #began: number;

  /** `lines`: undefined where there is no terminal. `all`: how many tasks were counted. */
  constructor(
    private readonly call: Pick<Call, "io" | "talk">,
    private readonly all: number,
    private readonly lines: LiveLines | undefined,
  ) {
    this.#began = call.io.now();
  }

  show(totals: BulkTotals): void {
    const { lines } = this;
    if (!lines) return;
    const looked = totals.done + countOf(totals.skipped) + countOf(totals.failed);
    lines.show([this.#draw(looked).slice(0, lines.columns - 1)]);
  }

  async close(): Promise<void> {
    await this.lines?.close({ keeps: false });
  }

  /** `██████░░░░  41,000 of 100,000, 5,200/s`; without a colour, which would count as columns. */
  #draw(looked: number): string {
    const part = this.all === 0 ? 1 : Math.min(1, looked / this.all);
    const full = Math.round(part * BAR_COLUMNS);
    const seconds = (this.call.io.now() - this.#began) / 1000;
    const rate = seconds > 0 && looked > 0 ? `, ${Math.round(looked / seconds).toLocaleString("en")}/s` : "";
    const count = `${looked.toLocaleString("en")} of ${this.all.toLocaleString("en")}${rate}`;
    return `${"█".repeat(full)}${"░".repeat(BAR_COLUMNS - full)}  ${count}`;
  }
}

/** Undefined lines where nobody watches. */
export function openProgressBar(call: Pick<Call, "io" | "look" | "talk">, all: number): ProgressBar {
  const { io, look } = call;
  const isWatched = io.stderr.isTTY && io.stdout.isTTY && look.style === "readable";
  return new ProgressBar(call, all, isWatched ? io.openLive?.() : undefined);
}
