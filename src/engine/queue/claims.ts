// Claims due tasks for a worker, fairly between flows.
//
// K1. Only the worker that has claimed a task drives it, as long as that worker lives. If a worker may hold tasks
//     without knowing them (the answer to a claim was lost, a write failed), it releases them, so that any worker can
//     claim them.

import type { Clock } from "../../core/clock.ts";
import type { Flow } from "../../core/flow/flow.ts";
import type { Flows } from "../task/flows.ts";
import { type Claim, type ClaimedTask, isLimited, type Store } from "../../store/store.ts";
import { UNSURE_MS } from "../process/holdings.ts";
import type { KnownPauses } from "../process/known-pauses.ts";
import type { StoreClock } from "../process/store-clock.ts";
import { FlowShares, type SharedFlow } from "./flow-shares.ts";

export interface ClaimTools {
  readonly flows: Pick<Flows, "all" | "codeOf">;
  readonly store: Pick<Store, "claimTasks" | "releaseTasks">;
  readonly clock: Clock;
  readonly storeClock: StoreClock;
  readonly pauses: Pick<KnownPauses, "note" | "readSoon">;
  /** Ids of tasks that callers of this process may hold. */
  readonly heldByHand: () => readonly string[];
}

export class Claims {
  readonly #flowShares: FlowShares;
  /** Names of flows that have limits over all workers. */
  readonly #limited: ReadonlySet<string>;
  /** K1. */
  #mayHoldMore = false;
  #unsureUntil = 0;

  constructor(
    private readonly workerId: string,
    private readonly tools: ClaimTools,
  ) {
    const flows = tools.flows.all().map(toShared);
    this.#flowShares = new FlowShares(flows);
    this.#limited = new Set(flows.filter(isLimited).map(({ name }) => name));
  }

  isLimited(flow: string): boolean {
    return this.#limited.has(flow);
  }

  /** `hasMore`: more may be due that could be claimed as soon as there is room. Throws what the store throws. */
  async claim(limit: number, deadOwners: readonly string[]): Promise<Claim & { readonly hasMore: boolean }> {
    const { store, storeClock, clock, pauses } = this.tools;
    const flows = this.#flowShares.grant(limit);
    const askedAt = clock.elapsed();
    const claim = await store.claimTasks({ workerId: this.workerId, limit, flows, deadOwners });
    storeClock.note(claim.now, askedAt);
    pauses.note(claim.pauses, askedAt);
    const isMore = this.#flowShares.note(countByFlow(claim.tasks), { isFull: claim.tasks.length >= limit });
    return { ...claim, hasMore: isMore || claim.isCut === true };
  }

  /** K1: a write has failed, or a claim. */
  noteUnsure(): void {
    this.#unsureUntil = this.tools.clock.now() + UNSURE_MS;
    this.#mayHoldMore = true;
  }

  /** K1: releases the tasks that the worker holds besides `held`. Returns how many. Throws what the store throws. */
  async releaseUnknown(held: () => readonly string[]): Promise<number> {
    if (!this.#mayHoldMore) return 0;
    const { store, clock, heldByHand } = this.tools;
    const byHand = heldByHand();
    // a caller may still leave a task that he has now; and an abandoned claim may still reach the database
    this.#mayHoldMore = byHand.length > 0 || clock.now() < this.#unsureUntil;
    return store.releaseTasks({ workerId: this.workerId, except: [...held(), ...byHand] });
  }
}

function toShared({ name, limits }: Flow): SharedFlow {
  if (!limits) return { name, heldMax: null };
  const { running, key, runningPerKey, rate } = limits;
  return { name, heldMax: running, ...(key && { keys: { heldMax: runningPerKey } }), ...(rate && { rate }) };
}

function countByFlow(tasks: readonly ClaimedTask[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { record } of tasks) {
    const { flow_name } = record.task;
    counts.set(flow_name, (counts.get(flow_name) ?? 0) + 1);
  }
  return counts;
}
