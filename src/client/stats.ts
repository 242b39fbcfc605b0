// Counts over time, over HTTP.

import type { ReadStats, Stats } from "../core/api/stats.ts";
import { StatsAnswer } from "../core/api/stats-answers.ts";
import type { Transport } from "./transport.ts";

export function readStatsBy(ask: Transport["ask"]): (request?: ReadStats) => Promise<Stats> {
  return async (request = {}) => {
    const query = new URLSearchParams(Object.entries(request).filter(([, value]) => value !== undefined)).toString();
    return (await ask({ path: `/stats${query === "" ? "" : `?${query}`}`, answer: StatsAnswer })).body;
  };
}
