// A branch is a generator that is being driven: the flow itself, or a member of a group. It has at most one operation
// open at a time. Groups hold several members; nothing outlives the group that began it (structured concurrency).
//
// B1. The n-th operation of the branch at path p stands at `p/n`; the member k of a group at path p stands at `p.k`.
// B2. `settled` is called once for everything that is begun, cancelled or not.
// B3. Cancelling gives up what is open, then lets `finally` blocks run: they may plan further steps, and are waited for.

import { TaskonautError } from "./errors.ts";
import { checkName } from "./names.ts";
import { isGenerator, operationOf, type Group, type Leaf, type Member } from "./operation.ts";
import type { Settled } from "./program.ts";

export type Settle = (result: Settled) => void;

/** What a branch asks of its program. */
export interface Planner {
  /** Makes the leaf a step; throws where its input cannot be one. */
  plan(leaf: Leaf, path: string, settle: Settle): void;
  /** The step at this path is not waited for any more. */
  abandon(path: string): void;
}

/** Something begun that can be given up. */
interface Running {
  cancel(): void;
}

const CANCELLED: Settled = { ok: false, error: new Error("cancelled") };

type Resume = { readonly by: "next" | "throw" | "return"; readonly value: unknown };

export class Branch implements Running {
  #operations = 0;
  #current: Running | undefined;
  #isCancelling = false;
  #settle: Settle | undefined;

  constructor(
    private readonly generator: Generator<unknown, unknown, unknown>,
    private readonly path: string,
    private readonly planner: Planner,
  ) {}

  start(settle: Settle): void {
    this.#settle = settle;
    this.#drive({ by: "next", value: undefined });
  }

  cancel(): void {
    if (this.#isCancelling) return;
    this.#isCancelling = true;
    // the open operation settles (at once, or when its own `finally` blocks are through) and `return` follows
    this.#current?.cancel();
  }

  /** Goes on as long as operations settle at once, without recursion. */
  #drive(first: Resume): void {
    let resume: Resume | undefined = first;
    while (resume) {
      let result: IteratorResult<unknown, unknown>;
      try {
        result = this.#step(resume);
      } catch (error) {
        return this.#end({ ok: false, error });
      }
      if (result.done) return this.#end({ ok: true, value: result.value });
      resume = this.#begin(result.value);
    }
  }

  #step({ by, value }: Resume): IteratorResult<unknown, unknown> {
    if (by === "throw") return this.generator.throw(value);
    return by === "return" ? this.generator.return(value) : this.generator.next(value);
  }

  /** Gives what to resume with where the operation settled at once. */
  #begin(yielded: unknown): Resume | undefined {
    const path = `${this.path}/${this.#operations++}`;
    let isSync = true;
    let settledNow: Settled | undefined;
    const cancelsNow = this.#isCancelling;
    const settle: Settle = (settled) => {
      this.#current = undefined;
      if (isSync) settledNow = settled;
      else this.#drive(this.#resumeWith(settled, cancelsNow));
    };
    try {
      this.#current = begin(yielded, path, this.planner, settle);
    } catch (error) {
      return { by: "throw", value: error };
    }
    isSync = false;
    if (settledNow === undefined) return undefined;
    this.#current = undefined;
    return this.#resumeWith(settledNow, cancelsNow);
  }

  /** `return` once, for the operation that was open when the cancel came; after it `finally` blocks go on as usual. */
  #resumeWith(settled: Settled, wasCancelling: boolean): Resume {
    if (this.#isCancelling && !wasCancelling) return { by: "return", value: undefined };
    return settled.ok ? { by: "next", value: settled.value } : { by: "throw", value: settled.error };
  }

  #end(settled: Settled): void {
    const settle = this.#settle;
    this.#settle = undefined;
    settle?.(settled);
  }
}

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
      "A flow yielded something that is no operation. Write `yield* call(…)`, `yield* all(…)`; a promise or a plain value cannot be yielded.",
    );
  }
  if (operation.form === "leaf") {
    checkName("step", operation.name);
    planner.plan(operation, path, settle);
    return {
      cancel() {
        planner.abandon(path);
        settle(CANCELLED);
      },
    };
  }
  return beginGroup(operation, path, planner, settle);
}

function beginGroup(group: Group, path: string, outer: Planner, settle: Settle): Running {
  const isRace = group.form === "race";
  const planner = isRace ? racePlanner(outer) : outer;
  if (isRace && group.members.length === 0)
    throw new TaskonautError("flow_invalid", "race() needs at least one member.");
  const running = new Map<string, Running>();
  const values = new Map<string, unknown>();
  let open = group.members.length;
  let winner: Settled | undefined;
  let failure: Settled | undefined;
  let isCancelled = false;
  let isSettled = false;

  const finish = (): void => {
    if (isSettled) return; // the last member was cancelled from within the settling of another
    isSettled = true;
    if (isCancelled) return settle(CANCELLED);
    if (failure) return settle(failure);
    if (isRace) return settle(winner ?? CANCELLED);
    const entries = group.members.map(([key]) => [key, values.get(key)] as const);
    settle({ ok: true, value: group.isList ? entries.map(([, value]) => value) : Object.fromEntries(entries) });
  };
  const cancelMembers = (): void => {
    // one that is cancelled may settle others
    for (const [key, member] of new Map(running)) if (running.has(key)) member.cancel();
  };
  const take = (key: string, settled: Settled): void => {
    if (isCancelled) return; // nobody asks any more
    if (isRace && !winner) {
      winner = settled;
      cancelMembers();
    } else if (!isRace && settled.ok) values.set(key, settled.value);
    else if (!isRace) failure ??= settled;
  };
  const settleMember = (key: string, settled: Settled): void => {
    running.delete(key);
    open -= 1;
    take(key, settled);
    if (open === 0) finish();
  };

  if (open === 0) {
    finish();
    return { cancel() {} };
  }
  for (const [key, member] of group.members) {
    if (isRace && winner) {
      open -= 1; // never begun
      if (open === 0) finish();
      continue;
    }
    beginMember(key, member);
  }
  return {
    cancel() {
      if (isCancelled) return;
      isCancelled = true;
      cancelMembers();
    },
  };

  function beginMember(key: string, member: Member): void {
    let settledAtOnce = false;
    let handle: Running | undefined;
    const onSettle: Settle = (settled) => {
      settledAtOnce = handle === undefined;
      settleMember(key, settled);
    };
    try {
      handle = begin(member, `${path}.${key}`, planner, onSettle);
    } catch (error) {
      settledAtOnce = true;
      settleMember(key, { ok: false, error });
    }
    if (!settledAtOnce && handle) running.set(key, handle);
  }
}

/** A loser is cut short, and a cut-short call of an at-most-once tool is in doubt: so none may be planned below a race. */
function racePlanner(outer: Planner): Planner {
  return {
    plan(leaf, path, settle) {
      if (leaf.tool?.execution === "at-most-once") {
        throw new TaskonautError(
          "flow_invalid",
          `Tool ${leaf.tool.name} is at-most-once and cannot stand in a race: the losers are cut short, and nobody would know whether its effect happened.`,
        );
      }
      outer.plan(leaf, path, settle);
    },
    abandon: (path) => outer.abandon(path),
  };
}
