// A branch is a generator that is being driven: the flow itself, or a member of a group. It has at most one operation
// open at a time. Groups hold several members; nothing outlives the group that began it (structured concurrency).
//
// G1. The n-th operation of the branch at path p stands at `p/n`; the member k of a group at path p stands at `p.k`,
//     with the key escaped (`paths.ts`).
// G2. `settled` is called once for everything that is begun, cancelled or not.
// G3. Cancelling gives up what is open, then lets `finally` blocks run: they may plan further steps, and are waited
//     for.
// G4. A branch that is in a `finally` block of its own accord is not disturbed: it is cancelled where the block has
//     end, before anything that the branch decides then is begun (program: P4).
// G5. A group of which a member has failed is not held back by members that only wait, however that is written:
//     whatever does something ends, or to the next place where it only waits, and is given up there. A step that has
//     not begun, and waits for a limit or a pause, only waits: the program hears of that like of an outcome (`held`).

import { noteUsed, type Shield } from "./determinism.ts";
import { TaskonautError } from "../errors.ts";
import { checkName } from "./names.ts";
import { isGenerator, operationOf, type Group, type Leaf } from "./operation.ts";
import type { Tags } from "../record/tags.ts";
import { type Cut, memberPath, operationPath } from "./paths.ts";

/** How an operation or a branch came out, inside of the program. */
export type Settled = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly error: unknown };

export type Settle = (result: Settled) => void;

/** What a branch asks of its program. */
export interface Planner {
  /** Throws where the leaf can be no step here, whatever its input. */
  check(leaf: Leaf): void;
  /** Makes the leaf a step, which is checked; throws where its input cannot be one. `cleansUp`: after what was given up there. */
  plan(leaf: Leaf, path: string, settle: Settle, cleansUp?: readonly Cut[]): void;
  /** The flow sets tags of its task. Throws where these are too many. */
  note(tags: Tags): void;
  /** The step at this path is not waited for any more. */
  abandon(path: string): void;
  /** Groups of which a member has failed: looked at when the flow has been told all that there is for now (G5). */
  readonly failed: Set<Failed>;
  /** Paths of steps that have not begun and are not going to, as far as a failed group is concerned (G5). */
  readonly held: ReadonlySet<string>;
  /** Runs a piece of the flow's own code as part of the branch at this path, whose `finally` blocks are told to `shield`. */
  within<T>(path: string, run: () => T, shield?: Shield): T;
}

/** A group of which a member has failed. */
export interface Failed {
  /** Gives up the members that only wait. True: there were some. */
  giveUpWaits(): boolean;
  /** Tells the paths of the open steps that it still waits for, except those of `finally` blocks that are under way. */
  listGivenUp(tell: (path: string) => void): void;
}

/** Something begun that can be given up. */
interface Running {
  /** As it is now, it does nothing but wait for time or a signal. */
  readonly isWait: boolean;
  cancel(): void;
  /** Tells the paths of the open steps that `cancel` would give up now. */
  listGivenUp(tell: (path: string) => void): void;
}

const CANCELLED: Settled = { ok: false, error: new Error("cancelled") };

type Resume = { readonly by: "next" | "throw" | "return"; readonly value: unknown };

const RETURN: Resume = { by: "return", value: undefined };

export class Branch implements Running {
  #operations = 0;
  #current: Running | undefined;
  /** `asked`: the generator has not been told yet. `told`, once: what it does then is its clean-up. */
  #cancel: "no" | "asked" | "told" = "no";
  readonly #shield: Shield = { depth: 0 };
  #settle: Settle | undefined;
  #planner: Planner;

  constructor(
    private readonly generator: Generator<unknown, unknown, unknown>,
    private readonly path: string,
    private readonly planner: Planner,
  ) {
    this.#planner = planner;
  }

  /** One that cleans up is not disturbed. */
  get isWait(): boolean {
    return this.#cancel === "no" && this.#shield.depth === 0 && this.#current?.isWait === true;
  }

  start(settle: Settle): void {
    this.#settle = settle;
    this.#drive({ by: "next", value: undefined });
  }

  cancel(): void {
    if (this.#cancel !== "no") return;
    this.#cancel = "asked";
    // the open operation settles (at once, or when its own `finally` blocks are through) and `return` follows
    if (this.#shield.depth === 0) this.#current?.cancel();
  }

  listGivenUp(tell: (path: string) => void): void {
    if (this.#cancel === "no" && this.#shield.depth === 0) this.#current?.listGivenUp(tell);
  }

  /** Goes on as long as operations settle at once, without recursion. */
  #drive(first: Resume): void {
    let resume: Resume | undefined = first;
    while (resume) {
      let result: IteratorResult<unknown, unknown>;
      try {
        const by: Resume = resume;
        result = this.planner.within(this.path, () => this.#step(by), this.#shield);
      } catch (error) {
        return this.#end({ ok: false, error });
      }
      if (result.done) return this.#end({ ok: true, value: result.value });
      resume = this.#isToBeTold ? this.#tell() : this.#begin(result.value);
    }
  }

  #step({ by, value }: Resume): IteratorResult<unknown, unknown> {
    if (by === "throw") return this.generator.throw(value);
    return by === "return" ? this.generator.return(value) : this.generator.next(value);
  }

  /** G4. */
  get #isToBeTold(): boolean {
    return this.#cancel === "asked" && this.#shield.depth === 0;
  }

  #tell(): Resume {
    this.#cancel = "told";
    this.#planner = cleanUpPlanner(this.planner, { branch: this.path, operation: this.#operations });
    return RETURN;
  }

  /** Gives what to resume with where the operation settled at once. */
  #begin(yielded: unknown): Resume | undefined {
    const path = operationPath(this.path, this.#operations++);
    let isSync = true;
    let settledNow: Settled | undefined;
    const settle: Settle = (settled) => {
      this.#current = undefined;
      if (isSync) settledNow = settled;
      else this.#drive(this.#resumeWith(settled));
    };
    if (typeof yielded === "object" && yielded !== null) this.planner.within(path, () => noteUsed(yielded)); // `yield` without `*`
    try {
      this.#current = begin(yielded, path, this.#planner, settle);
    } catch (error) {
      return { by: "throw", value: error };
    }
    isSync = false;
    if (settledNow === undefined) return undefined;
    this.#current = undefined;
    return this.#resumeWith(settledNow);
  }

  #resumeWith(settled: Settled): Resume {
    if (this.#isToBeTold) return this.#tell();
    return settled.ok ? { by: "next", value: settled.value } : { by: "throw", value: settled.error };
  }

  #end(settled: Settled): void {
    const settle = this.#settle;
    this.#settle = undefined;
    settle?.(settled);
  }
}

/** What has settled at once. */
const NOTED: Running = { isWait: false, cancel() {}, listGivenUp() {} };

function begin(yielded: unknown, path: string, planner: Planner, settle: Settle): Running {
  const operation = operationOf(yielded);
  if (!operation) {
    if (isGenerator(yielded)) {
      const branch = new Branch(yielded, path, planner);
      branch.start(settle);
      return branch;
    }
    throw new TaskonautError(
      "flow_invalid",
      "A flow yielded something that is not an operation. Write `yield* call(…)`, `yield* all(…)`; a promise or a plain value cannot be yielded.",
    );
  }
  if (operation.form === "leaf") {
    checkName("step", operation.name);
    planner.check(operation);
    planner.plan(operation, path, settle);
    const isWait = operation.kind === "sleep" || operation.kind === "signal";
    return {
      get isWait() {
        return isWait || planner.held.has(path);
      },
      cancel() {
        planner.abandon(path);
        settle(CANCELLED);
      },
      listGivenUp: (tell) => tell(path),
    };
  }
  if (operation.form === "note") {
    planner.note(operation.tags);
    settle({ ok: true, value: undefined });
    return NOTED;
  }
  if (operation.form === "race" && operation.keys.length === 0) {
    throw new TaskonautError("flow_invalid", "race() needs at least one member.");
  }
  checkMembers(operation, planner);
  const members = new Members(operation, path, planner, settle);
  members.begin();
  return members;
}

/** Before the first of them is begun: what cannot be is told before anything beside it has an effect. */
function checkMembers({ form, members = [] }: Group, planner: Planner): void {
  const inside = form === "race" ? racePlanner(planner) : planner;
  for (const member of members) {
    const operation = operationOf(member);
    if (operation?.form === "leaf") inside.check(operation);
    else if (operation && operation.form !== "note") checkMembers(operation, inside);
  }
}

/** Members side by side, at most `concurrency` at once; the group settles when none is under way any more. */
class Members implements Running, Failed {
  private readonly planner: Planner;
  readonly #running = new Map<string, Running>();
  readonly #values = new Map<string, unknown>();
  #next = 0;
  #isBeginning = false;
  #winner: Settled | undefined;
  #failure: Settled | undefined;
  #isCancelled = false;
  #isSettled = false;

  constructor(
    private readonly group: Group,
    private readonly path: string,
    planner: Planner,
    private readonly settle: Settle,
  ) {
    this.planner = group.form === "race" ? racePlanner(planner) : planner;
  }

  get isWait(): boolean {
    if (this.#isDecided) return false; // it is ending
    for (const member of this.#running.values()) if (!member.isWait) return false;
    return true;
  }

  begin(): void {
    const { keys, concurrency } = this.group;
    if (this.#isBeginning) return; // a member settled at once: the loop below goes on
    this.#isBeginning = true;
    while (this.#next < keys.length && this.#running.size < concurrency && !this.#isDecided) {
      this.#beginMember(keys[this.#next++] as string);
    }
    this.#isBeginning = false;
    if (this.#running.size === 0) this.#finish();
  }

  cancel(): void {
    if (this.#isCancelled) return;
    this.#isCancelled = true;
    this.#cancelMembers(() => true);
  }

  listGivenUp(tell: (path: string) => void): void {
    if (!this.#isCancelled) for (const member of this.#running.values()) member.listGivenUp(tell);
  }

  /** Nothing more is begun. */
  get #isDecided(): boolean {
    return this.#isCancelled || this.#winner !== undefined || this.#failure !== undefined;
  }

  #beginMember(key: string): void {
    const path = memberPath(this.path, key);
    let handle: Running | undefined;
    let settledAtOnce: Settled | undefined;
    const onSettle: Settle = (settled) => {
      if (handle) this.#onSettled(key, settled);
      else settledAtOnce = settled;
    };
    try {
      const member = this.planner.within(path, () => {
        const given = this.group.memberOf(key);
        noteUsed(given); // `map` makes it only now
        return given;
      });
      handle = begin(member, path, this.planner, onSettle);
    } catch (error) {
      settledAtOnce = { ok: false, error };
    }
    if (settledAtOnce) this.#take(key, settledAtOnce);
    else if (handle) this.#running.set(key, handle);
  }

  #onSettled(key: string, settled: Settled): void {
    this.#running.delete(key);
    this.#take(key, settled);
    this.begin();
  }

  #take(key: string, settled: Settled): void {
    if (this.#isCancelled) return; // nobody asks any more
    if (this.group.form === "race") {
      if (this.#winner) return;
      this.#winner = settled;
      this.#cancelMembers(() => true);
    } else if (settled.ok) this.#values.set(key, settled.value);
    else if (!this.#failure) {
      this.#failure = settled;
      this.planner.failed.add(this);
    }
  }

  giveUpWaits(): boolean {
    return this.#cancelMembers((member) => member.isWait);
  }

  /** True: there were some. */
  #cancelMembers(which: (member: Running) => boolean): boolean {
    let areSome = false;
    for (const [key, member] of new Map(this.#running)) {
      if (!this.#running.has(key) || !which(member)) continue; // one that is cancelled may settle others
      areSome = true;
      member.cancel();
    }
    return areSome;
  }

  #finish(): void {
    if (this.#isSettled) return; // the last member was cancelled from within the settling of another
    this.#isSettled = true;
    this.planner.failed.delete(this);
    const { keys, isList } = this.group;
    if (this.#isCancelled) return this.settle(CANCELLED);
    const decided = this.#failure ?? this.#winner;
    if (decided) return this.settle(decided);
    const entries = keys.map((key) => [key, this.#values.get(key)] as const);
    this.settle({ ok: true, value: isList ? entries.map(([, value]) => value) : Object.fromEntries(entries) });
  }
}

/** A loser is cut short, and a cut-short call of an at-most-once tool is in doubt: so none may be planned below a race. */
function racePlanner(outer: Planner): Planner {
  return {
    check(leaf) {
      if (leaf.tool?.execution === "at-most-once") {
        throw new TaskonautError(
          "flow_invalid",
          `Tool ${leaf.tool.name} is at-most-once and cannot stand in a race: the losers are cut short, and nobody would know whether its effect happened.`,
        );
      }
      outer.check(leaf);
    },
    plan: (leaf, path, settle, cleansUp) => outer.plan(leaf, path, settle, cleansUp),
    note: (tags) => outer.note(tags),
    abandon: (path) => outer.abandon(path),
    failed: outer.failed,
    held: outer.held,
    within: (path, run, shield) => outer.within(path, run, shield),
  };
}

/** Of a branch that was cancelled: whatever it plans from now on, however deep, cleans up after what it has done so far. */
function cleanUpPlanner(outer: Planner, cut: Cut): Planner {
  return {
    check: (leaf) => outer.check(leaf),
    plan: (leaf, path, settle, cleansUp = []) => outer.plan(leaf, path, settle, [...cleansUp, cut]),
    note: (tags) => outer.note(tags),
    abandon: (path) => outer.abandon(path),
    failed: outer.failed,
    held: outer.held,
    within: (path, run, shield) => outer.within(path, run, shield),
  };
}
