// What a process that tests flows has loaded before the first test: "taskonaut", "taskonaut/testing" and "valibot" for
// whoever imports them, the guards, and flow files in the words in which they run in production. The build makes one file
// of it, which `taskonaut test` gives to its runner, and `init` writes for a Bun of one's own.

import * as valibot from "valibot";
import { installGuards } from "../flows/guards.ts";
import { provideModules } from "../flows/prepare.ts";
import { refuseEnds } from "../refuse-ends.ts";
import { createTesting } from "./create-testing.ts";
import { withUsersLines } from "./own-lines.ts";
import { provideTested } from "./provide-tested.ts";

/** Two copies would not know each other's flows: the first one stays. */
const LOADED = Symbol.for("taskonaut.testing");

if (!(LOADED in globalThis)) {
  Reflect.set(globalThis, LOADED, true);
  // whatever a test starts, it means that program
  Reflect.deleteProperty(process.env, "BUN_BE_BUN");
  // else a test that leaves with 0 passes for all those that follow
  refuseEnds(withUsersLines);
  installGuards();
  provideTested();
  const { sdk, testing } = createTesting(process.env);
  provideModules({ taskonaut: sdk, "taskonaut/testing": testing, valibot });
}
