// How bad things are: what the network, the database and the tools do to whoever relies on them. A seed draws its own
// weather, so that some simulations are mild and long, others a single kind of trouble, and some all of it at once.

import type { Random } from "./random.ts";

export interface Weather {
  /** Of a request or an answer on its way. */
  readonly delayMsMax: number;
  /** How likely a request never arrives. */
  readonly lostRequests: number;
  /** How likely an answer never arrives, to what was written nevertheless. */
  readonly lostAnswers: number;
  /** How likely a request is given up by who sent it, and arrives after that. */
  readonly lateRequests: number;
  /** How likely a wake-up call is lost. */
  readonly lostNews: number;
  /** How likely an attempt of a tool fails that may be tried again. */
  readonly failingAttempts: number;
  /** Of an attempt of a tool. */
  readonly toolMsMax: number;
  /** How likely each of these is within a second. */
  readonly crashes: number;
  readonly pauses: number;
  readonly drains: number;
  readonly outages: number;
  readonly cuts: number;
  readonly jumps: number;
}

export const CALM: Weather = {
  delayMsMax: 5,
  lostRequests: 0,
  lostAnswers: 0,
  lateRequests: 0,
  lostNews: 0,
  failingAttempts: 0,
  toolMsMax: 50,
  crashes: 0,
  pauses: 0,
  drains: 0,
  outages: 0,
  cuts: 0,
  jumps: 0,
};

export function drawWeather(random: Random): Weather {
  const some = (likely: number, max: number): number => (random.chance(likely) ? random.next() * max : 0);
  return {
    delayMsMax: random.pick([5, 50, 500, 2000]),
    lostRequests: some(0.5, 0.1),
    lostAnswers: some(0.5, 0.1),
    lateRequests: some(0.3, 0.05),
    lostNews: some(0.5, 0.5),
    failingAttempts: some(0.7, 0.6),
    toolMsMax: random.pick([10, 500, 4000]),
    crashes: some(0.6, 0.15),
    pauses: some(0.5, 0.1),
    drains: some(0.4, 0.1),
    outages: some(0.4, 0.1),
    cuts: some(0.5, 0.5),
    jumps: some(0.4, 0.2),
  };
}
