// A flow's program: a pure function from (input, outcomes in the order they were observed) to decisions.
//
// P1. A program sees nothing but its input and the outcomes it is fed, one by one; so feeding the recorded outcomes to
//     a new program leads to the same decisions (replay).
// P2. A decision's identity is its path in the flow's call tree: the branch it stands in, and its number there. What
//     other branches do, or how fast, cannot change it.
// P3. Once `end` is set nothing more is planned, and no step is open.
// P4. A branch is given up (a cancel, a lost race) only where no `finally` block of its own is under way; else as soon
//     as the block has ended. Where that is follows from the flow's code and its record alone.

import type { Watch } from "./determinism.ts";
import type { Flow } from "./flow.ts";
import type { LogMethod } from "../log.ts";
import type { JsonText, StepKind } from "../record/record.ts";
import type { Cut } from "./paths.ts";
import type { Tags } from "../record/tags.ts";
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
  /** Of a branch that was cancelled: it is to begin when what was given up there has ended. */
  readonly cleansUp?: readonly Cut[] | undefined;
}

export type Outcome =
  | { readonly kind: "completed"; readonly output: JsonText }
  | { readonly kind: "failed"; readonly error: JsonText };

/** What a program is told of a step. `held`: it has not begun, and a group that has failed does not wait for it (G5). */
export type Observed = Outcome | { readonly kind: "held" };

export type ProgramEnd = Outcome;

/** What one observation led to. */
export interface Turn {
  readonly planned: readonly Decision[];
  /** Paths of open steps whose outcome nobody waits for any more. */
  readonly abandoned: readonly string[];
  /** Those of the task, where the flow has set some. */
  readonly tags?: Tags;
}

export interface Program {
  /** What it is a program of. */
  readonly flow: Flow;
  /** `plan` flows: steps go one after the other, and a failed one ends the task. */
  readonly isSequential: boolean;
  /** Of the task as the flow has set them, with those that it was created with; undefined: it has set none. */
  readonly tags: Tags | undefined;
  readonly end: ProgramEnd | undefined;
  /** Of the error that it ended with, for whoever looks for a fault. */
  readonly endStack?: string | undefined;
  /** The first call of something that is not deterministic, or that it was cut short. What the program decided since is worth nothing. */
  readonly violation: Watch["violation"];
  /** Why this process cannot go on with it, and another may. What the program decided since is worth nothing. */
  readonly obstacle: string | undefined;
  /** Where the flow's log lines go; undefined while it is replayed. */
  log: LogMethod | undefined;
  /** Once, first. */
  start(): Turn;
  /** Feeds the outcome of an open step; `at` is the recorded time of this observation. */
  observe(path: string, outcome: Observed, at: number): Turn;
  /** Tells the flow that it is cancelled: `finally` blocks run, and may plan. Once. */
  cancel(at: number): Turn;
  /** Paths of the open steps that a cancel would give up now: all but those of `finally` blocks that are under way. */
  givenUpByCancel(): ReadonlySet<string>;
  /** Paths of the open steps that hold back a group of which a member has failed: those may be observed as `held`. */
  holdingBack(): ReadonlySet<string>;
  /** Another one of the same flow for the same task, not started. */
  again(): Program;
}

/** What a program is made for. */
export interface ProgramTask {
  /** What its random numbers are drawn from. */
  readonly id: string;
  /** The recorded text. */
  readonly input: JsonText;
  readonly createdAt: number;
  /** Those that it was created with; by default none. */
  readonly tags?: Tags;
  /** Steps that the task may have here, and once more as many for what its flow cleans up when it is cancelled. */
  readonly stepsMax: number;
}
