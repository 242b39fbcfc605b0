import type { Flow } from "../core/flow/flow.ts";
import { echoAdd } from "./echo-add.ts";

/** These flows come with the program. A user's flow cannot have their names. */
export const BUILT_IN_FLOWS: readonly Flow[] = [echoAdd];
