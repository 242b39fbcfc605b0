// Limits as the simulated database keeps them: what a real one finds by its indexes is looked for among all rows here.

import type { TaskRow } from "../../src/core/record/record.ts";
import { isStepOpen, isTerminal } from "../../src/core/record/status.ts";
import { KeyTurns } from "../../src/store/key-turns.ts";
import {
  type GivenBack,
  type Granting,
  LEAVING_MS,
  type OwnLimit,
  type Rate,
  type Settling,
  type TicketRequest,
  UNDRIVEN_MS,
} from "../../src/store/limit-store.ts";
import { type ClaimFlow, isLimited, sliceMs, toolOfLine } from "../../src/store/store.ts";
import type { StoredTask } from "./sim-database.ts";

interface Ticket extends Omit<TicketRequest, "token"> {
  token: string;
  readonly id: number;
  readonly limit: string;
  grantedAt: number | null;
  begun: boolean;
}

interface World {
  tasks(): readonly StoredTask[];
  find(id: string): StoredTask | undefined;
  /** Whether this is the line of a tool that is paused. */
  isPaused(line: string): boolean;
  /** Tells a task of its ticket; false: it has ended. */
  tell(taskId: string, stepId: string, now: number): boolean;
}

export class SimLimits {
  readonly #own = new Map<string, OwnLimit>();
  /** `at`: when the last one of its slice began. */
  readonly #starts = new Map<string, { readonly slice: number; readonly at: number }[]>();
  readonly turns = new KeyTurns();
  #tickets: Ticket[] = [];
  #lastId = 0;

  constructor(private readonly world: World) {}

  // ---- flows

  /** The tasks of a flow that a claim may take, in order. `free`: due, and held by nobody who lives. */
  choose(
    flow: ClaimFlow,
    free: readonly TaskRow[],
    isHeld: (task: TaskRow) => boolean,
    now: number,
  ): readonly TaskRow[] {
    const { name, limit, heldMax, keys, rate } = flow;
    if (!isLimited(flow)) return free.slice(0, limit);
    const ofFlow = this.world
      .tasks()
      .map(({ task }) => task)
      .filter((task) => task.flow_name === name);
    const room = Math.min(limit, (heldMax ?? Number.POSITIVE_INFINITY) - ofFlow.filter(isHeld).length);
    let left = rate ? this.#left(`flow ${name}`, rate, now) : Number.POSITIVE_INFINITY;
    const chosen: TaskRow[] = [];
    const roomOf = (key: string): number => {
      const count = [...ofFlow.filter(isHeld), ...chosen].filter((task) => task.limit_key === key).length;
      return (keys?.heldMax ?? Number.POSITIVE_INFINITY) - count;
    };
    const take = (task: TaskRow): void => {
      if (chosen.length >= room || chosen.includes(task)) return;
      if (keys && task.limit_key !== null && roomOf(task.limit_key) <= 0) return;
      const isStart = task.status === "PLANNED" && task.lease_owner === null;
      if (isStart && left <= 0) return;
      if (isStart) left -= 1;
      chosen.push(task);
    };
    for (const task of free) if (task.lease_owner !== null || task.status !== "PLANNED" || !keys) take(task);
    const fresh = Map.groupBy(free, (task) => task.limit_key ?? "");
    for (const key of this.#inTurn(name, [...fresh.keys()])) for (const task of fresh.get(key) ?? []) take(task);
    if (rate) {
      const started = chosen.filter(({ status, lease_owner }) => status === "PLANNED" && lease_owner === null);
      this.#noteStarts(`flow ${name}`, rate, started.length, now);
    }
    return chosen;
  }

  /** Keys from behind the one that was served last, once around. */
  #inTurn(name: string, keys: readonly string[]): readonly string[] {
    const { after } = this.turns.placeOf(name, 1);
    const sorted = keys.toSorted((a, b) => (a < b ? -1 : 1));
    const inTurn = [...sorted.filter((key) => key > after), ...sorted.filter((key) => key <= after)];
    if (inTurn[0] !== undefined) this.turns.note(name, { last: inTurn[0], keys: 1 });
    return inTurn;
  }

  #left(name: string, { count, perMs }: Rate, now: number): number {
    return count - (this.#starts.get(name) ?? []).filter(({ at }) => at > now - perMs).length;
  }

  #noteStarts(name: string, rate: Rate, count: number, now: number): void {
    if (count === 0) return;
    const slice = Math.ceil(now / sliceMs(rate));
    const before = (this.#starts.get(name) ?? []).map((start) => (start.slice === slice ? { slice, at: now } : start));
    this.#starts.set(name, [...before, ...Array.from({ length: count }, () => ({ slice, at: now }))]);
  }

  // ---- tools

  declare(limits: readonly OwnLimit[]): void {
    for (const limit of limits) this.#own.set(`${limit.kind} ${limit.name}`, limit);
  }

  /** TK1: steps that have a ticket of this limit. */
  granted(limit: string): readonly TicketRequest[] {
    return this.#tickets.filter((ticket) => ticket.limit === limit && ticket.grantedAt !== null);
  }

  hasTicket(stepId: string): boolean {
    return this.#tickets.some((ticket) => ticket.stepId === stepId && ticket.grantedAt !== null);
  }

  take(limit: string, asked: readonly TicketRequest[], now: number): Granting {
    this.#beginLate(limit, asked, now);
    for (const { taskId, stepId, key, token } of asked) {
      const stored = this.world.find(taskId);
      const own = this.#tickets.find((ticket) => ticket.stepId === stepId);
      if (!stored || isTerminal(stored.task.status)) continue;
      if (own?.limit === limit) {
        own.token = token;
        own.begun = own.grantedAt !== null;
        if (toolOfLine(limit) !== undefined) own.grantedAt = null;
        continue;
      }
      this.#tickets = this.#tickets.filter((ticket) => ticket !== own);
      this.#tickets.push({ id: ++this.#lastId, limit, taskId, stepId, key, token, grantedAt: null, begun: false });
    }
    const steps = new Set(asked.map(({ stepId }) => stepId));
    const woken = this.#grant(limit, steps, now);
    const granted = new Set(this.granted(limit).map(({ stepId }) => stepId));
    return { granted: [...steps].filter((id) => granted.has(id)), woken };
  }

  /** TK7. */
  #beginLate(limit: string, asked: readonly TicketRequest[], now: number): void {
    const rate = this.#own.get(`tool ${limit}`)?.rate ?? null;
    if (rate === null) return;
    const name = `tool ${limit}`;
    for (const { stepId } of asked) {
      const own = this.#tickets.find((ticket) => ticket.stepId === stepId && ticket.limit === limit);
      if (!own || own.grantedAt === null || own.begun) continue;
      const isPast = own.grantedAt <= now - rate.perMs;
      if (!isPast) {
        const slice = Math.ceil(own.grantedAt / sliceMs(rate));
        const starts = this.#starts.get(name) ?? [];
        this.#starts.set(
          name,
          starts.map((start) => (start.slice === slice ? { slice, at: now } : start)),
        );
      }
      const isKept = !isPast || this.#left(name, rate, now) > 0;
      own.grantedAt = isKept ? now : null;
      if (isPast && isKept) this.#noteStarts(name, rate, 1, now);
    }
  }

  giveBack(limit: string, given: readonly GivenBack[], now: number): readonly string[] {
    this.#tickets = this.#tickets.filter(
      (ticket) =>
        ticket.limit !== limit ||
        !given.some(({ stepId, token }) => ticket.stepId === stepId && ticket.token === token),
    );
    return this.#grant(limit, new Set(), now);
  }

  /** `isAlive`: whether the worker of this id has a lease. */
  settle(now: number, isAlive: (workerId: string) => boolean): Settling {
    const waiting = (): readonly string[] => [
      ...new Set(this.#tickets.flatMap(({ limit, grantedAt }) => (grantedAt === null ? [limit] : []))),
    ];
    const woken = waiting().flatMap((limit) => {
      this.#tickets = this.#tickets.filter((ticket) => ticket.limit !== limit || !this.#isIdle(ticket, now, isAlive));
      return this.#grant(limit, new Set(), now);
    });
    return { woken, isWaiting: waiting().length > 0 };
  }

  /** TK1, TK4. */
  #isIdle(ticket: Ticket, now: number, isAlive: (workerId: string) => boolean): boolean {
    if (ticket.grantedAt === null) return false;
    if (this.#isOver(ticket)) {
      const endedAt = this.world.find(ticket.taskId)?.steps.get(ticket.stepId)?.updated_at ?? 0;
      return !ticket.begun || !isAlive(ticket.token.split(" ")[0] ?? "") || endedAt < now - LEAVING_MS;
    }
    return this.world.find(ticket.taskId)?.task.lease_owner === null && ticket.grantedAt < now - UNDRIVEN_MS;
  }

  #isOver({ taskId, stepId }: Ticket): boolean {
    const stored = this.world.find(taskId);
    const step = stored?.steps.get(stepId);
    return !stored || isTerminal(stored.task.status) || (step !== undefined && !isStepOpen(step.status));
  }

  #grant(limit: string, asked: ReadonlySet<string>, now: number): readonly string[] {
    const { running = null, runningPerKey = null, rate = null } = this.#own.get(`tool ${limit}`) ?? {};
    const woken: string[] = [];
    if (this.world.isPaused(limit)) return woken;
    this.#tickets = this.#tickets.filter(
      (ticket) => ticket.limit !== limit || ticket.grantedAt !== null || !this.#isOver(ticket),
    );
    for (;;) {
      const held = this.granted(limit);
      if (running !== null && held.length >= running) return woken;
      if (rate && this.#left(`tool ${limit}`, rate, now) <= 0) return woken;
      const waiting = this.#tickets.filter((ticket) => ticket.limit === limit && ticket.grantedAt === null);
      const open = waiting.filter(
        ({ key }) => runningPerKey === null || held.filter((other) => other.key === key).length < runningPerKey,
      );
      const [key] = this.#inTurn(`tool ${limit}`, [...new Set(open.map((ticket) => ticket.key))]);
      const next = open.find((ticket) => ticket.key === key);
      if (!next) return woken;
      next.grantedAt = now;
      next.begun = asked.has(next.stepId);
      if (rate) this.#noteStarts(`tool ${limit}`, rate, 1, now);
      if (!asked.has(next.stepId) && this.world.tell(next.taskId, next.stepId, now)) woken.push(next.taskId);
    }
  }
}
