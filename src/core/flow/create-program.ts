import type { Flow } from "./flow.ts";
import { GeneratorProgram } from "./generator-program.ts";
import { PlanProgram } from "./plan-program.ts";
import type { Program, ProgramTask } from "./program.ts";

/**
 * Nothing of the flow runs before `start`. A `run` flow that plans more than its `stepsMax` has an `obstacle`;
 * how many a `plan` flow may have is checked where its task is created.
 */
export function createProgram(flow: Flow, task: ProgramTask): Program {
  const { body } = flow;
  return body.form === "plan" ? new PlanProgram(flow, body, task) : new GeneratorProgram(flow, body.run, task);
}
