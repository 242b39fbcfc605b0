// Clients of a server that stays: they put tasks in the queue, send signals and cancel, and say everything again until
// it was heard, as a client with an idempotency key may.

import type { Task } from "../../src/core/api/task.ts";
import type { Random } from "../sim/random.ts";

/** Of one request with all its repetitions: longer than any outage of a test. */
const PATIENCE_MS = 60_000;
const PAUSE_MS = 200;
const CLIENTS = 12;

/** Those of flows/chaos.ts. */
const FLOW_NAMES = [
  "planned",
  "chained",
  "paying",
  "sleeping",
  "waiting",
  "holding",
  "retried",
  "compensated",
  "failing",
  "fanned",
  "family",
] as const;

/** Inputs are few, so that an undisturbed run of each is quickly made. */
const INPUTS = [0, 1, 2, 3] as const;

/** Codes of refusals that pass. */
const MEANWHILE: ReadonlySet<string> = new Set(["database_unavailable", "task_busy"]);

interface Wish {
  readonly flow: (typeof FLOW_NAMES)[number];
  readonly n: number;
}

/** So many tasks are one of every flow with every input. */
export const KINDS = FLOW_NAMES.length * INPUTS.length;

/** So many tasks, of every flow in turn. */
export function wishes(count: number): readonly Wish[] {
  return Array.from({ length: count }, (_, index) => ({
    flow: FLOW_NAMES[index % FLOW_NAMES.length] as Wish["flow"],
    n: INPUTS[Math.floor(index / FLOW_NAMES.length) % INPUTS.length] as number,
  }));
}

export class Outsider {
  constructor(private readonly url: string) {}

  /**
   * Puts tasks in the queue, to start at moments spread over `overMs` from now on, and sends what they wait for at moments
   * of its own. Resolves when all of it was heard.
   */
  async ask(
    all: readonly Wish[],
    { random, overMs }: { readonly random: Random; readonly overMs: number },
  ): Promise<void> {
    const now = Date.now();
    const pending = all.map((wish, index) => ({
      ...wish,
      key: `${now}-${index}`,
      start: random.chance(0.3) ? "now" : new Date(now + random.int(0, overMs)).toISOString(),
      follow: [random.int(0, overMs), random.int(0, overMs)],
    }));
    const followUps: Promise<unknown>[] = [];
    const work = async (): Promise<void> => {
      for (let wish = pending.shift(); wish; wish = pending.shift()) {
        const { flow, n, key, start, follow } = wish;
        const path = `/flows/${flow}/tasks?start=${encodeURIComponent(start)}&priority=${n}`;
        const { id } = await this.post(path, { n }, `task-${key}`);
        for (const followUp of this.#followUp(flow, id, n, { now, follow })) {
          followUp.catch(() => {}); // told below
          followUps.push(followUp);
        }
      }
    };
    await Promise.all(Array.from({ length: CLIENTS }, work));
    await Promise.all(followUps);
  }

  #followUp(
    flow: Wish["flow"],
    id: string,
    n: number,
    { now, follow }: { readonly now: number; readonly follow: readonly number[] },
  ): Promise<unknown>[] {
    const at = (afterMs: number): Promise<void> => Bun.sleep(Math.max(0, now + afterMs - Date.now()));
    if (flow === "waiting") {
      return follow.map(async (afterMs, index) => {
        await at(afterMs);
        await this.post(`/tasks/${id}/signals/go`, { n }, `go-${index}`);
      });
    }
    if (flow === "holding") return [at(follow[0] ?? 0).then(() => this.post(`/tasks/${id}/cancel`, {}))];
    return [];
  }

  /** Says it again until it is answered with success. Throws what is refused for good. */
  async post(path: string, body: unknown, idempotencyKey?: string): Promise<Task> {
    const headers = {
      "Content-Type": "application/json",
      ...(idempotencyKey !== undefined && { "Idempotency-Key": idempotencyKey }),
    };
    const init = { method: "POST", headers, body: JSON.stringify(body) };
    let last = "";
    for (const end = performance.now() + PATIENCE_MS; performance.now() < end; await Bun.sleep(PAUSE_MS)) {
      try {
        const response = await fetch(this.url + path, { ...init, signal: AbortSignal.timeout(PATIENCE_MS) });
        const text = await response.text();
        if (response.ok) return JSON.parse(text) as Task;
        last = `${response.status} ${text}`;
        if (!MEANWHILE.has((JSON.parse(text) as { code: string }).code)) break;
      } catch (error) {
        last = String(error);
      }
    }
    throw new Error(`POST ${path} was not heard: ${last}`);
  }
}
