// What a flow yields: operations. A leaf becomes a step; a group holds members that go on side by side.

import { noteMade, noteUsed } from "./determinism.ts";
import { toMilliseconds, type Duration } from "./duration.ts";
import { TaskonautError } from "../errors.ts";
import type { Flow } from "./flow.ts";
import type { StepKind } from "../record/record.ts";
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
  /** For `child`: the flow itself. */
  readonly flow?: Flow;
}

export interface Group {
  readonly form: "all" | "race";
  /** In order of definition; a key is part of its member's path. */
  readonly keys: readonly string[];
  /** Asked once for each key, when the member's turn has come. */
  readonly memberOf: (key: string) => Member;
  /** All of them, where they are there already. */
  readonly members?: readonly Member[];
  /** An array was given, so an array comes back. */
  readonly isList: boolean;
  /** How many members go on at once, 1 or more. */
  readonly concurrency: number;
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
  if (typeof tool?.run !== "function") throw notGiven("call(tool, input)", "a tool (defineTool)", tool);
  return operation<Out>({ form: "leaf", kind: "tool", name: options.as ?? tool.name, target: tool.name, input, tool });
}

/**
 * All members side by side; gives all their outcomes in the shape it was given (object or array). After a failure the
 * members that have started come to their end; then the failure that was recorded first is thrown.
 */
export function all<const M extends readonly Member[] | { readonly [key: string]: Member }>(
  members: M,
): Operation<{ -readonly [K in keyof M]: Given<M[K]> }> {
  return operation({ form: "all", ...given(members) });
}

/** The outcome that is recorded first, a failure too; the others are aborted. */
export function race<const M extends readonly Member[] | { readonly [key: string]: Member }>(
  members: M,
): Operation<Given<M[keyof M]>> {
  return operation({ form: "race", ...given(members) });
}

/**
 * One member for each item, at most `concurrency` (default 10) at once; gives all outcomes in the order of the items.
 * `fn` makes an operation or a branch. After a failure no more are begun, those under way come to their end.
 */
export function map<Item, T>(
  items: readonly Item[],
  fn: (item: Item, index: number) => Member<T>,
  { concurrency = 10 }: { readonly concurrency?: number } = {},
): Operation<T[]> {
  if (!Number.isInteger(concurrency) || concurrency < 1) {
    throw new TaskonautError("flow_invalid", `map: concurrency must be an integer, 1 or more, got ${concurrency}.`);
  }
  const copy = [...items];
  return operation({
    form: "all",
    keys: copy.map((_item, index) => String(index)),
    memberOf: (key) => fn(copy[Number(key)] as Item, Number(key)),
    isList: true,
    concurrency,
  });
}

/** Lets this time pass, by the store's clock; nothing runs meanwhile. */
export function sleep(duration: Duration): Operation<void> {
  return operation({
    form: "leaf",
    kind: "sleep",
    name: "sleep",
    target: null,
    input: { ms: toMilliseconds(duration) },
  });
}

/**
 * Waits for the next signal of this name that no other wait has taken, and gives its payload. With a timeout: throws a
 * StepError whose reason is a TimeoutError when it has passed.
 */
export function waitForSignal<T = unknown>(name: string, options: { readonly timeout?: Duration } = {}): Operation<T> {
  const input = options.timeout === undefined ? {} : { timeout_ms: toMilliseconds(options.timeout) };
  return operation({ form: "leaf", kind: "signal", name, target: name, input });
}

/** A task of its own, once, whatever crashes; gives its output, or throws its failure. Cancelled with its parent. */
export function runChild<In, Out>(flow: Flow<In, Out>, input: NoInfer<In>, options: CallOptions = {}): Operation<Out> {
  if (typeof flow?.body !== "object") throw notGiven("runChild(flow, input)", "a flow (defineFlow)", flow);
  return operation({
    form: "leaf",
    kind: "child",
    name: options.as ?? flow.name,
    target: flow.name,
    input,
    flow,
  });
}

/** Files that import each other may be given what is not there yet. */
function notGiven(use: string, what: string, got: unknown): TaskonautError {
  return new TaskonautError(
    "flow_invalid",
    `${use} needs ${what}, and got ${got === null ? "null" : typeof got}. Is it exported, and do its file and this one not import each other?`,
  );
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

function given(members: readonly Member[] | { readonly [key: string]: Member }): Omit<Group, "form"> {
  const isList = Array.isArray(members);
  const byKey = new Map<string, Member>(isList ? entriesOf(members) : Object.entries(members));
  for (const member of byKey.values()) noteUsed(member);
  return {
    keys: [...byKey.keys()],
    memberOf: (key) => byKey.get(key) as Member,
    members: [...byKey.values()],
    isList,
    concurrency: Number.POSITIVE_INFINITY,
  };
}

/** Also of holes, and of nothing but members: what is given back is as long as what was given. */
function entriesOf(members: readonly Member[]): [string, Member][] {
  return Array.from(members, (member, at) => [String(at), member]);
}

/** What `yield*` is given: it yields itself once, and returns what comes back. */
class Decided<T> implements Operation<T> {
  readonly [OPERATION]: Leaf | Group;

  constructor(what: Leaf | Group) {
    this[OPERATION] = what;
  }

  *[Symbol.iterator](): Generator<Operation<unknown>, T, unknown> {
    noteUsed(this);
    return (yield this) as T;
  }
}

function operation<T>(what: Leaf | Group): Operation<T> {
  const self = new Decided<T>(what);
  noteMade(self, what.form === "leaf" ? what.name : `${what.form}(…)`);
  return self;
}
