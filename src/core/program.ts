// A flow's program: a pure function from (input, outcomes in the order they were observed) to decisions.
//
// P1. A program sees nothing but its input and the outcomes it is fed, one by one; so feeding the recorded outcomes to
//     a new program leads to the same decisions (replay).
// P2. A decision's identity is its path in the flow's call tree: the branch it stands in, and its number there. What
//     other branches do, or how fast, cannot change it.
// P3. Once `end` is set nothing more is planned, and no step is open.

import { underWatch, type DeterminismError, type FlowScope, type Watch } from "./determinism.ts";
import { TaskonautError } from "./errors.ts";
import { Branch } from "./branch.ts";
import type { Flow } from "./flow.ts";
import { forgottenCalls } from "./forgotten.ts";
import { toJsonText } from "./json.ts";
import type { LogMethod } from "./log.ts";
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
  readonly flow: Flow | undefined;
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
  /** The first call of something that is not deterministic. What the program decided since is worth nothing. */
  readonly violation: DeterminismError | undefined;
  /** Where the flow's log lines go; undefined while it is replayed. */
  log: LogMethod | undefined;
  /** Once, first. */
  start(): Turn;
  /** Feeds the outcome of an open step; `at` is the recorded time of this observation. */
  observe(path: string, outcome: Outcome, at: number): Turn;
  /** Tells the flow that it is cancelled: `finally` blocks run, and may plan. Once. */
  cancel(at: number): Turn;
}

/** What a program is made for. */
export interface ProgramTask {
  readonly id: string;
  /** The recorded text. */
  readonly input: JsonText;
  readonly createdAt: number;
  /** Steps that the task may have in all. */
  readonly stepsMax: number;
}

/**
 * Nothing of the flow runs before `start`. A `run` flow that plans more than its `stepsMax` ends with a failure; how
 * many a `plan` flow may have is checked where its task is created.
 */
export function createProgram(flow: Flow, task: ProgramTask): Program {
  const { body } = flow;
  return body.form === "plan" ? planProgram(flow, body, task) : new GeneratorProgram(flow, body.run, task);
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

  readonly #scope: FlowScope;
  readonly #watch: Watch;
  readonly #unused = new Map<object, string>();
  #root: Branch | undefined;

  constructor(
    private readonly flow: Flow,
    private readonly run: (input: unknown) => unknown,
    private readonly task: ProgramTask,
  ) {
    this.#scope = { taskId: task.id, now: task.createdAt, path: "", draws: new Map(), log: undefined };
    this.#watch = { violation: undefined, scope: this.#scope, unused: this.#unused };
  }

  get violation(): DeterminismError | undefined {
    return this.#watch.violation;
  }

  get log(): LogMethod | undefined {
    return this.#scope.log;
  }

  set log(log: LogMethod | undefined) {
    this.#scope.log = log;
  }

  start(): Turn {
    let generator: unknown;
    try {
      generator = this.#within("", () => this.run(JSON.parse(this.task.input)));
    } catch (error) {
      this.end = { kind: "failed", error: storeError(error) };
      return this.#turn();
    }
    if (!isGenerator(generator)) {
      throw new TaskonautError(
        "flow_invalid",
        `Flow ${this.flow.name}: run must be a generator function, *run(input) { … }; an async function or a plain one cannot be replayed.`,
      );
    }
    this.#root = new Branch(generator, "", {
      plan: (leaf, path, settle) => this.#plan(leaf, path, settle),
      abandon: (path) => this.#abandon(path),
      within: (path, run) => this.#within(path, run),
    });
    this.#root.start((settled) => {
      const ended = settled.ok ? (this.#checkUsed() ?? settled) : settled;
      this.end = ended.ok ? endOf(ended.value) : { kind: "failed", error: storeError(ended.error) };
    });
    return this.#turn();
  }

  cancel(at: number): Turn {
    this.#scope.now = at;
    this.#root?.cancel();
    return this.#turn();
  }

  observe(path: string, outcome: Outcome, at: number): Turn {
    this.#scope.now = at;
    const waiting = this.#open.get(path);
    if (waiting) {
      this.#open.delete(path);
      waiting.settle(outcome);
    } else if (!this.#givenUp.has(path)) throw new Error(`No open step at path ${path}.`);
    return this.#turn();
  }

  /** A flow that forgot a `yield*` has not done what its author thinks it has. */
  #checkUsed(): Settled | undefined {
    if (this.#unused.size === 0) return undefined;
    return { ok: false, error: forgottenCalls(this.flow.name, this.#unused.values()) };
  }

  #within<T>(path: string, run: () => T): T {
    this.#scope.path = path;
    return underWatch(this.#watch, run);
  }

  #plan(leaf: Leaf, path: string, settle: (result: Settled) => void): void {
    if (leaf.kind === "signal" && !this.flow.signals.has(leaf.name)) {
      const known = [...this.flow.signals.keys()].join(", ") || "none";
      throw new TaskonautError(
        "flow_invalid",
        `Flow ${this.flow.name} waits for signal ${leaf.name}, which it does not declare in its signals (declared: ${known}).`,
      );
    }
    const input = toJsonText(leaf.input);
    if (!input.ok) throw new ContractError(`The input of step ${leaf.name}`, input.errors);
    this.#planned.push({
      path,
      kind: leaf.kind,
      name: leaf.name,
      target: leaf.target,
      input: input.text,
      tool: leaf.tool,
      flow: leaf.flow,
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
    if (this.#steps > this.task.stepsMax) return this.#exceed();
    const turn = { planned: this.#planned, abandoned: this.#abandoned };
    this.#planned = [];
    this.#abandoned = [];
    return turn;
  }

  /** Nothing that was decided in this turn becomes a step, and what is open is given up. */
  #exceed(): Turn {
    const error = new Error(
      `The flow plans more than ${this.task.stepsMax} steps, the limit of a task (TASKONAUT_MAX_STEPS).`,
    );
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
