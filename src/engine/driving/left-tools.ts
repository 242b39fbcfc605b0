// Tools that drivers which are gone have left running in this process: one that listens to no abort goes on until its end.
// Whoever drives the task next here is told, as nothing may clean up beside what it cleans up after (R3).

import type { LeavingTool } from "../task/running-steps.ts";

const NONE: readonly LeavingTool[] = [];

export class LeftTools {
  /** By its end: it is told again by every driver that was told of it. */
  readonly #byTask = new Map<string, Map<Promise<void>, LeavingTool>>();

  of(id: string): readonly LeavingTool[] {
    const left = this.#byTask.get(id);
    return left ? [...left.values()] : NONE;
  }

  note(id: string, tools: readonly LeavingTool[]): void {
    for (const tool of tools) this.#noteOne(id, tool);
  }

  #noteOne(id: string, tool: LeavingTool): void {
    const left = this.#byTask.get(id) ?? new Map<Promise<void>, LeavingTool>();
    if (left.has(tool.ended)) return;
    this.#byTask.set(id, left.set(tool.ended, tool));
    const isGone = () => {
      left.delete(tool.ended);
      if (left.size === 0 && this.#byTask.get(id) === left) this.#byTask.delete(id);
    };
    tool.ended.then(isGone, isGone);
  }
}
