// What befalls the processes and the database. Each second the dice are thrown for every kind of trouble.

import { BEGIN } from "./sim-clock.ts";
import { LEASE_MS, type SimProcess } from "./sim-process.ts";
import type { World } from "./world.ts";

export class Nemesis {
  #born = 0;

  constructor(private readonly world: World) {
    world.onKilled = () => world.timeline.after(world.random.int(0, 3000), () => this.bear());
  }

  /** A process that is there from the beginning, or that takes the place of another. */
  bear(): void {
    this.#born += 1;
    const process = this.world.start(`p${this.#born}`);
    const again = (): unknown => this.world.timeline.after(1000, () => this.bear());
    process.work(this.world.random.int(1, 4), again);
  }

  throwDice(): void {
    const { random, weather, timeline } = this.world;
    const at = (): number => random.int(0, 999);
    if (random.chance(weather.crashes)) timeline.after(at(), () => this.#crash());
    if (random.chance(weather.pauses)) timeline.after(at(), () => this.#pause());
    if (random.chance(weather.drains)) timeline.after(at(), () => this.#drain());
    if (random.chance(weather.outages)) timeline.after(at(), () => this.#restart());
    if (random.chance(weather.cuts)) timeline.after(at(), () => this.#cut());
    if (random.chance(weather.jumps)) timeline.after(at(), () => this.#jump());
  }

  /** All that was done ends: the paused go on, clocks are right, and somebody is there. */
  heal(): void {
    const { world } = this;
    for (const { life, clock } of world.living) {
      clock.aheadMs = 0;
      life.goOn();
    }
    world.storeAheadMs = 0;
    world.comeBack();
    while (world.living.length < 2) this.bear();
  }

  #crash(): void {
    const process = this.#any();
    if (!process) return;
    const isSeen = this.world.random.chance(0.6);
    this.world.trace.note(`${process.name} crashes${isSeen ? "" : ", and nobody notices"}`);
    process.crash(isSeen);
    this.world.timeline.after(this.world.random.int(0, 3000), () => this.bear());
  }

  #pause(): void {
    const process = this.#any();
    if (!process) return;
    const ms = this.world.random.tail(100, 3 * LEASE_MS);
    this.world.trace.note(`${process.name} is paused for ${ms} ms`);
    process.life.pause();
    this.world.timeline.after(ms, () => {
      if (process.life.isDead) return;
      this.world.trace.note(`${process.name} goes on`);
      process.life.goOn();
    });
  }

  #drain(): void {
    const process = this.#any();
    if (!process || process.life.state !== "running") return;
    this.world.trace.note(`${process.name} is told to leave`);
    process.leave();
    this.world.timeline.after(this.world.random.int(0, 3000), () => this.bear());
  }

  #restart(): void {
    const ms = this.world.random.tail(50, 8000);
    this.world.trace.note(`the database is away for ${ms} ms`);
    this.world.restart(ms);
  }

  #cut(): void {
    const process = this.#any();
    if (!process) return;
    this.world.trace.note(`the connection of ${process.name} is cut`);
    this.world.cut(process);
  }

  #jump(): void {
    const { world } = this;
    const ms = world.random.chance(0.5) ? world.random.int(-20_000, 20_000) : world.random.int(-500, 500);
    const process = world.random.chance(0.5) ? this.#any() : undefined;
    if (process) process.clock.aheadMs += ms;
    else world.storeAheadMs += ms;
    world.trace.note(
      `the clock of ${process?.name ?? `the store (now ${world.storeNow() - BEGIN})`} jumps by ${ms} ms`,
    );
  }

  #any(): SimProcess | undefined {
    const { living, random } = this.world;
    return living.length > 0 ? random.pick(living) : undefined;
  }
}
