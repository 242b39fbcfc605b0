// What a process that tests flows has loaded before the first test: "taskonaut", "taskonaut/testing" and "valibot" for
// whoever imports them, the guards, and flow files in the words in which they run in production. The build makes one file
// of it, which `taskonaut test` gives to its runner, and `init` writes for a Bun of one's own.

import * as valibot from "valibot";
import { installGuards } from "../flows/guards.ts";
import { provideTested } from "../flows/provide-tested.ts";
import { readLimits } from "../read-limits.ts";
import type { MakeFake, RunFlow } from "./api.ts";
import { Known } from "./known.ts";
import { callSite } from "./own-lines.ts";
import { runOnce } from "./run-flow.ts";

/** Two copies would not know each other's flows: the first one stays. */
const LOADED = Symbol.for("taskonaut.testing");

if (!(LOADED in globalThis)) {
  Reflect.set(globalThis, LOADED, true);
  provide();
}

function provide(): void {
  const known = new Known();
  const runFlow: RunFlow = async (flow, input, options = {}) => {
    const explain = callSite(runFlow);
    try {
      return await runOnce(flow, input, options, { known, limits: readLimits(process.env) });
    } catch (error) {
      throw explain(error);
    }
  };
  const fake: MakeFake = (tool, run) => ({ tool: tool.name, run });
  installGuards();
  Bun.plugin({
    name: "taskonaut",
    setup(build) {
      build.module("taskonaut", () => ({ loader: "object", exports: { ...known.sdk } }));
      build.module("taskonaut/testing", () => ({ loader: "object", exports: { runFlow, fake } }));
      build.module("valibot", () => ({ loader: "object", exports: { ...valibot } }));
    },
  });
  provideTested();
}
