// A signal: what may come from outside while a task runs, by its name and the contract of its payload.

import * as v from "valibot";
import type { Schema } from "./contract.ts";
import { Faults } from "./definition.ts";
import { faultOfContract } from "./json-contract.ts";
import { isName, tellWrongName } from "./names.ts";

/** On every signal that `defineSignal` of this copy of the program made. */
const SIGNAL = Symbol("taskonaut.signal");

/** What `defineSignal` gives: list it in `signals` of a flow, and give it to `waitForSignal`. */
export interface Signal<T = unknown, Name extends string = string> {
  readonly [SIGNAL]: true;
  readonly name: Name;
  readonly schema: Schema<unknown, T>;
}

/** The one that all signals without a payload have. */
const NOTHING = v.null("carries no payload");

/**
 * Throws flow_invalid for a name or a schema that could not work. Without a schema the signal carries no payload: waiting for it
 * gives null.
 *
 * @example defineSignal("approved", v.object({ by: v.string() }))
 */
export function defineSignal<const Name extends string>(name: Name): Signal<null, Name>;
export function defineSignal<const Name extends string, S extends Schema>(
  name: Name,
  schema: S,
): Signal<v.InferOutput<S>, Name>;
export function defineSignal(name: string, ...given: readonly Schema[]): Signal {
  const schema = given.length === 0 ? NOTHING : given[0];
  const faults = new Faults();
  if (!isName(name)) faults.add([], tellWrongName("signal", name));
  const fault = faultOfContract(schema, ["takes", "gives"]);
  if (fault !== undefined) faults.add([], `its schema ${fault}`);
  if (given.length > 1) faults.add([], "it takes a name and a schema, and nothing beside them");
  faults.throwOf(isName(name) ? `Signal ${name}` : "defineSignal(name, schema)");
  return { [SIGNAL]: true, name, schema: schema as Schema };
}

export function isSignal(value: unknown): value is Signal {
  return typeof value === "object" && value !== null && SIGNAL in value;
}
