// Which contracts can work at all: everything that is recorded is JSON, so a part that takes (or gives) only what JSON
// does not have would refuse every value. What is wrong with a contract is told where it is defined.

/** `takes`: what is given to the contract is JSON. `gives`: what comes of it becomes JSON. `nothing`: undefined counts as null. */
export type Side = "takes" | "gives" | "nothing";

/**
 * What is wrong with what should be a synchronous schema, as the end of a sentence that begins with its owner, without a full
 * stop; undefined where it can work.
 */
export function faultOfContract(schema: unknown, sides: readonly Side[]): string | undefined {
  const fault = faultIn(schema, "", sides, []);
  if (fault === undefined) return undefined;
  return `${fault.path === "" ? "" : `at ${fault.path} `}${fault.message.replace(/\.$/, "")}`;
}

interface Fault {
  readonly path: string;
  readonly message: string;
}

/** As valibot makes them. */
interface Part {
  readonly kind: string;
  readonly type: string;
  readonly async?: boolean;
  readonly entries?: Readonly<Record<string, unknown>>;
  readonly item?: unknown;
  readonly items?: readonly unknown[];
  readonly rest?: unknown;
  readonly value?: unknown;
  readonly wrapped?: unknown;
  readonly options?: readonly unknown[];
  readonly enum?: Readonly<Record<string, unknown>>;
  readonly literal?: unknown;
  readonly getter?: (input: unknown) => unknown;
  readonly pipe?: readonly Part[];
}

const NO_DATE =
  'v.pipe(v.string(), v.isoTimestamp()): a text such as "2026-01-31T12:00:00Z", of which `new Date(…)` makes a date';

/** By the type of a schema: what to write in its place. */
const NOT_JSON: Readonly<Record<string, string>> = {
  bigint: "v.pipe(v.string(), v.digits()): a text of digits, of which `BigInt(…)` makes a number",
  blob: "v.string(): a path, a URL or base64",
  date: NO_DATE,
  file: "v.string(): a path, a URL or base64",
  function: "the name of what is to be called",
  instance: "v.object({ … }) with its fields",
  map: "v.record(v.string(), …)",
  nan: "v.nullable(v.number())",
  promise: "what it resolves with",
  set: "v.array(…)",
  symbol: "v.string()",
  undefined: "v.null(), or v.optional(…) around a field",
  void: "v.null()",
};

/** What a step of a pipe is known to give. */
const GIVES_NOT_JSON: Readonly<Record<string, string>> = { to_bigint: "bigint", to_date: "date" };

/** These take what one of their members does. */
const OF_MEMBERS: ReadonlySet<string> = new Set(["enum", "intersect", "picklist", "union", "variant"]);

/** Around these there is a value also where what is within takes none: nothing, null, an empty list. */
const MAY_BE_EMPTY: ReadonlySet<string> = new Set([
  "optional",
  "exact_optional",
  "undefinedable",
  "nullable",
  "nullish",
  "array",
  "record",
]);

const REFUSE_NOTHING: ReadonlySet<string> = new Set(["non_optional", "non_nullish"]);

/** A schema that makes another of itself whenever it is asked is not followed for ever. */
const DEPTH_MAX = 64;

/** `within` are the schemas that this one stands in: one that holds itself comes to an end. */
function faultIn(given: unknown, path: string, sides: readonly Side[], within: readonly unknown[]): Fault | undefined {
  if (within.includes(given) || within.length > DEPTH_MAX) return undefined;
  if (!isPart(given) || given.kind !== "schema" || given.async === true)
    return { path, message: "must be a synchronous valibot schema." };
  const inside = [...within, given];
  if (given.pipe) return faultInPipe(given.pipe, path, sides, inside);
  return faultOfNone(given, path) ?? faultOfType(given, path, sides) ?? faultInside(given, path, sides, inside);
}

/** What a pipe takes its first schema says, what it gives the last one, unless something changes it after that. */
function faultInPipe(
  pipe: readonly Part[],
  path: string,
  sides: readonly Side[],
  within: readonly unknown[],
): Fault | undefined {
  if (pipe.some((part) => part.async === true)) return { path, message: "must be a synchronous valibot schema." };
  const none = pipe.flatMap((part) => faultOfNone(part, path) ?? []).at(0);
  if (none) return none;
  const taken = sides.includes("takes") ? faultIn(pipe[0], path, without(sides, "gives"), within) : undefined;
  const last = pipe.findLast(({ kind }) => kind === "schema" || kind === "transformation");
  if (taken || !sides.includes("gives") || !last) return taken;
  if (last.kind === "schema") return faultIn(last, path, without(sides, "takes"), within);
  const type = GIVES_NOT_JSON[last.type];
  return type === undefined ? undefined : notJson(type, path);
}

/** What refuses every value that there is. */
function faultOfNone({ kind, type, options = [], enum: members = {} }: Part, path: string): Fault | undefined {
  if (kind !== "schema") return undefined;
  if (type === "never") return { path, message: "is v.never(), which no value satisfies." };
  const isEmpty = OF_MEMBERS.has(type) && options.length === 0 && Object.keys(members).length === 0;
  return isEmpty ? { path, message: `is v.${type}() of nothing, which no value satisfies.` } : undefined;
}

function faultOfType(
  { type, literal, options = [], enum: members = {} }: Part,
  path: string,
  sides: readonly Side[],
): Fault | undefined {
  if (sides.includes("nothing") && (type === "undefined" || type === "void")) return undefined;
  if (Object.hasOwn(NOT_JSON, type)) return notJson(type, path);
  if (type === "literal") return faultOfWord(literal, path);
  // of a list of words one is enough
  const words = type === "picklist" ? options : type === "enum" ? Object.values(members) : [];
  const faults = words.map((word) => faultOfWord(word, path));
  return faults.every(Boolean) ? faults[0] : undefined;
}

function faultOfWord(word: unknown, path: string): Fault | undefined {
  if (["bigint", "symbol", "undefined"].includes(typeof word)) return notJson(typeof word, path);
  if (typeof word !== "number" || Number.isFinite(word)) return undefined;
  return { path, message: `is v.literal(${word}), and JSON has no such value. Write v.nullable(v.number()).` };
}

function without(sides: readonly Side[], side: Side): readonly Side[] {
  return sides.filter((each) => each !== side);
}

function notJson(type: string, path: string): Fault {
  return { path, message: `is v.${type}(), and JSON has no such value. Write ${NOT_JSON[type]}.` };
}

function faultInside(part: Part, path: string, sides: readonly Side[], within: readonly unknown[]): Fault | undefined {
  const at = (key: string): string => (path === "" ? key : `${path}.${key}`);
  if (hasInherited(part.entries))
    return {
      path,
      message: "has a field that is called __proto__, which JavaScript takes for something else. Rename it.",
    };
  for (const [key, entry] of Object.entries(part.entries ?? {})) {
    const fault = faultIn(entry, at(key), sides, within);
    if (fault) return fault;
  }
  const { type, item, items = [], rest, value, wrapped, getter } = part;
  const inner: (readonly [unknown, string])[] = [
    [item, at("*")],
    ...items.map((each, index) => [each, at(String(index))] as const),
    [isPart(rest) && rest.type === "never" ? undefined : rest, at("*")],
    [type === "record" ? value : undefined, at("*")],
    [wrapped, path],
    [later(getter), path],
  ];
  if (MAY_BE_EMPTY.has(type) && inner.some(([each]) => isPart(each) && faultOfNone(each, path))) return undefined;
  for (const [each, where] of inner) {
    const inSides = REFUSE_NOTHING.has(type) ? without(sides, "nothing") : sides;
    const fault = each === undefined || each === null ? undefined : faultIn(each, where, inSides, within);
    if (fault) return fault;
  }
  return faultInOptions(part, path, sides, within);
}

/** `{ __proto__: schema }` makes the schema the prototype of the object, and valibot takes what is inherited for fields. */
function hasInherited(entries: object = {}): boolean {
  for (const key in entries) if (!Object.hasOwn(entries, key)) return true;
  return false;
}

/** What a lazy schema is, where that does not depend on the value. */
function later(getter: Part["getter"]): unknown {
  try {
    return getter?.(undefined);
  } catch {
    return undefined;
  }
}

/** Of a union one option is enough; of an intersection all are needed. */
function faultInOptions(
  { type, options }: Part,
  path: string,
  sides: readonly Side[],
  within: readonly unknown[],
): Fault | undefined {
  if (!options || !options.every((option) => isPart(option))) return undefined; // words of a picklist
  const faults = options.map((option) => faultIn(option, path, sides, within));
  return type === "intersect" || faults.every(Boolean) ? faults.find(Boolean) : undefined;
}

function isPart(value: unknown): value is Part {
  return typeof value === "object" && value !== null && "kind" in value && "type" in value;
}
