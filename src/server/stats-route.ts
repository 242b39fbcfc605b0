// `GET /stats`: counts over time.

import type { ReadStats } from "../core/api/stats.ts";
import { StatsAnswer } from "../core/api/stats-answers.ts";
import { inputInvalid } from "./check.ts";
import { type Query, queryOf, violationsOf } from "./query.ts";
import type { Route, RouteOptions } from "./route.ts";

const PARAMETERS: readonly string[] = ["since", "until", "flow"];

export function statsRoutes({ taskonaut }: Pick<RouteOptions, "taskonaut">): readonly Route[] {
  return [
    {
      method: "GET",
      path: "/stats",
      query: PARAMETERS,
      about: {
        summary: "Tells what happened when",
        more: "Counts of tasks that were created and ended, and how long tasks waited for a worker, step by step.",
        answers: { 200: StatsAnswer },
      },
      handle: async (c) => c.json(await taskonaut.readStats(readRequest(queryOf(c)))),
    },
  ];
}

/** Throws input_invalid. */
function readRequest(query: Query): ReadStats {
  const errors = violationsOf(query, PARAMETERS);
  if (errors.length > 0) throw inputInvalid(errors);
  return Object.fromEntries([...query].map(([name, [value]]) => [name, value]));
}
