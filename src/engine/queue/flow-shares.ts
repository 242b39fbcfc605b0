// Fairness between flows: how many tasks of each flow a worker may claim next. A flow that had fewer tasks than its share comes
// first, and gets all the room, because it has few tasks. Flows with a backlog share the rest, and take turns in being first.
// So a flood of tasks in one flow takes from the others no more than a share of each claim.

import type { ClaimFlow } from "../../store/store.ts";

/** A flow with its limits over all workers. */
export type SharedFlow = Omit<ClaimFlow, "limit">;

export class FlowShares {
  /** Names of flows that had more than they were granted, the one whose turn is furthest away last. */
  #backlogged: string[] = [];
  #granted: ReadonlyMap<string, number> = new Map();

  constructor(private readonly flows: readonly SharedFlow[]) {}

  /** `room` is how many tasks there are places for; 1 or more. */
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
   * What came of the last grant: how many tasks of each flow. `isFull`: there was no room for more. Gives whether more
   * tasks may be due that could be claimed as soon as there is room.
   */
  note(claimed: ReadonlyMap<string, number>, { isFull }: { readonly isFull: boolean }): boolean {
    const count = (name: string): number => claimed.get(name) ?? 0;
    const known = new Set(this.#backlogged);
    const hasMore = (name: string): boolean => {
      // where there was no room left when its turn came, nothing new is known of a flow
      if (count(name) === 0) return isFull && known.has(name);
      return isFull || count(name) >= (this.#granted.get(name) ?? 0);
    };
    const fresh = this.flows.map(({ name }) => name).filter((name) => !known.has(name));
    const late = [...this.#backlogged, ...fresh].filter(hasMore);
    // who got nothing goes before who got something
    this.#backlogged = [...late.filter((name) => count(name) === 0), ...late.filter((name) => count(name) > 0)];
    return this.#backlogged.length > 0 || isFull;
  }
}

/** One that comes back with as many as the flow may have at all had more. */
function claimOf(flow: SharedFlow, share: number): ClaimFlow {
  return { ...flow, limit: flow.heldMax === null ? share : Math.min(share, flow.heldMax) };
}
