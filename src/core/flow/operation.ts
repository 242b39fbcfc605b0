// What a flow yields: operations. A leaf becomes a step; a group holds members that go on side by side.

import { DefinitionError, Faults, isObject, type Options, tellGiven } from "./definition.ts";
import { noteMade, noteUsed } from "./determinism.ts";
import { type Duration, toMs } from "../record/duration.ts";
import { tellWrongDuration } from "./duration.ts";
import { TaskonautError } from "../errors.ts";
import type { Flow } from "./flow.ts";
import type { StepKind } from "../record/record.ts";
import { tagViolations, type Tags } from "../record/tags.ts";
import { isName, tellWrongName } from "./names.ts";
import { isSignal, type Signal } from "./signal.ts";
import type { Tool } from "./tool.ts";

const OPERATION = Symbol("taskonaut.operation");

/**
 * `yield*` an operation and it gives its outcome: the output, or it throws the error. `Waits` are the names of the signals that it
 * is known to wait for, so that the compiler can look for them in the flow's `signals`; `string`: nobody knows.
 */
export interface Operation<T, Waits extends string = string> {
  readonly [OPERATION]: Leaf | Group | Note;
  [Symbol.iterator](): Generator<Operation<unknown, Waits>, T, unknown>;
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
  /** For `signal`, where the wait was given what `defineSignal` gave. */
  readonly signal?: Signal;
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

/** Something that the flow notes of its task: it takes no time, and is no step. */
export interface Note {
  readonly form: "note";
  readonly tags: Tags;
}

/** An operation, or a branch: a generator that yields operations. */
export type Member<T = unknown> = Operation<T> | Generator<Operation<unknown>, T, unknown>;

type Given<M> = M extends Member<infer T> ? T : never;

type WaitsIn<M> =
  M extends Operation<unknown, infer Name>
    ? Name
    : M extends Generator<infer Yielded, unknown, never>
      ? WaitsIn<Yielded>
      : never;

export interface CallOptions {
  /** The step's name, where it should not be the tool's. */
  readonly as?: string;
}

export interface MapOptions {
  /** How many members go on at once: 1 or more. Default: 10. */
  readonly concurrency?: number;
}

export interface WaitOptions {
  /** How long to wait. Default: as long as it takes. */
  readonly timeout?: Duration;
}

/**
 * One step: this tool, with this input. Gives the tool's output.
 *
 * @example const { cents } = yield* call(getPrice, { sku: "A1" })
 */
export function call<In, Out>(
  tool: Tool<In, unknown, Out>,
  input: NoInfer<In>,
  options?: CallOptions,
): Operation<Out, never> {
  if (typeof tool?.run !== "function") throw notGiven("call(tool, input)", "a tool (defineTool)", tool);
  const name = stepName("call", tool.name, options);
  return operation({ form: "leaf", kind: "tool", name, target: tool.name, input, tool });
}

/**
 * All members side by side; gives all their outcomes in the shape it was given (object or array). If one fails, the members that
 * have started finish first; then the failure that was recorded first is thrown.
 *
 * @example const { price, stock } = yield* all({ price: call(getPrice, { sku }), stock: call(reserve, { sku }) })
 */
export function all<const M extends readonly Member[] | { readonly [key: string]: Member }>(
  members: M,
): Operation<{ -readonly [K in keyof M]: Given<M[K]> }, WaitsIn<M[keyof M]>> {
  refuseMore("all(members)", arguments, "only map(items, fn, { concurrency }) has options");
  return operation({ form: "all", ...membersOf("all", members) });
}

/**
 * The outcome that is recorded first, a failure too; the others are aborted.
 *
 * @example const first = yield* race({ answer: call(ask, question), late: sleep("5m") })
 */
export function race<const M extends readonly Member[] | { readonly [key: string]: Member }>(
  members: M,
): Operation<Given<M[keyof M]>, WaitsIn<M[keyof M]>> {
  refuseMore("race(members)", arguments, "for a limit in time, make sleep(duration) one of its members");
  return operation({ form: "race", ...membersOf("race", members) });
}

/**
 * One member for each item, at most `concurrency` at once; gives all outcomes in the order of the items. `fn` makes an operation
 * or a branch. If one fails, no more are begun, and those under way finish first.
 *
 * @example const prices = yield* map(skus, (sku) => call(getPrice, { sku }), { concurrency: 2 })
 */
export function map<Item, M extends Member>(
  items: readonly Item[],
  fn: (item: Item, index: number) => M,
  options: MapOptions = {},
): Operation<Given<M>[], WaitsIn<M>> {
  const faults = new Faults();
  const concurrency = checkOptions("map", options, MAP_OPTIONS, faults) ? (options.concurrency ?? 10) : 10;
  if (!Array.isArray(items)) faults.add([], `items must be a list, got ${tellGiven(items)}`);
  if (typeof fn !== "function") faults.add([], `fn must be a function, (item, index) => call(…), got ${tellGiven(fn)}`);
  if (!Number.isInteger(concurrency) || concurrency < 1)
    faults.add([], `concurrency must be an integer, 1 or more, got ${tellGiven(concurrency)}`);
  faults.throwOf("map(items, fn)");
  const copy = [...items];
  return operation({
    form: "all",
    keys: copy.map((_item, index) => String(index)),
    memberOf: (key) => checkMember("map", key, fn(copy[Number(key)] as Item, Number(key))),
    isList: true,
    concurrency,
  });
}

/**
 * Lets this time pass, by the store's clock; nothing runs meanwhile.
 *
 * @example yield* sleep("1h")
 */
export function sleep(duration: Duration): Operation<void, never> {
  refuseMore("sleep(duration)", arguments, "it has no options");
  const ms = toMs(duration);
  if (ms === undefined) throw new DefinitionError("sleep", [{ path: [], message: tellWrongDuration(duration) }]);
  return operation({
    form: "leaf",
    kind: "sleep",
    name: "sleep",
    target: null,
    input: { ms },
  });
}

/**
 * Waits for the next signal that no other wait has taken, and gives its payload. The signal is what `defineSignal` gave, or its
 * name. With a timeout: throws a StepError whose reason is a TimeoutError when it has passed.
 *
 * @example const { by } = yield* waitForSignal(approved, { timeout: "2d" })
 */
export function waitForSignal<T = unknown, const Name extends string = string>(
  signal: Name | Signal<T, Name>,
  options?: WaitOptions,
): Operation<T, Name> {
  const known = isSignal(signal) ? signal : undefined;
  const name = known?.name ?? signal;
  const faults = new Faults();
  if (!isName(name)) faults.add([], tellWrongName("signal", name));
  let input = {};
  if (options !== undefined && checkOptions("waitForSignal", options, WAIT_OPTIONS, faults)) {
    const ms = toMs(options.timeout);
    if (options.timeout !== undefined && ms === undefined)
      faults.add([], `timeout: ${tellWrongDuration(options.timeout)}`);
    if (ms !== undefined) input = { timeout_ms: ms };
  }
  faults.throwOf(isName(name) ? `waitForSignal(${name})` : "waitForSignal(signal)");
  return operation({
    form: "leaf",
    kind: "signal",
    name: name as Name,
    target: name as Name,
    input,
    ...(known && { signal: known }),
  });
}

/**
 * A task of its own, once, whatever crashes; gives its output, or throws its failure. Cancelled with its parent.
 *
 * @example const { parcel } = yield* runChild(ship, { sku })
 */
export function runChild<In, Out>(
  flow: Flow<In, Out>,
  input: NoInfer<In>,
  options?: CallOptions,
): Operation<Out, never> {
  if (typeof flow?.body !== "object") throw notGiven("runChild(flow, input)", "a flow (defineFlow)", flow);
  const name = stepName("runChild", flow.name, options);
  return operation({ form: "leaf", kind: "child", name, target: flow.name, input, flow });
}

/**
 * Sets tags of the task, by which it is found: text to text, at most 20 with those that it was created with, each at most 256
 * bytes. Others stay. It is a decision of the flow without a tool: it takes no time, and a replay has to come to the same.
 *
 * @example yield* annotate({ customer: quote.customer })
 */
export function annotate(tags: Readonly<Record<string, string>>): Operation<void, never> {
  refuseMore("annotate(tags)", arguments, "give all tags in one object");
  const own: unknown = isObject(tags) ? { ...tags } : tags; // what has getters says the same from here on
  const faults = tagViolations(own, "").map(({ path, message }) => {
    const key = path.replace(/^\./, "");
    return { path: key === "" ? [] : [key], message: key === "" ? message : `${key}: ${message}` };
  });
  if (faults.length > 0) throw new DefinitionError("annotate(tags)", faults);
  return operation({ form: "note", tags: own as Tags });
}

const CALL_OPTIONS: Options = { as: ["name", "step", "stepName"] };
const MAP_OPTIONS: Options = { concurrency: ["limit", "parallel"] };
const WAIT_OPTIONS: Options = { timeout: ["timeoutMs", "within"] };

/** Where a contract belongs that was given to an operation. */
const CONTRACT_GOES = {
  waitForSignal: "give it to defineSignal(name, contract), name that in the flow's `signals`, and wait for it",
  call: "a tool has its contracts from defineTool",
  runChild: "a flow has its contracts from defineFlow",
  map: "a tool has its contracts from defineTool",
} as const;

/** Whether they can be read; what else is wrong with them is among the faults. */
function checkOptions(use: keyof typeof CONTRACT_GOES, options: unknown, known: Options, faults: Faults): boolean {
  if (!isObject(options)) {
    faults.add([], `its options must be an object, { ${Object.keys(known).join(", ")} }, got ${tellGiven(options)}`);
    return false;
  }
  if ("~standard" in options) {
    faults.add([], `its options are { ${Object.keys(known).join(", ")} }, got a contract; ${CONTRACT_GOES[use]}`);
    return false;
  }
  faults.addUnknownKeys(options, use, known);
  return true;
}

function stepName(use: "call" | "runChild", by: string, options: CallOptions | undefined): string {
  if (options === undefined) return by;
  const faults = new Faults();
  if (checkOptions(use, options, CALL_OPTIONS, faults) && options.as !== undefined && !isName(options.as))
    faults.add([], `as: ${tellWrongName("step", options.as)}`);
  faults.throwOf(`${use}(${by})`);
  return options.as ?? by;
}

/** What is given beside the arguments that are read would be dropped. */
function refuseMore(use: string, given: IArguments, instead: string): void {
  if (given.length > 1)
    throw new DefinitionError(use, [{ path: [], message: `it takes one argument, got ${given.length}; ${instead}` }]);
}

/** Files that import each other may be given what is not there yet. */
function notGiven(use: string, what: string, got: unknown): TaskonautError {
  return new TaskonautError(
    "flow_invalid",
    `${use} needs ${what}, and got ${got === null ? "null" : typeof got}. Is it exported, and do its file and this one not import each other?`,
  );
}

/** The operation inside of a yielded value, undefined where it is none. */
export function operationOf(value: unknown): Leaf | Group | Note | undefined {
  return typeof value === "object" && value !== null && OPERATION in value
    ? (value as Operation<unknown>)[OPERATION]
    : undefined;
}

export function isGenerator(value: unknown): value is Generator<unknown, unknown, unknown> {
  return typeof value === "object" && value !== null && "next" in value && "throw" in value && Symbol.iterator in value;
}

function membersOf(use: string, members: readonly Member[] | { readonly [key: string]: Member }): Omit<Group, "form"> {
  const isList = Array.isArray(members);
  if (!isList && (!isObject(members) || isMember(members))) {
    const what = isMember(members) ? "one operation" : tellGiven(members);
    const message = `it takes its members in a list or an object, ${use}([ … ]) or ${use}({ … }), and got ${what}`;
    throw new DefinitionError(`${use}(members)`, [{ path: [], message }]);
  }
  const byKey = new Map<string, Member>(isList ? entriesOf(members) : Object.entries(members));
  for (const [key, member] of byKey) noteUsed(checkMember(use, key, member));
  return {
    keys: [...byKey.keys()],
    memberOf: (key) => byKey.get(key) as Member,
    members: [...byKey.values()],
    isList,
    concurrency: Number.POSITIVE_INFINITY,
  };
}

function isMember(value: unknown): boolean {
  return operationOf(value) !== undefined || isGenerator(value);
}

function checkMember<M>(use: string, key: string, member: M): M {
  if (isMember(member)) return member;
  const hint =
    typeof member === "function"
      ? "call it: a member is what it returns"
      : "a member is an operation, such as call(tool, input), or a generator that yields operations";
  throw new DefinitionError(`${use}(…)`, [{ path: [key], message: `member ${key} is ${tellGiven(member)}; ${hint}` }]);
}

/** Also of holes, and of nothing but members: what is given back is as long as what was given. */
function entriesOf(members: readonly Member[]): [string, Member][] {
  return Array.from(members, (member, at) => [String(at), member]);
}

/** What `yield*` is given: it yields itself once, and returns what comes back. */
class Decided<T, Waits extends string> implements Operation<T, Waits> {
  readonly [OPERATION]: Leaf | Group | Note;

  constructor(what: Leaf | Group | Note) {
    this[OPERATION] = what;
  }

  *[Symbol.iterator](): Generator<Operation<unknown, Waits>, T, unknown> {
    noteUsed(this);
    return (yield this) as T;
  }
}

function operation<T, Waits extends string>(what: Leaf | Group | Note): Operation<T, Waits> {
  const self = new Decided<T, Waits>(what);
  noteMade(self, what.form === "leaf" ? what.name : what.form === "note" ? "annotate(…)" : `${what.form}(…)`);
  return self;
}
