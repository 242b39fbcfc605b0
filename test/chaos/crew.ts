// Worker processes, and what is done to them.

import type { Place } from "../e2e/place.ts";
import type { Ended, Started } from "../e2e/served.ts";
import type { Random } from "../sim/random.ts";
import { until } from "../support/until.ts";
import { countEffects, effectsEnv } from "./effects.ts";

export interface CrewOptions {
  readonly size: number;
  readonly concurrency: number;
  readonly env?: Readonly<Record<string, string>>;
}

/** Who falls is started again at once, as an init system would. */
export class Crew implements AsyncDisposable {
  readonly #members: Started[] = [];
  readonly #kept: Promise<unknown>;
  #isOver = false;
  /** How many were started again. */
  restarts = 0;

  constructor(
    private readonly place: Place,
    private readonly options: CrewOptions,
  ) {
    this.#kept = Promise.all(Array.from({ length: options.size }, (_, at) => this.#keep(at)));
  }

  get members(): readonly Started[] {
    return this.#members;
  }

  /** How many calls of tools have begun. */
  get calls(): number {
    return countEffects(this.place);
  }

  /** SIGKILL for one of them. */
  async killOne(random: Random): Promise<void> {
    const member = random.pick(this.#members);
    kill(member.pid, "SIGKILL");
    await member.ended();
  }

  /** SIGTERM for all. Gives how they ended. */
  async stop(): Promise<readonly Ended[]> {
    this.#isOver = true;
    const ends = await Promise.all(this.#members.map((member) => member.stop()));
    await this.#kept;
    return ends;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #keep(at: number): Promise<void> {
    for (;;) {
      const member = this.#start();
      this.#members[at] = member;
      await member.ended();
      if (this.#isOver || this.restarts >= RESTARTS_MAX) return;
      this.restarts += 1;
    }
  }

  #start(): Started {
    const { concurrency, env } = this.options;
    return this.place.start(["work", "--concurrency", String(concurrency)], {
      env: { ...effectsEnv(this.place), ...env },
    });
  }
}

/** A bound for a crew whose members cannot live. */
const RESTARTS_MAX = 2000;

/** Harmless where the process has ended by itself. */
export function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** What is done between two kills, in calls of tools: a slow machine is given the time to do as much as a fast one. */
const CALLS_PER_KILL = { min: 10, max: 110 };

/** Kills one after the other, each when the crew has done something since the last one. There must be enough to do. */
export async function killAtRandom(crew: Crew, random: Random, kills: number): Promise<void> {
  for (let done = 0; done < kills; done++) {
    const calls = crew.calls + random.int(CALLS_PER_KILL.min, CALLS_PER_KILL.max);
    await until(() => crew.calls >= calls, `${calls} calls of tools, before kill ${done + 1}`);
    await crew.killOne(random);
  }
}
