// A flow's program: a pure function from (input, outcomes in the order they were observed) to decisions.
//
// P1. A program sees nothing but its input and the outcomes it is fed, one by one; so feeding the recorded outcomes to
//     a new program leads to the same decisions (replay).
// P2. A decision's identity is its path in the flow's call tree: the branch it stands in, and its number there. What
//     other branches do, or how fast, cannot change it.
// P3. Once `end` is set nothing more is planned, and no step is open.

import { TaskonautError } from "./errors.ts";
import { Branch } from "./branch.ts";
import type { Flow } from "./flow.ts";
import { toJsonText } from "./json.ts";
import { DEFAULT_LIMITS } from "./limits.ts";
import { isGenerator, type Leaf } from "./operation.ts";
import { ContractError, StepError, readError, storeError } from "./stored-error.ts";
import type { JsonText, StepKind } from "./record.ts";
import { planProgram } from "./plan-program.ts";
import type { Tool } from "./tool.ts";

/** One step that the flow has decided on. */
export interface Decision {
  readonly path: string;
  readonly kind: StepKind;
  readonly name: string;
  readonly target: string | null;
  readonly input: JsonText;
  readonly tool: Tool | undefined;
}

export type Outcome =
  | { readonly kind: "completed"; readonly output: JsonText }
  | { readonly kind: "failed"; readonly error: JsonText };

export type ProgramEnd = Outcome;

/** What one observation led to. */
export interface Turn {
  readonly planned: readonly Decision[];
  /** Paths of open steps whose outcome nobody waits for any more. */
  readonly abandoned: readonly string[];
}

export interface Program {
  /** `plan` flows: steps go one after the other, and a failed one ends the task. */
  readonly isSequential: boolean;
  readonly end: ProgramEnd | undefined;
  /** Once, first. */
  start(): Turn;
  /** Feeds the outcome of an open step. */
  observe(path: string, outcome: Outcome): Turn;
}

/**
 * `input` is the recorded text. Nothing of the flow runs before `start`. A `run` flow that plans more than `stepsMax`
 * steps in all ends with a failure; how many a `plan` flow may have is checked where its task is created.
 */
export function createProgram(flow: Flow, input: JsonText, stepsMax: number = DEFAULT_LIMITS.stepsPerTask): Program {
  const { name, body } = flow;
  if (body.form === "plan") return planProgram(name, body, input);
  return new GeneratorProgram(name, body.run, input, stepsMax);
}

class GeneratorProgram implements Program {
  readonly isSequential = false;
  end: ProgramEnd | undefined;
  /** What to do with the outcome of each open step. */
  readonly #open = new Map<string, { readonly leaf: Leaf; readonly settle: (outcome: Outcome) => void }>();
  /** Steps that were abandoned: an outcome that was recorded all the same is ignored. */
  readonly #givenUp = new Set<string>();
  #planned: Decision[] = [];
  #abandoned: string[] = [];
  #steps = 0;

  constructor(
    private readonly flowName: string,
    private readonly run: (input: unknown) => unknown,
    private readonly input: JsonText,
    private readonly stepsMax: number,
  ) {}

  start(): Turn {
    let generator: unknown;
    try {
      generator = this.run(JSON.parse(this.input));
    } catch (error) {
      this.end = { kind: "failed", error: storeError(error) };
      return this.#turn();
    }
    if (!isGenerator(generator)) {
      throw new TaskonautError(
        "flow_invalid",
        `Flow ${this.flowName}: run must be a generator function, *run(input) { … }; an async function or a plain one cannot be replayed.`,
      );
    }
    const root = new Branch(generator, "", {
      plan: (leaf, path, settle) => this.#plan(leaf, path, settle),
      abandon: (path) => this.#abandon(path),
    });
    root.start((settled) => {
      this.end = settled.ok ? endOf(settled.value) : { kind: "failed", error: storeError(settled.error) };
    });
    return this.#turn();
  }

  observe(path: string, outcome: Outcome): Turn {
    const waiting = this.#open.get(path);
    if (waiting) {
      this.#open.delete(path);
      waiting.settle(outcome);
    } else if (!this.#givenUp.has(path)) throw new Error(`No open step at path ${path}.`);
    return this.#turn();
  }

  #plan(leaf: Leaf, path: string, settle: (result: Settled) => void): void {
    const input = toJsonText(leaf.input);
    if (!input.ok) throw new ContractError(`The input of step ${leaf.name}`, input.errors);
    this.#planned.push({
      path,
      kind: leaf.kind,
      name: leaf.name,
      target: leaf.target,
      input: input.text,
      tool: leaf.tool,
    });
    this.#open.set(path, {
      leaf,
      settle: (outcome) =>
        settle(
          outcome.kind === "completed"
            ? { ok: true, value: JSON.parse(outcome.output) }
            : { ok: false, error: new StepError(leaf.name, readError(outcome.error)) },
        ),
    });
  }

  #abandon(path: string): void {
    this.#open.delete(path);
    const planned = this.#planned.findIndex((decision) => decision.path === path);
    // decided and given up within one turn: it never was a step
    if (planned >= 0) this.#planned.splice(planned, 1);
    else {
      this.#abandoned.push(path);
      this.#givenUp.add(path);
    }
  }

  #turn(): Turn {
    this.#steps += this.#planned.length;
    if (this.#steps > this.stepsMax) return this.#exceed();
    const turn = { planned: this.#planned, abandoned: this.#abandoned };
    this.#planned = [];
    this.#abandoned = [];
    return turn;
  }

  /** Nothing that was decided in this turn becomes a step, and what is open is given up. */
  #exceed(): Turn {
    const error = new Error(`The flow plans more than ${this.stepsMax} steps, the limit of a task.`);
    this.end = { kind: "failed", error: storeError(error) };
    for (const { path } of this.#planned) this.#open.delete(path);
    const abandoned = [...this.#abandoned, ...this.#open.keys()];
    this.#open.clear();
    return { planned: [], abandoned };
  }
}

/** How an operation or a branch came out, inside of the program. */
export type Settled = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly error: unknown };

function endOf(value: unknown): ProgramEnd {
  const output = toJsonText(value);
  if (output.ok) return { kind: "completed", output: output.text };
  return { kind: "failed", error: storeError(new ContractError("The flow's output", output.errors)) };
}
