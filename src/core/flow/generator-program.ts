// The program of a `run` flow: its generator, driven branch by branch.

import { Branch, type Failed, type Settled } from "./branch.ts";
import { underWatch, type FlowScope, type Shield, type Watch } from "./determinism.ts";
import { TaskonautError } from "../errors.ts";
import type { Flow } from "./flow.ts";
import { toJsonText } from "../record/json.ts";
import type { LogMethod } from "../log.ts";
import { obstacleIn } from "./obstacle.ts";
import { isGenerator, type Leaf } from "./operation.ts";
import type { Cut } from "./paths.ts";
import type { Decision, Observed, Outcome, Program, ProgramEnd, ProgramTask, Turn } from "./program.ts";
import { TAGS_MAX, type Tags, tooManyTags } from "../record/tags.ts";
import { ContractError, isA, readError, stackOf, StepError, storeError } from "../record/stored-error.ts";

export class GeneratorProgram implements Program {
  readonly isSequential = false;
  end: ProgramEnd | undefined;
  endStack: string | undefined;
  obstacle: string | undefined;
  /** What to do with the outcome of each open step. */
  readonly #open = new Map<string, { readonly leaf: Leaf; readonly settle: (outcome: Outcome) => void }>();
  /** Steps that were abandoned: an outcome that was recorded all the same is ignored. */
  readonly #givenUp = new Set<string>();
  #planned: Decision[] = [];
  #abandoned: string[] = [];
  #steps = 0;
  /** Undefined: the flow has set none. */
  tags: Tags | undefined;
  #isTagged = false;
  /** Of every step so far. */
  readonly #paths = new Set<string>();
  /** A path that two steps have: one of them would be lost. */
  #shared: string | undefined;

  readonly #scope: FlowScope;
  readonly #watch: Watch;
  readonly #unused = new Map<object, string>();
  readonly #failed = new Set<Failed>();
  readonly #held = new Set<string>();
  #root: Branch | undefined;

  constructor(
    readonly flow: Flow,
    private readonly run: (input: unknown) => unknown,
    private readonly task: ProgramTask,
  ) {
    this.#scope = {
      taskId: task.id,
      now: task.createdAt,
      path: "",
      shield: undefined,
      draws: new Map(),
      log: undefined,
    };
    this.#watch = { violation: undefined, flow, scope: this.#scope, unused: this.#unused };
  }

  get violation(): Watch["violation"] {
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
      this.#fail(error);
      return this.#turn();
    }
    if (!isGenerator(generator)) {
      throw new TaskonautError(
        "flow_invalid",
        `Flow ${this.flow.name}: run must be a generator function, *run(input) { … }; an async function or a plain one cannot be replayed.`,
      );
    }
    this.#root = new Branch(generator, "", {
      check: (leaf) => this.#check(leaf),
      plan: (leaf, path, settle, cleansUp) => this.#plan(leaf, path, settle, cleansUp),
      note: (tags) => this.#note(tags),
      abandon: (path) => this.#abandon(path),
      failed: this.#failed,
      held: this.#held,
      within: (path, run, shield) => this.#within(path, run, shield),
    });
    // what the flow gives or throws may hold getters, which are the flow's own code
    this.#root.start((settled) => {
      try {
        this.#within("", () => this.#endWith(settled));
      } catch (error) {
        // one that was cut short has no end
        if (!this.violation) throw error;
      }
    });
    return this.#turn();
  }

  again(): Program {
    return new GeneratorProgram(this.flow, this.run, this.task);
  }

  #endWith(settled: Settled): void {
    if (!settled.ok) return this.#fail(settled.error);
    try {
      const output = toJsonText(settled.value);
      if (!output.ok) return this.#fail(new ContractError("The flow's output", output.errors));
      this.end = { kind: "completed", output: output.text };
      this.#tellUnused();
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    this.end = { kind: "failed", error: storeError(error, this.flow.at) };
    this.endStack = isA(error, Error) ? stackOf(error) : undefined;
  }

  cancel(at: number): Turn {
    this.#scope.now = at;
    this.#steps = 0;
    this.#root?.cancel();
    return this.#turn();
  }

  givenUpByCancel(): ReadonlySet<string> {
    const paths = new Set<string>();
    this.#root?.listGivenUp((path) => paths.add(path));
    return paths;
  }

  holdingBack(): ReadonlySet<string> {
    if (this.#failed.size === 0) return NONE;
    const paths = new Set<string>();
    for (const group of this.#failed) group.listGivenUp((path) => paths.add(path));
    return paths;
  }

  observe(path: string, outcome: Observed, at: number): Turn {
    this.#scope.now = at;
    const waiting = this.#open.get(path);
    if (!waiting) {
      if (!this.#givenUp.has(path)) throw new Error(`No open step at path ${path}.`);
    } else if (outcome.kind === "held") {
      this.#held.add(path);
    } else {
      this.#open.delete(path);
      waiting.settle(outcome);
    }
    return this.#turn();
  }

  /** One that is kept for a case that did not come is no mistake; one that was forgotten is, and only a person can tell. */
  #tellUnused(): void {
    if (this.#unused.size === 0) return;
    this.#scope.log?.("the flow has ended, and made operations that it never yielded", {
      task_id: this.task.id,
      operations: [...this.#unused.values()].join(", "),
    });
  }

  #within<T>(path: string, run: () => T, shield?: Shield): T {
    this.#scope.path = path;
    this.#scope.shield = shield;
    try {
      return underWatch(this.#watch, run);
    } catch (error) {
      this.obstacle ??= obstacleIn(error);
      throw error;
    }
  }

  #check({ kind, name, signal }: Leaf): void {
    if (kind !== "signal") return;
    const { signals } = this.flow;
    const declared = signals.get(name);
    if (declared !== undefined && (signal === undefined || signal.schema === declared)) return;
    const known = [...signals.keys()].join(", ") || "none";
    throw new TaskonautError(
      "flow_invalid",
      declared === undefined
        ? `Flow ${this.flow.name} waits for signal ${name}, which it does not declare in its signals (declared: ${known}).`
        : `Flow ${this.flow.name} waits for a signal ${name} that has another contract than the one in its signals. List the same signal in both places.`,
    );
  }

  #plan(leaf: Leaf, path: string, settle: (result: Settled) => void, cleansUp?: readonly Cut[]): void {
    const input = this.#within(path, () => toJsonText(leaf.input));
    if (!input.ok) throw new ContractError(`The input of step ${leaf.name}`, input.errors);
    if (this.#paths.has(path)) this.#shared ??= path;
    this.#paths.add(path);
    this.#planned.push({
      path,
      kind: leaf.kind,
      name: leaf.name,
      target: leaf.target,
      input: input.text,
      tool: leaf.tool,
      flow: leaf.flow,
      cleansUp,
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

  #note(tags: Tags): void {
    const merged = { ...(this.tags ?? this.task.tags), ...tags };
    const count = Object.keys(merged).length;
    if (count > TAGS_MAX) throw new TaskonautError("flow_invalid", `annotate(tags): ${tooManyTags(count)}.`);
    this.tags = merged;
    this.#isTagged = true;
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
    // one that is given up may clean up, and make others go on
    while (Array.from(this.#failed).some((group) => group.giveUpWaits()));
    // thrown here, where no flow can catch it, and before anything of this turn is recorded
    if (this.#shared !== undefined)
      throw new Error(`Two steps of flow ${this.flow.name} have the path ${this.#shared}.`);
    this.#steps += this.#planned.length;
    if (this.#steps > this.task.stepsMax) {
      this.obstacle ??= `The flow plans more than ${this.task.stepsMax} steps, the limit of a task here (TASKONAUT_MAX_STEPS). Where it is higher the task goes on, also to be cancelled.`;
    }
    const turn = {
      planned: this.#planned,
      abandoned: this.#abandoned,
      ...(this.#isTagged && this.tags && { tags: this.tags }),
    };
    this.#isTagged = false;
    this.#planned = [];
    this.#abandoned = [];
    return turn;
  }
}

const NONE: ReadonlySet<string> = new Set();
