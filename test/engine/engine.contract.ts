import { describe } from "bun:test";
import { benchOn } from "../support/bench.ts";
import type { EngineDatabase } from "../support/databases.ts";
import { changedFlowContract } from "./changed-flows.contract.ts";
import { closingContract } from "./closing.contract.ts";
import { flowContract } from "./flows.contract.ts";
import { halfwayContract } from "./halfway.contract.ts";
import { lifeContract } from "./life.contract.ts";
import { signalFormContract } from "./signal-forms.contract.ts";
import { toolContract } from "./tools.contract.ts";
import { turnContract } from "./turns.contract.ts";

/** What the engine promises, whatever the store. */
export function engineContract(name: string, createDatabase: () => Promise<EngineDatabase>): void {
  describe(`the engine on ${name}`, () => {
    const bench = benchOn(createDatabase);
    lifeContract(bench);
    toolContract(bench);
    turnContract(bench);
    halfwayContract(bench);
    closingContract(bench);
    flowContract(bench);
    changedFlowContract(bench);
    signalFormContract(bench);
  });
}
