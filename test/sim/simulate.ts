// One simulation: trouble for a while, then calm, until every task has ended; and what must hold then.

import { isTerminal } from "../../src/core/record/status.ts";
import { breachesAtEnd } from "./at-end.ts";
import { Nemesis } from "./nemesis.ts";
import { Outsiders } from "./outsiders.ts";
import { Random } from "./random.ts";
import { short } from "./sim-process.ts";
import { CALM, drawWeather } from "./weather.ts";
import { World } from "./world.ts";

export interface Simulation {
  readonly seed: number;
  /** Names of the flows whose tasks are created. */
  readonly flows: readonly string[];
  /** What each flow gives where nobody disturbs it. Undefined: nobody does, and one task of each flow is created. */
  readonly expected: ReadonlyMap<string, string | undefined> | undefined;
  /** Told after each event. */
  readonly onEvent?: (() => void) | undefined;
}

/** How likely there are schedules. */
const SCHEDULED = 0.3;

const TROUBLE_MS = { min: 5000, max: 25_000 };
const TASKS = { min: 2, max: 8 };
/** In so many simulations somebody acts on many tasks at once. */
const MANY = 0.3;
/** In so many somebody waits for the tasks that he creates, and in so many somebody forks some. */
const SOME = 0.4;
/** After so long a calm everything has ended: longest are the waits of flows, and leases that must pass. */
const CALM_MS_MAX = 180_000;

/** In the calm, after so long every worker is back. */
const SETTLE_MS = 15_000;

/** So long a task may be due before somebody who has room takes it. */
const NEGLECT_MS = 5_000;

/** Of one simulation; most have some thousand. */
const STEPS_MAX = 40_000;

/** Throws at the first breach, with the seed and what happened before it. The same seed always goes the same way. */
export async function simulate({ seed, flows, expected, onEvent }: Simulation): Promise<World> {
  const world = new World(seed);
  const { random, timeline, trace } = world;
  const rerun = `See it again: SIM_SEED=${seed} SIM_SEEDS=1 bun run test test/sim/sim.test.ts`;
  // now and then many tasks of the same few flows
  const cast = expected && random.chance(0.3) ? [random.pick(flows), random.pick(flows)] : flows;
  const outsiders = new Outsiders(world, cast);
  const nemesis = new Nemesis(world);
  const isOver = (): boolean =>
    outsiders.isServed &&
    world.schedules.rows.every(({ next_at }) => next_at === null) &&
    world.database.tasks.every(({ task }) => isTerminal(task.status));
  const runUntil = async (end: number, holds: () => boolean = () => false): Promise<boolean> => {
    timeline.after(end - timeline.now, () => {}); // so that time passes where nothing else happens
    while (trace.breaches.length === 0 && timeline.now < end && !holds()) {
      await timeline.step();
      onEvent?.();
      if (timeline.isSpinning || timeline.steps > STEPS_MAX)
        trace.breach(`After ${STEPS_MAX} events it is not over: something goes round in circles.`);
    }
    trace.throwBreach(rerun);
    return holds();
  };

  const crew = random.int(1, 3);
  for (let i = 0; i < crew; i++) nemesis.bear();
  if (!expected) for (const flow of flows) outsiders.create(flow);
  else {
    world.weather = drawWeather(random);
    trace.note(JSON.stringify(world.weather));
    const troubleMs = random.int(TROUBLE_MS.min, TROUBLE_MS.max);
    for (let i = random.int(TASKS.min, TASKS.max); i > 0; i--) {
      timeline.after(random.int(0, troubleMs / 2), () => outsiders.createAny());
    }
    if (random.chance(SCHEDULED)) for (let i = random.int(1, 3); i > 0; i--) outsiders.schedule();
    for (let ms = 0; ms < troubleMs; ms += 1000) timeline.after(ms, () => nemesis.throwDice());
    for (let i = random.int(0, troubleMs / 500); i > 0; i--) {
      timeline.after(random.int(0, troubleMs), () => outsiders.act());
    }
    // by a chance of their own: a simulation without them is what it was
    const many = new Random(seed + 1_000_000);
    if (many.chance(MANY)) {
      for (let i = many.int(1, 4); i > 0; i--) {
        timeline.after(many.int(troubleMs / 4, troubleMs), () => outsiders.actOnMany(many));
      }
    }
    const more = new Random(seed + 2_000_000);
    for (const act of [() => outsiders.createHere(more), () => outsiders.fork(more)]) {
      if (!more.chance(SOME)) continue;
      for (let i = more.int(1, 5); i > 0; i--) timeline.after(more.int(0, troubleMs), act);
    }
    await runUntil(troubleMs);
  }

  trace.note("calm");
  world.weather = CALM;
  nemesis.heal();
  const help = (): void => {
    outsiders.help();
    if (!isOver()) timeline.after(1000, help);
  };
  timeline.after(1000, help);
  const settledAt = timeline.now + SETTLE_MS;
  const findsNeglect = (): boolean => {
    if (timeline.now < settledAt) return false;
    for (const { name } of world.schedules.neglected(NEGLECT_MS, world.storeNow()))
      trace.breach(`Nobody fires schedule ${name}, which is due.`);
    world.schedules.stopAll();
    const neglected = world.neglected(NEGLECT_MS);
    for (const task of neglected)
      trace.breach(`Nobody takes task ${short(task.id)}, which is due: ${JSON.stringify(task)}`);
    return neglected.length > 0;
  };
  const hasEnded = await runUntil(timeline.now + CALM_MS_MAX, () => findsNeglect() || isOver());
  if (!hasEnded) {
    const stuck = world.database.tasks.filter(({ task }) => !isTerminal(task.status));
    trace.breach(
      `Tasks did not end: ${stuck.map(({ task }) => `${short(task.id)} (${JSON.stringify(task)})`).join("; ")}`,
    );
  }
  for (const breach of breachesAtEnd(world, expected)) trace.breach(breach);
  for (const breach of world.schedules.ledger.breachesAtEnd(world.schedules.rows, world.database)) trace.breach(breach);
  trace.throwBreach(rerun);
  for (const { life } of world.living) life.die();
  return world;
}
