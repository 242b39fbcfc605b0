// Gets tickets for the steps of this process whose tools have limits (TK1 to TK4 in `store/limit-store.ts`). Requests
// and returns that arrive during a request go with the next one, so many steps share one request.

import type { Clock } from "../../core/clock.ts";
import type { ToolLimits } from "../../core/flow/tool.ts";
import type { Log } from "../../core/log.ts";
import { messageOf } from "../../core/record/stored-error.ts";
import type { GivenBack, LimitStore, TicketRequest } from "../../store/limit-store.ts";

/** The most tickets in one request. */
const TOGETHER_MAX = 200;

/** How often to check for waiting steps that this process does not know. */
const LOOK_MS = 60_000;

export interface LimitDeskTools {
  readonly store: { readonly limits: Pick<LimitStore, "declare" | "take" | "giveBack" | "settle"> };
  readonly lease: { readonly workerId: string };
  readonly clock: Clock;
  readonly log: Log;
  /** These tasks have got tickets that they waited for. */
  readonly onWoken: (taskIds: readonly string[]) => void;
}

interface Asking extends TicketRequest {
  readonly resolve: (granted: GivenBack | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/** What goes with the next request about one limit. */
interface Counter {
  asking: Asking[];
  givingBack: GivenBack[];
  /** The database did not take them: they go with the next request. */
  unreturned: GivenBack[];
  isBusy: boolean;
  /** The numbers of the code are in the store. */
  isDeclared: boolean;
}

export class LimitDesk {
  readonly #counters = new Map<string, Counter>();
  #asked = 0;
  /** Somebody may wait, as far as this process knows. */
  #mayWait = false;
  #lookAt = 0;

  constructor(private readonly tools: LimitDeskTools) {}

  /**
   * The ticket, to be returned. Undefined: the step waits in line, and its task hears of its ticket. Throws what the
   * store throws.
   */
  take(limits: ToolLimits, asked: Omit<TicketRequest, "token">): Promise<GivenBack | undefined> {
    const counter = this.#counterOf(limits.name);
    const ticket = { ...asked, token: `${this.tools.lease.workerId} ${++this.#asked}` };
    return new Promise((resolve, reject) => {
      counter.asking.push({ ...ticket, resolve, reject });
      this.#serve(limits, counter);
    });
  }

  /** The step no longer needs its ticket. If that does not reach the store, it goes with the next request. */
  giveBack(limits: ToolLimits, given: GivenBack): void {
    const counter = this.#counterOf(limits.name);
    counter.givingBack.push(given);
    this.#serve(limits, counter);
  }

  /** A step has ended whose ticket was requested elsewhere, before the task was taken over. */
  noteLeft(): void {
    this.#mayWait = true;
  }

  /**
   * A worker's duty: handles tickets that others have left behind, and places that are free again because time has
   * passed.
   */
  async settle(): Promise<void> {
    const { store, clock } = this.tools;
    if (!this.#mayWait && clock.now() < this.#lookAt) return;
    this.#lookAt = clock.now() + LOOK_MS;
    for (const [name, counter] of this.#counters) await this.#returnAgain(name, counter);
    const { woken, isWaiting } = await store.limits.settle();
    this.#mayWait = isWaiting;
    this.#tell(woken);
  }

  /** A limit's numbers have changed: tasks that have room now are told. */
  async settleNow(): Promise<void> {
    this.#mayWait = true;
    await this.settle();
  }

  #counterOf(name: string): Counter {
    const known = this.#counters.get(name);
    if (known) return known;
    const counter: Counter = { asking: [], givingBack: [], unreturned: [], isBusy: false, isDeclared: false };
    this.#counters.set(name, counter);
    return counter;
  }

  #serve(limits: ToolLimits, counter: Counter): void {
    if (counter.isBusy) return;
    counter.isBusy = true;
    const served = this.#serveAll(limits, counter).finally(() => {
      counter.isBusy = false;
    });
    served.catch(() => {}); // it never rejects
  }

  /** Throws what the store throws. */
  async #returnAgain(name: string, counter: Counter): Promise<void> {
    const given = counter.unreturned.slice(0, TOGETHER_MAX);
    if (given.length === 0) return;
    this.#tell(await this.tools.store.limits.giveBack(name, given));
    counter.unreturned = counter.unreturned.filter((each) => !given.includes(each));
  }

  /** Never rejects. */
  async #serveAll(limits: ToolLimits, counter: Counter): Promise<void> {
    const { store, log } = this.tools;
    counter.givingBack.push(...counter.unreturned.splice(0));
    while (counter.asking.length > 0 || counter.givingBack.length > 0) {
      const asking = counter.asking.splice(0, TOGETHER_MAX);
      const givingBack = counter.givingBack.splice(0, TOGETHER_MAX);
      try {
        if (givingBack.length > 0) this.#tell(await store.limits.giveBack(limits.name, givingBack));
      } catch (error) {
        this.#mayWait = true;
        counter.unreturned.push(...givingBack);
        log.debug?.("tickets not given back", { limit: limits.name, error: messageOf(error) });
      }
      try {
        if (asking.length > 0) await this.#take(limits, counter, asking);
      } catch (error) {
        // some may have been granted
        counter.unreturned.push(...asking.map(({ taskId, stepId, token }) => ({ taskId, stepId, token })));
        for (const { reject } of asking) reject(error);
      }
    }
  }

  async #take(limits: ToolLimits, counter: Counter, asking: readonly Asking[]): Promise<void> {
    const { store } = this.tools;
    if (!counter.isDeclared) {
      await store.limits.declare([{ kind: "tool", isKeyed: limits.key !== undefined, ...numbersOf(limits) }]);
      counter.isDeclared = true;
    }
    const { granted, woken } = await store.limits.take(limits.name, asking.map(toRequest));
    const steps = new Set(granted);
    if (steps.size < asking.length) this.#mayWait = true;
    this.#tell(woken);
    for (const { taskId, stepId, token, resolve } of asking) {
      resolve(steps.has(stepId) ? { taskId, stepId, token } : undefined);
    }
  }

  #tell(woken: readonly string[]): void {
    if (woken.length > 0) this.tools.onWoken(woken);
  }
}

function numbersOf({ name, running, runningPerKey, rate }: ToolLimits): Omit<ToolLimits, "key"> {
  return { name, running, runningPerKey, rate };
}

function toRequest({ taskId, stepId, key, token }: Asking): TicketRequest {
  return { taskId, stepId, key, token };
}
