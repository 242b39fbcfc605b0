// What tools did, whoever called them and whatever became of it: the lines of the file of effects.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Sandbox } from "../e2e/harness.ts";
import type { Effect } from "./flows/tools.ts";

const FLOWS = join(import.meta.dir, "flows");

/** What a process of the place is given, so that its tools can be told by their effects. */
export function effectsEnv({ folder }: Pick<Sandbox, "folder">): Readonly<Record<string, string>> {
  return { EFFECTS: pathIn(folder), TASKONAUT_FLOWS: FLOWS, LOG_LEVEL: "warn" };
}

/** In the order in which they were written. */
export function readEffects({ folder }: Pick<Sandbox, "folder">): readonly Effect[] {
  const path = pathIn(folder);
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, "utf8").split("\n").filter(Boolean);
  return lines.map((line) => JSON.parse(line) as Effect);
}

/** How many there are. */
export function countEffects({ folder }: Pick<Sandbox, "folder">): number {
  const path = pathIn(folder);
  return existsSync(path) ? readFileSync(path, "latin1").split("\n").length - 1 : 0;
}

function pathIn(folder: string): string {
  return join(folder, "effects");
}
