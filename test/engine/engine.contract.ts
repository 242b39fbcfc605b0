import { describe } from "bun:test";
import { benchOn } from "../support/bench.ts";
import type { EngineDatabase } from "../support/databases.ts";
import { flowContract } from "./flows.contract.ts";
import { lifeContract } from "./life.contract.ts";
import { toolContract } from "./tools.contract.ts";

/** What the engine promises, whatever the store. */
export function engineContract(name: string, createDatabase: () => Promise<EngineDatabase>): void {
  describe(`the engine on ${name}`, () => {
    const bench = benchOn(createDatabase);
    lifeContract(bench);
    toolContract(bench);
    flowContract(bench);
  });
}
