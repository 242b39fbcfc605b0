// The globals of the language and the runtime, including `process`.

import { applyRules, guardArea } from "./areas.ts";
import { markGuarded } from "./guard.ts";
import { guardFetching } from "./modules.ts";
import { guardFormats } from "./formatters.ts";

/** All except `Bun`: the user's own files get a different one (`bun.ts`). */
export function guardGlobals(): void {
  markGuarded(process.env); // several objects have it as a member; it contains only texts, and accepts nothing else
  guardFormats();
  guardFetching(process, "getBuiltinModule", "process");
  guardArea(globalThis, "");
  applyRules(globalThis, "");
}

/** Members of the real `Bun` that take up to 10 ms to read. */
const SLOW_IN_BUN = new Set(
  "$ RedisClient S3Client SQL embeddedFiles env postgres redis s3 sql".split(" ").map((name) => `Bun.${name}`),
);

/**
 * Guards the real `Bun`, for packages that name it. Final members (`Bun.fetch`) and slow ones cannot be guarded there.
 */
export function guardRealBun(): void {
  guardArea(Bun, "Bun", SLOW_IN_BUN);
  applyRules(Bun, "Bun");
}
