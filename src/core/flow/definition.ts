// Checks what user code passes to the SDK, at the place of the call: unknown keys, and values that cannot work. All faults
// of one definition are reported at once.

import { TaskonautError } from "../errors.ts";
import { findNearest } from "../nearest.ts";
import { faultOfContract, type Side } from "./json-contract.ts";
import { isName, tellWrongName } from "./names.ts";

/** One thing that is wrong: the keys that lead to it (`["retry", "attempts"]`), and a sentence without its full stop. */
export interface Fault {
  readonly path: readonly string[];
  readonly message: string;
}

/** flow_invalid, of one definition or of one call of an operation. */
export class DefinitionError extends TaskonautError {
  constructor(
    /** "Flow order", "call(get_quote)". */
    readonly owner: string,
    /** One or more. */
    readonly faults: readonly Fault[],
  ) {
    const all = faults.map(({ message }) => message).join("; ");
    super(
      "flow_invalid",
      `${owner}: ${faults.length > 1 ? `${faults.length} things are wrong: ` : ""}${toSentence(all)}`,
    );
  }
}

/** The options that something reads, each with other words for it that people try: `{ retry: ["retries"] }`. */
export type Options = Readonly<Record<string, readonly string[]>>;

/** Gathers what is wrong with one definition. */
export class Faults {
  readonly #found: Fault[] = [];
  /** Options that unknown keys were meant for: they are not missing as well. */
  readonly #meant = new Set<string>();

  add(path: string | readonly string[], message: string): void {
    this.#found.push({ path: typeof path === "string" ? [path] : path, message });
  }

  /** Keys that are none of those that `reader` reads. */
  addUnknownKeys(given: object, reader: string, known: Options, within: readonly string[] = []): void {
    const foreign: string[] = [];
    for (const key of Object.keys(given)) {
      if (Object.hasOwn(known, key)) continue;
      const meant = nearestOption(key, known);
      if (meant === undefined) foreign.push(key);
      else {
        const path = [...within, key];
        this.#meant.add([...within, meant].join("."));
        this.add(path, `${path.join(".")} is not an option of ${reader}; did you mean ${meant}?`);
      }
    }
    const [first] = foreign;
    if (first === undefined) return;
    const named = tellKeys(foreign.map((key) => [...within, key].join(".")));
    const what = foreign.length === 1 ? "is not an option" : "are not options";
    this.add([...within, first], `${named} ${what} of ${reader}${tellOptions(Object.keys(known))}`);
  }

  /** Whether an unknown key was meant for this option: that is told already. */
  isMeant(path: readonly string[]): boolean {
    return this.#meant.has(path.join("."));
  }

  /** `message` goes on after the option's name. */
  addMissing(option: string, message: string): void {
    if (!this.#meant.has(option)) this.add([], `${option} is missing; ${message}`);
  }

  /** A name that is missing, or none. */
  addWrongName(what: "tool" | "flow", name: unknown): void {
    if (name === undefined) this.addMissing("name", `give the ${what} one`);
    else if (!isName(name)) this.add("name", tellWrongName(what, name));
  }

  /** A contract that could not work. */
  addContract(option: string, schema: unknown, sides: readonly Side[]): void {
    if (schema === undefined) return this.addMissing(option, "give it a valibot schema, such as v.object({ … })");
    const fault = faultOfContract(schema, sides);
    if (fault !== undefined) this.add(option, `${option} ${fault}`);
  }

  throwOf(owner: string): void {
    if (this.#found.length > 0) this.refuse(owner);
  }

  refuse(owner: string): never {
    throw new DefinitionError(owner, this.#found);
  }
}

/** With its full stop. */
export function toSentence(message: string): string {
  return message.endsWith("?") ? message : `${message}.`;
}

const KEYS_SHOWN = 5;

function nearestOption(key: string, known: Options): string | undefined {
  const byWord = new Map(
    Object.entries(known).flatMap(([name, words]) => [name, ...words].map((word) => [word, name])),
  );
  return byWord.get(findNearest(key.toLowerCase(), [...byWord.keys()]) ?? "");
}

/** The first few. */
function tellKeys(keys: readonly string[]): string {
  const shown = keys.length > KEYS_SHOWN ? [...keys.slice(0, KEYS_SHOWN), `${keys.length - KEYS_SHOWN} more`] : keys;
  return shown.length === 1 ? shown.join("") : `${shown.slice(0, -1).join(", ")} and ${shown.at(-1)}`;
}

function tellOptions(known: readonly string[]): string {
  return known.length === 1 ? `; its only option is ${known[0]}` : `; its options are ${known.join(", ")}`;
}

/** What was given, for a sentence: `"x"`, `5`, `a function`, `undefined`. */
export function tellGiven(value: unknown): string {
  if (typeof value === "function") return "a function";
  if (Array.isArray(value)) return "a list";
  if (value instanceof Promise) return "a promise";
  if (typeof value === "object" && value !== null) return "an object";
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
