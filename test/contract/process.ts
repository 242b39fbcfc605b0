import { join } from "node:path";

import type { StoreAddress } from "../../src/store/address.ts";
import { type Child, startProcess } from "../support/children.ts";

/** `command`: of those in `child.ts`. */
export function startChild(command: string, address: StoreAddress, argument = ""): Child {
  return startProcess(join(import.meta.dir, "child.ts"), [command, JSON.stringify(address), argument]);
}
