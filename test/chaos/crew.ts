// Worker processes, and what is done to them.

import type { Place } from "../e2e/place.ts";
import type { Ended, Started } from "../e2e/served.ts";
import type { Random } from "../sim/random.ts";
import { effectsEnv } from "./effects.ts";

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

/** Kills one after the other, a while between them, until the time is over. */
export async function killAtRandom(
  crew: Crew,
  random: Random,
  { forMs, pauseMs: [min, max] }: { readonly forMs: number; readonly pauseMs: readonly [min: number, max: number] },
): Promise<void> {
  for (const end = performance.now() + forMs; performance.now() < end;) {
    await Bun.sleep(random.int(min, max));
    await crew.killOne(random);
  }
}
