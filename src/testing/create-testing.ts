import type { MakeFake, RunFlow } from "./api.ts";
import { readLimits } from "../read-limits.ts";
import { Known } from "./known.ts";
import { callSite } from "./own-lines.ts";
import { runOnce } from "./run-flow.ts";

/** What files of tests, and the flows that they import, are given. */
export interface Testing {
  /** As "taskonaut". */
  readonly sdk: Readonly<Record<string, unknown>>;
  /** As "taskonaut/testing". */
  readonly testing: { readonly runFlow: RunFlow; readonly fake: MakeFake };
}

/** `env` has the limits of the program, as in production. */
export function createTesting(env: Readonly<Record<string, string | undefined>>): Testing {
  const known = new Known();
  // not async: the stack of an async function does not show who has called it
  const runFlow: RunFlow = (flow, input, options = {}) => {
    const explain = callSite(runFlow);
    return runOnce<never>(flow, input, options, { known, limits: readLimits(env) }).catch(explain);
  };
  return { sdk: known.sdk, testing: { runFlow, fake } };
}

const fake: MakeFake = (tool, run) => ({ tool: tool.name, run });
