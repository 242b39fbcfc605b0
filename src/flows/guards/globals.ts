// The globals: those of the language and of the runtime, `process` among them.

import { applyRules, guardArea } from "./areas.ts";
import { markGuarded } from "./guard.ts";
import { guardFetching } from "./modules.ts";
import { guardFormats } from "./formatters.ts";

/** All but `Bun`: the user's own files get another one (`bun.ts`). */
export function guardGlobals(): void {
  markGuarded(process.env); // several things hang it on themselves; it has texts only, and takes nothing else
  guardFormats();
  guardFetching(process, "getBuiltinModule", "process");
  guardArea(globalThis, "");
  applyRules(globalThis, "");
}

/** Members of the real `Bun` that take up to 10 ms to look at. */
const SLOW_IN_BUN = new Set(
  "$ RedisClient S3Client SQL embeddedFiles env postgres redis s3 sql".split(" ").map((name) => `Bun.${name}`),
);

/** The real one, for packages that name it: what is final (`Bun.fetch`) and what is slow is out of reach there. */
export function guardRealBun(): void {
  guardArea(Bun, "Bun", SLOW_IN_BUN);
  applyRules(Bun, "Bun");
}
