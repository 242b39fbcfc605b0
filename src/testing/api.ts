// What a test imports as "taskonaut/testing", as types: `init` writes them for editors. They name nothing but what
// "taskonaut" exports, and themselves.

import type { Duration, Flow, Progress, Tool, ToolContext } from "../sdk/taskonaut.ts";

/** What a fake is given beside the tool's input. */
export interface FakeContext extends ToolContext {
  /** Takes simulated time: `await sleep("45s")` makes a slow tool, and a test of a timeout. Ends early, with an error, when the attempt is aborted. */
  readonly sleep: (duration: Duration) => Promise<void>;
}

/** Stands in for a tool: gives what the tool's output contract takes, or throws. It may be async. */
// oxlint-disable-next-line typescript/no-explicit-any -- of a tool that is named by a text, only the contract knows the input
export type FakeTool = (input: any, context: FakeContext) => unknown;

/** A fake with the tool that it stands in for: `fake(getQuote, ({ sku }) => ({ cents: 5 }))`. */
export interface Fake {
  readonly tool: string;
  readonly run: FakeTool;
}

/** A fake whose input and output have the types of the tool's contracts. */
export type MakeFake = <In, Parsed, Out>(
  tool: Tool<In, Parsed, Out>,
  run: (input: Parsed, context: FakeContext) => Out | Promise<Out>,
) => Fake;

/** When something happens to a task. */
export interface Moment {
  /** So long after the flow began, in its own time. Default: at once. */
  readonly at?: Duration;
  /** Not before the step of this name has an outcome: `at` counts from then. */
  readonly after?: string;
}

export interface TimedSignal extends Moment {
  readonly name: string;
  /** Checked by the contract that the flow declares for the signal. */
  readonly payload?: unknown;
  /** Of a child: the name of its flow. Every task of that flow that has not ended hears it. Default: the flow that is run. */
  readonly flow?: string;
}

export interface TimedCancel extends Moment {
  /** Ends the task whatever its flow would clean up. */
  readonly force?: boolean;
}

export interface RunOptions {
  /** Fakes by the name of their tool, or a list that `fake` made. A tool without a fake runs really. */
  readonly tools?: Readonly<Record<string, FakeTool>> | readonly Fake[];
  /** Default: none comes. */
  readonly signals?: readonly TimedSignal[];
  readonly cancel?: TimedCancel;
  /** Stops after so much simulated time, whatever the flow still waits for. Default: it runs until it has ended, or waits for what does not come. */
  readonly until?: Duration;
  /** When simulated time begins. Default: 2026-01-01T00:00:00Z. */
  readonly startsAt?: Date | string;
  /** Another one gives the task another id, and so other values of `random()` and `uuid()`. Default: 1. */
  readonly seed?: number;
}

export type RunStatus = "PLANNED" | "RUNNING" | "WAITING_OBSERVATION" | "COMPLETED" | "FAILED" | "CANCELLED";

export interface RunError {
  /** The class that was thrown. */
  readonly name: string;
  readonly message: string;
  /** `<file>:<line>:<column>` in the user's code, where it is known. */
  readonly at?: string;
  readonly [more: string]: unknown;
}

export interface RunStep {
  /** From 1, in the order of planning. */
  readonly index: number;
  readonly name: string;
  readonly kind: "tool" | "sleep" | "signal" | "child";
  readonly status: "PLANNED" | "RUNNING" | "COMPLETED" | "FAILED" | "CANCELLED";
  readonly input: unknown;
  /** Undefined where it has not completed. */
  readonly output: unknown;
  readonly error: RunError | undefined;
}

/** One call of a tool, real or fake: each attempt is one. */
export interface Effect {
  readonly tool: string;
  readonly input: unknown;
  /** The idempotency key: the same for every attempt. */
  readonly key: string;
  /** 1 for the first. */
  readonly attempt: number;
}

/** What a tool, real or fake, told by `ctx.progress`. */
export interface ToldProgress extends Progress {
  readonly tool: string;
  /** The idempotency key of its call. */
  readonly key: string;
  readonly attempt: number;
}

export interface LogLine {
  readonly level: "error" | "warn" | "info" | "debug";
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** What the flow waits for: time, a signal, a child, the next attempt of a tool, or somebody who settles a step in doubt. */
export interface RunWait {
  readonly kind: "time" | "signal" | "child" | "retry" | "doubt" | "limit" | "pause";
  readonly name: string | null;
  /** Milliseconds after the flow began; null: no time is set. */
  readonly until: number | null;
}

export interface TaskRun<Out = unknown> {
  readonly id: string;
  readonly flow: string;
  readonly status: RunStatus;
  /** What the flow returned, as JSON carries it; undefined where it has not completed. */
  readonly output: Out | undefined;
  /** Why it has failed; undefined where it has not. */
  readonly error: RunError | undefined;
  readonly steps: readonly RunStep[];
  /** Empty where it has ended. */
  readonly waitingFor: readonly RunWait[];
}

/** How the run of a flow went. All of it is plain data. */
export interface FlowRun<Out = unknown> extends TaskRun<Out> {
  /** Every call of a tool in the order of their beginning, those of children too. */
  readonly effects: readonly Effect[];
  /** What the flow and its tools logged, in order, those of children too. Lines of tools name their task, flow, step and attempt. */
  readonly logs: readonly LogLine[];
  /** What tools told of their progress, in order. */
  readonly progress: readonly ToldProgress[];
  /** Simulated milliseconds from its begin to its end. */
  readonly duration: number;
  /** The tasks of `runChild`, in the order of their creation. */
  readonly children: readonly TaskRun[];
}

/**
 * Runs a flow in memory, with the engine that runs it in production: contracts, retries, guards and the comparison with the
 * record are the same. Time is simulated: it jumps to the next moment that something waits for when nothing else goes on.
 * Throws where the flow is not deterministic, where its input or a signal breaks a contract, and where an option names what
 * there is not. A flow that fails is no error of the run: `status` is FAILED then, and `error` tells.
 */
export type RunFlow = <In, Out>(flow: Flow<In, Out>, input: NoInfer<In>, options?: RunOptions) => Promise<FlowRun<Out>>;
