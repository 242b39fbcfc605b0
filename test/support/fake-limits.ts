// Limits of a FakeTaskonaut: those that a test puts there, and what is set of them.

import type { Limit, Limits, SetLimit } from "../../src/core/api/limits.ts";
import { TaskonautError } from "../../src/core/errors.ts";

export const OPENAI: Limit = {
  kind: "tool",
  name: "openai",
  keyed: false,
  max: { running: null, running_per_key: null, rate: { count: 100, per_ms: 60_000 } },
  code: { running: null, running_per_key: null, rate: { count: 100, per_ms: 60_000 } },
  set: null,
  running: 3,
  waiting: 2311,
  rate_left: 12,
  rate_next_at: null,
};

export class FakeLimits implements Limits {
  all: readonly Limit[] = [OPENAI];
  /** What each call was given, in order. */
  readonly asked: unknown[] = [];

  async list(): Promise<readonly Limit[]> {
    return this.all;
  }

  async set(name: string, change: SetLimit): Promise<Limit> {
    this.asked.push(["set", name, change]);
    return this.#find(name);
  }

  async reset(name: string, kind?: Limit["kind"]): Promise<Limit> {
    this.asked.push(["reset", name, kind]);
    return this.#find(name);
  }

  #find(name: string): Limit {
    const found = this.all.find((limit) => limit.name === name);
    if (!found) throw new TaskonautError("limit_not_found", `There is no limit "${name}".`, { details: { name } });
    return found;
  }
}
