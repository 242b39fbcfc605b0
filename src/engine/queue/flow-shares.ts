// Fairness between flows: how many tasks of each flow a worker may claim next. A flow that had fewer tasks than its
// share comes first, and gets all the room, because it has few tasks. Flows with a backlog share the rest, and take
// turns in being first. So a flood of tasks in one flow takes from the others no more than a share of each claim.

import type { ClaimFlow } from "../../store/store.ts";

/** A flow with its limits over all workers. */
export type SharedFlow = Omit<ClaimFlow, "limit">;

export class FlowShares {
  /** Names of flows that had more tasks than their grant; the flow that waits longest for its turn comes last. */
  #backlogged: string[] = [];
  #granted: ReadonlyMap<string, number> = new Map();

  constructor(private readonly flows: readonly SharedFlow[]) {}

  /** `room` is the number of free places: 1 or more. */
  grant(room: number): readonly ClaimFlow[] {
    const share = Math.max(1, Math.ceil(room / Math.max(1, this.#backlogged.length)));
    const byName = new Map(this.flows.map((flow) => [flow.name, flow]));
    const late = this.#backlogged.flatMap((name) => byName.get(name) ?? []);
    const early = this.flows.filter(({ name }) => !this.#backlogged.includes(name));
    const claims = [...early.map((flow) => claimOf(flow, room)), ...late.map((flow) => claimOf(flow, share))];
    this.#granted = new Map(claims.map(({ name, limit }) => [name, limit]));
    return claims;
  }

  /**
   * The result of the last grant: the number of tasks of each flow. `isFull`: there was no room for more. Returns
   * whether more tasks may be due that could be claimed as soon as there is room.
   */
  note(claimed: ReadonlyMap<string, number>, { isFull }: { readonly isFull: boolean }): boolean {
    const count = (name: string): number => claimed.get(name) ?? 0;
    const known = new Set(this.#backlogged);
    const hasMore = (name: string): boolean => {
      // if there was no room left at its turn, nothing new is known about a flow
      if (count(name) === 0) return isFull && known.has(name);
      return isFull || count(name) >= (this.#granted.get(name) ?? 0);
    };
    const fresh = this.flows.map(({ name }) => name).filter((name) => !known.has(name));
    const late = [...this.#backlogged, ...fresh].filter(hasMore);
    // flows that got nothing go before flows that got something
    this.#backlogged = [...late.filter((name) => count(name) === 0), ...late.filter((name) => count(name) > 0)];
    return this.#backlogged.length > 0 || isFull;
  }
}

/** A flow that comes back with its maximum had more. */
function claimOf(flow: SharedFlow, share: number): ClaimFlow {
  return { ...flow, limit: flow.heldMax === null ? share : Math.min(share, flow.heldMax) };
}
