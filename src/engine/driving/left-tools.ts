// Tools that still run in this process after their driver is gone, because they ignore their abort signal. The next
// driver of the task here knows them, because a clean-up must not run beside the tool that it cleans up after (SW1).

import type { LeavingTool } from "../task/running-steps.ts";

const NONE: readonly LeavingTool[] = [];

export class LeftTools {
  /** By its end: every driver that was told of the tool reports it again. */
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
