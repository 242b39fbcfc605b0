// What a flow yields: operations. A leaf becomes a step; a group holds members that go on side by side.

import type { StepKind } from "./record.ts";
import type { Tool } from "./tool.ts";

const OPERATION = Symbol("taskonaut.operation");

/** `yield*` an operation and it gives its outcome: the output, or it throws the error. */
export interface Operation<T> {
  readonly [OPERATION]: Leaf | Group;
  [Symbol.iterator](): Generator<Operation<unknown>, T, unknown>;
}

export interface Leaf {
  readonly form: "leaf";
  readonly kind: StepKind;
  /** The name of the step; where a tool comes twice, `as` tells them apart. */
  readonly name: string;
  readonly target: string | null;
  readonly input: unknown;
  /** For `tool`: the tool itself. */
  readonly tool?: Tool;
}

export interface Group {
  readonly form: "all" | "race";
  /** In order of definition; the key is part of the members' paths. */
  readonly members: readonly (readonly [key: string, member: Member])[];
  /** An array was given, so an array comes back. */
  readonly isList: boolean;
}

/** An operation, or a branch: a generator that yields operations. */
export type Member<T = unknown> = Operation<T> | Generator<Operation<unknown>, T, unknown>;

type Given<M> = M extends Member<infer T> ? T : never;

export interface CallOptions {
  /** The step's name, where it should not be the tool's. */
  readonly as?: string;
}

/** One step: this tool, with this input. Gives the tool's output. */
export function call<In, Out>(
  tool: Tool<In, unknown, Out>,
  input: NoInfer<In>,
  options: CallOptions = {},
): Operation<Out> {
  return operation<Out>({ form: "leaf", kind: "tool", name: options.as ?? tool.name, target: tool.name, input, tool });
}

/**
 * All members side by side; gives all their outcomes in the shape it was given (object or array). After a failure the
 * members that have started come to their end; then the failure that was recorded first is thrown.
 */
export function all<const M extends readonly Member[] | { readonly [key: string]: Member }>(
  members: M,
): Operation<{ -readonly [K in keyof M]: Given<M[K]> }> {
  return operation({ form: "all", members: Object.entries(members), isList: Array.isArray(members) });
}

/** The outcome that is recorded first, a failure too; the others are aborted. */
export function race<const M extends readonly Member[] | { readonly [key: string]: Member }>(
  members: M,
): Operation<Given<M[keyof M]>> {
  return operation({ form: "race", members: Object.entries(members), isList: Array.isArray(members) });
}

/** The operation inside of a yielded value, undefined where it is none. */
export function operationOf(value: unknown): Leaf | Group | undefined {
  return typeof value === "object" && value !== null && OPERATION in value
    ? (value as Operation<unknown>)[OPERATION]
    : undefined;
}

export function isGenerator(value: unknown): value is Generator<unknown, unknown, unknown> {
  return typeof value === "object" && value !== null && "next" in value && "throw" in value && Symbol.iterator in value;
}

function operation<T>(what: Leaf | Group): Operation<T> {
  const self: Operation<T> = {
    [OPERATION]: what,
    *[Symbol.iterator]() {
      return (yield self) as T;
    },
  };
  return self;
}
