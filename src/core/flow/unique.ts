// "One open task per key": what a flow says of it, and the key of an input.

import { TaskonautError } from "../errors.ts";
import { type Faults, isObject, type Options, tellGiven } from "./definition.ts";
import { readKey, KEY_MAX } from "./own-limits.ts";

/** What becomes of a task whose key an open task of the flow has. */
const CONFLICTS = ["refuse", "join", "replace"] as const;

export type OnConflict = (typeof CONFLICTS)[number];

export interface UniqueOptions<Input = unknown> {
  /** What there is one open task of: a text or a number of the input. It is computed when a task is created, and recorded. */
  key(input: Input): string | number;
  /**
   * Where an open task has the key: `refuse` the new one (the default), `join` the open one, which is given in its place,
   * or `replace` it: it is cancelled, and the new one is made when it has ended.
   */
  readonly onConflict?: OnConflict;
}

export interface OwnUnique {
  /** Of code of the user's file: `uniqueKeyOf` calls it. */
  readonly key: (input: unknown) => unknown;
  readonly onConflict: OnConflict;
}

const OPTIONS: Options = { key: ["by", "keyOf", "id"], onConflict: ["conflict", "onDuplicate", "mode"] };

/** Undefined where none is given; with faults, what it gives is not used. */
export function readUnique(given: unknown, faults: Faults): OwnUnique | undefined {
  if (given === undefined) return undefined;
  if (!isObject(given)) {
    faults.add("unique", `unique must be an object such as { key: (input) => input.id }, got ${tellGiven(given)}`);
    return undefined;
  }
  faults.addUnknownKeys(given, "unique", OPTIONS, ["unique"]);
  const { key, onConflict = "refuse" } = given;
  if (typeof key !== "function") {
    faults.add(["unique", "key"], `unique.key must be a function such as (input) => input.id, got ${tellGiven(key)}`);
  }
  if (!CONFLICTS.some((known) => known === onConflict)) {
    faults.add(
      ["unique", "onConflict"],
      `unique.onConflict must be "refuse", "join" or "replace", got ${tellGiven(onConflict)}`,
    );
  }
  return {
    // called as a method, should it ask for its `this`
    key: (input) => (given as { key(input: unknown): unknown }).key(input),
    onConflict: onConflict as OnConflict,
  };
}

/** As it is recorded. Throws flow_invalid, and what the user's function throws. */
export function uniqueKeyOf(owner: string, { key }: OwnUnique, input: unknown): string {
  const given = key(input);
  const text = readKey(given);
  if (text !== undefined) return text;
  throw new TaskonautError(
    "flow_invalid",
    `${owner}: unique.key must give a text of 1 to ${KEY_MAX} characters, or a number, for each input, and gave ${tellGiven(given)} for this one.`,
  );
}
