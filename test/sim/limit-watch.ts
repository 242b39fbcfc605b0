// I5, as it is seen from outside: how many tasks of a flow with limits are held, of one key, and how many have begun within
// the time of its rate; and that no tool with a limit runs without a ticket.

import type { ToolContext } from "../../src/core/flow/tool.ts";
import type { StoredTask } from "./sim-database.ts";
import { CAPPED_MAX, KEYED } from "./sim-flows.ts";
import type { SimWorkers } from "./sim-workers.ts";

/** Flows whose tasks may have to wait although somebody has room for them; by hand no limit is looked at. */
export const LIMITED_FLOWS: ReadonlySet<string> = new Set(["capped", "keyed"]);

interface Write {
  readonly before: StoredTask | undefined;
  readonly after: StoredTask;
}

export class LimitWatch {
  /** When each task of the flow with a rate was claimed first, in store time. */
  readonly #begun = new Map<string, number>();

  /** What is broken by a write, as sentences. */
  breachesOf({ before, after }: Write, all: readonly StoredTask[], workers: SimWorkers, storeNow: number): string[] {
    const { flow_name: flow, lease_owner: owner, status, id, limit_key: key } = after.task;
    if (owner === null || !LIMITED_FLOWS.has(flow)) return [];
    const broken: string[] = [];
    const held = all.filter(
      ({ task }) => task.flow_name === flow && task.lease_owner !== null && !workers.seenDead.has(task.lease_owner),
    );
    const max = flow === "capped" ? CAPPED_MAX : KEYED.running;
    if (held.length > max) broken.push(`${held.length} tasks of flow ${flow} are held; its limit is ${max}.`);
    if (flow !== "keyed") return broken;
    const ofKey = held.filter(({ task }) => task.limit_key === key);
    if (ofKey.length > 1) broken.push(`${ofKey.length} tasks of key ${key} are held; it may have one.`);
    if (before?.task.lease_owner === null && status === "PLANNED" && !this.#begun.has(id))
      this.#begun.set(id, storeNow);
    const begun = [...this.#begun.values()].filter((at) => at > storeNow - KEYED.rate.per).length;
    if (begun > KEYED.rate.count) broken.push(`${begun} tasks of flow keyed have begun within ${KEYED.rate.per} ms.`);
    return broken;
  }

  /** Of a process that is still the one that drives the task. */
  breachOfCall(
    tool: string,
    { taskId, stepId }: ToolContext,
    {
      stored,
      workerIds,
      hasTicket,
    }: { stored: StoredTask | undefined; workerIds: ReadonlySet<string>; hasTicket: boolean },
  ): string | undefined {
    const isDriver = workerIds.has(stored?.task.lease_owner ?? "");
    if (tool !== "scarce" || hasTicket || !isDriver) return undefined;
    return `Tool scarce runs for step ${stepId} of task ${taskId}, which has no ticket.`;
  }
}
