// Where the claims of a store begin their walk along the queue.
//
// PF1. Claimed tasks that have ended leave dead entries at the head of the queue's index. Vacuum removes them, but not
//      while an older transaction is open: then each claim would walk past everything that ever ended.
// PF2. So a claim begins where the last ones ended, for each flow and priority. Tasks that are due before that place
//      (they were released, or committed late) are found by a claim from the start. Such claims are as frequent as a
//      twentieth of the time allows. Until then, a claim that finds nothing says when the next one will be.
// PF3. A store that has claimed little always claims from the start; and so does a store that knows of a task there.

import type { Claim, ClaimRequest } from "../store.ts";

/** This many ended tasks are quickly walked past. */
const CLAIMED_FEW = 2_000;

/** How much longer than a claim from the start the wait before the next one is; and the longest wait. */
const SHARE = 20;
const PAUSE_MS_MAX = 10_000;

const LEVELS = 10;

/**
 * For each flow of the request, and each priority, where to begin: milliseconds, or null. Undefined: all from the
 * start.
 */
export type Places = readonly (number | null)[] | undefined;

export class Frontier {
  readonly #reached = new Map<string, number>();
  #claimed = 0;
  #deadOwners = "";
  /** When a claim goes from the start again. */
  #dueAt = 0;

  /** `now` is any clock in milliseconds. */
  constructor(private readonly now: () => number) {}

  /** Something may be due before the place that was reached. */
  reset(): void {
    this.#dueAt = 0;
  }

  /** `claim` makes a claim that begins at those places. */
  async through(request: ClaimRequest, claim: (places: Places) => Promise<Claim>): Promise<Claim> {
    const startedAt = this.now();
    const places = this.#isDue(request, startedAt) ? undefined : this.#placesOf(request);
    const found = await claim(places);
    const endedAt = this.now();
    this.#note(found);
    if (!places) {
      this.#deadOwners = request.deadOwners.join();
      this.#dueAt = endedAt + Math.min(SHARE * (endedAt - startedAt), PAUSE_MS_MAX);
      return found;
    }
    if (found.tasks.length > 0) return found;
    const restAt = found.now + Math.max(1, Math.ceil(this.#dueAt - endedAt));
    return { ...found, nextDueAt: Math.min(found.nextDueAt ?? restAt, restAt) };
  }

  #isDue({ deadOwners }: ClaimRequest, now: number): boolean {
    return this.#claimed < CLAIMED_FEW || now >= this.#dueAt || deadOwners.join() !== this.#deadOwners;
  }

  #placesOf({ flows }: ClaimRequest): Places {
    return flows.flatMap(({ name }) =>
      Array.from({ length: LEVELS }, (_, priority) => this.#reached.get(`${priority} ${name}`) ?? null),
    );
  }

  #note({ tasks }: Claim): void {
    this.#claimed += tasks.length;
    for (const { record } of tasks) {
      const { flow_name: flow, priority, due_at: dueAt } = record.task;
      const key = `${priority} ${flow}`;
      // times are rounded to milliseconds
      if (dueAt !== null && dueAt - 1 > (this.#reached.get(key) ?? 0)) this.#reached.set(key, dueAt - 1);
    }
  }
}
