// The program of a `plan` flow: a list of calls that go one after the other; a failure ends it at once.

import { underWatch, type Watch } from "./determinism.ts";
import { TaskonautError } from "../errors.ts";
import type { Flow, FlowBody } from "./flow.ts";
import { toJsonText } from "../record/json.ts";
import type { LogMethod } from "../log.ts";
import { checkName } from "./names.ts";
import { obstacleIn } from "./obstacle.ts";
import { operationOf } from "./operation.ts";
import { operationPath } from "./paths.ts";
import type { Decision, Observed, Program, ProgramEnd, ProgramTask, Turn } from "./program.ts";
import { ContractError } from "../record/stored-error.ts";

const NOTHING: Turn = { planned: [], abandoned: [] };

export class PlanProgram implements Program {
  readonly isSequential = true;
  end: ProgramEnd | undefined;
  /** A plan has nothing but calls. */
  readonly tags = undefined;
  obstacle: string | undefined;
  log: LogMethod | undefined;
  readonly #watch: Watch;
  #steps: readonly Decision[] = [];
  /** Of the output: what each step gave, as recorded, under its name. */
  readonly #members: string[] = [];

  constructor(
    readonly flow: Flow,
    private readonly body: Extract<FlowBody, { form: "plan" }>,
    private readonly task: ProgramTask,
  ) {
    const scope = {
      taskId: task.id,
      now: task.createdAt,
      path: "",
      shield: undefined,
      draws: new Map<string, number>(),
      log: refuseLog,
    };
    this.#watch = { violation: undefined, flow, scope };
  }

  get violation(): Watch["violation"] {
    return this.#watch.violation;
  }

  start(): Turn {
    this.#steps = this.#plan();
    if (hasTwice(this.#steps)) {
      throw new TaskonautError(
        "flow_invalid",
        `Flow ${this.flow.name}: two steps of its plan have one name; tell them apart with call(tool, input, { as: "name" }).`,
      );
    }
    if (this.#steps.length === 0) this.end = { kind: "completed", output: "{}" };
    return { planned: this.#steps, abandoned: [] };
  }

  observe(path: string, outcome: Observed): Turn {
    const step = this.#steps[this.#members.length];
    if (step?.path !== path || this.end || outcome.kind === "held") throw new Error(`No open step at path ${path}.`);
    if (outcome.kind === "failed") {
      this.end = outcome;
      return { planned: [], abandoned: this.#pathsFrom(this.#members.length + 1) };
    }
    this.#members.push(`${JSON.stringify(step.name)}:${outcome.output}`);
    if (this.#members.length === this.#steps.length) {
      this.end = { kind: "completed", output: `{${this.#members.join(",")}}` };
    }
    return NOTHING;
  }

  cancel(): Turn {
    const abandoned = [...this.givenUpByCancel()];
    this.end ??= { kind: "completed", output: "null" };
    return { planned: [], abandoned };
  }

  again(): Program {
    return new PlanProgram(this.flow, this.body, this.task);
  }

  #pathsFrom(index: number): string[] {
    return this.#steps.slice(index).map((step) => step.path);
  }

  #plan(): readonly Decision[] {
    try {
      // what the operations are given may hold getters, which are the flow's own code
      return underWatch(this.#watch, () =>
        Array.from(this.body.plan(JSON.parse(this.task.input)), (operation, index) => this.#decide(operation, index)),
      );
    } catch (error) {
      this.obstacle = obstacleIn(error);
      throw error;
    }
  }

  givenUpByCancel(): ReadonlySet<string> {
    return new Set(this.end ? [] : this.#pathsFrom(this.#members.length));
  }

  /** There are no groups. */
  holdingBack(): ReadonlySet<string> {
    return new Set();
  }

  #decide(operation: unknown, index: number): Decision {
    const leaf = operationOf(operation);
    if (leaf?.form !== "leaf" || leaf.kind !== "tool") {
      throw new TaskonautError(
        "flow_invalid",
        `Flow ${this.flow.name}: member ${index} of its plan is not a call(tool, input).`,
      );
    }
    checkName("step", leaf.name);
    const input = underWatch(this.#watch, () => toJsonText(leaf.input));
    if (!input.ok) throw new ContractError(`The input of step ${leaf.name}`, input.errors);
    return {
      path: operationPath("", index),
      kind: leaf.kind,
      name: leaf.name,
      target: leaf.target,
      input: input.text,
      tool: leaf.tool,
      flow: undefined,
    };
  }
}

/** A plan is made before its task is there, and again whenever the task is taken up. */
const refuseLog: LogMethod = () => {
  throw new TaskonautError(
    "flow_invalid",
    "log() has no place in a plan, which is made more than once for one task. Log in a tool, with ctx.log, or write the flow as *run(input) { … }.",
  );
};

/** Whether two steps have one name. */
function hasTwice(steps: readonly Decision[]): boolean {
  // most plans are short, and then a set costs more than it saves
  if (steps.length > 8) return new Set(steps.map((step) => step.name)).size < steps.length;
  return steps.some((step, index) => steps.findIndex((other) => other.name === step.name) < index);
}
