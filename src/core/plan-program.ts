// The program of a `plan` flow: a list of calls that go one after the other; a failure ends it at once.

import { TaskonautError } from "./errors.ts";
import type { FlowBody } from "./flow.ts";
import { toJsonText } from "./json.ts";
import { checkName } from "./names.ts";
import { operationOf } from "./operation.ts";
import type { Decision, Outcome, Program, ProgramEnd, Turn } from "./program.ts";
import type { JsonText } from "./record.ts";
import { ContractError } from "./stored-error.ts";

export function planProgram(flowName: string, body: Extract<FlowBody, { form: "plan" }>, input: JsonText): Program {
  return new PlanProgram(flowName, body, input);
}

const NOTHING: Turn = { planned: [], abandoned: [] };

class PlanProgram implements Program {
  readonly isSequential = true;
  end: ProgramEnd | undefined;
  #steps: readonly Decision[] = [];
  readonly #outputs: [name: string, output: unknown][] = [];

  constructor(
    private readonly flowName: string,
    private readonly body: Extract<FlowBody, { form: "plan" }>,
    private readonly input: JsonText,
  ) {}

  start(): Turn {
    this.#steps = this.body.plan(JSON.parse(this.input)).map((operation, index) => this.#decide(operation, index));
    const names = new Set(this.#steps.map((step) => step.name));
    if (names.size < this.#steps.length) {
      throw new TaskonautError(
        "flow_invalid",
        `Flow ${this.flowName}: two steps of its plan have one name; tell them apart with call(tool, input, { as: "name" }).`,
      );
    }
    if (this.#steps.length === 0) this.end = { kind: "completed", output: "{}" };
    return { planned: this.#steps, abandoned: [] };
  }

  observe(path: string, outcome: Outcome): Turn {
    const step = this.#steps[this.#outputs.length];
    if (step?.path !== path || this.end) throw new Error(`No open step at path ${path}.`);
    if (outcome.kind === "failed") {
      this.end = outcome;
      return NOTHING;
    }
    this.#outputs.push([step.name, JSON.parse(outcome.output)]);
    if (this.#outputs.length === this.#steps.length) {
      this.end = { kind: "completed", output: JSON.stringify(Object.fromEntries(this.#outputs)) };
    }
    return NOTHING;
  }

  #decide(operation: unknown, index: number): Decision {
    const leaf = operationOf(operation);
    if (leaf?.form !== "leaf" || leaf.kind !== "tool") {
      throw new TaskonautError(
        "flow_invalid",
        `Flow ${this.flowName}: member ${index} of its plan is not a call(tool, input).`,
      );
    }
    checkName("step", leaf.name);
    const input = toJsonText(leaf.input);
    if (!input.ok) throw new ContractError(`The input of step ${leaf.name}`, input.errors);
    return {
      path: `/${index}`,
      kind: leaf.kind,
      name: leaf.name,
      target: leaf.target,
      input: input.text,
      tool: leaf.tool,
    };
  }
}
