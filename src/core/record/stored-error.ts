// Errors as they are recorded, and rebuilt: a flow sees the same error live and on replay, because both times it is
// made from the stored text.

import { TaskonautError, describeViolations, type Violation } from "../errors.ts";
import type { Json } from "./json-value.ts";
import { isOfProgram } from "./program-files.ts";
import type { JsonText } from "./record.ts";
import { describeValue, toFields } from "./thrown-value.ts";
import { asText, isObject, read } from "./untrusted.ts";
import { wholeStackOf } from "./whole-stacks.ts";

/** What a person who has only the record needs to tell what went wrong; a flow tells errors apart by `name` and `code`. */
export interface StoredError {
  /** The class that was thrown: `Error`, `TypeError`, `ContractError`, … */
  readonly name: string;
  readonly message: string;
  /** `ECONNREFUSED`, `23505`: as the error itself has it. */
  readonly code?: string | number;
  /** What else it says of itself: of an error its plain values (`status`, `constraint`), of another object all of it. */
  readonly fields?: { readonly [key: string]: Json };
  /** Where in the user's own code it was made: `/flows/pay.ts:12:9`. */
  readonly at?: string;
  readonly cause?: StoredError;
  /** Of an AggregateError: those that it gathers. Of others: those that it holds. */
  readonly members?: readonly StoredError[];
  /** Of a broken contract: every violation. */
  readonly errors?: readonly Violation[];
}

/** A longer message is cut: it is for people, and it is stored with every attempt. */
const MESSAGE_MAX = 4096;
const NAME_MAX = 100;
const VIOLATIONS_MAX = 100;

/** What a step threw, as the flow catches it. */
export class StepError extends Error {
  override readonly name = "StepError";

  constructor(
    /** The step that failed. */
    readonly step: string,
    /** What was thrown there. */
    readonly reason: StoredError,
  ) {
    super(`${step}: ${reason.message}`);
  }
}

/** A value broke a tool's contract. Trying again would not help. */
export class ContractError extends Error {
  override readonly name = "ContractError";

  constructor(
    what: string,
    readonly errors: readonly Violation[],
  ) {
    super(`${what}: ${describeViolations(errors)}`);
  }
}

/** `at`: what it is told to be at where it does not say so itself. */
export function storeError(thrown: unknown, at?: string): JsonText {
  return JSON.stringify(toStoredError(thrown, at));
}

/** Throws if the text is not that of an error. */
export function readError(text: JsonText): StoredError {
  const value: unknown = JSON.parse(text);
  if (!isObject(value) || typeof (value as { message?: unknown }).message !== "string") {
    throw new Error("The text is not that of an error.");
  }
  return value as unknown as StoredError;
}

/** What was thrown, for people. Never throws, whatever a user's code has thrown. */
export function messageOf(thrown: unknown): string {
  return toStoredError(thrown).message;
}

/** `instanceof`, of whatever a user's code has thrown or returned: a Proxy may throw at that as well. */
export function isA<T>(value: unknown, type: abstract new (...given: never[]) => T): value is T {
  try {
    return value instanceof type;
  } catch {
    return false;
  }
}

/** Total: no part of what was thrown is trusted to be what its type says, or to be readable at all. */
export function toStoredError(thrown: unknown, at?: string): StoredError {
  const stored = describe(thrown, { depth: 0, left: ERRORS_MAX });
  return at === undefined || stored.at !== undefined ? stored : { ...stored, at };
}

/** How deep we are, and how many errors may still be told in all: those that an error holds may be many, and hold others. */
interface Room {
  readonly depth: number;
  left: number;
}

function describe(thrown: unknown, room: Room): StoredError {
  // an error that a flow lets through is told as the step's own
  if (isA(thrown, StepError)) return { ...reasonOf(thrown), message: messageIn(thrown) };
  if (isA(thrown, ContractError)) {
    const errors = violationsOf(() => thrown.errors);
    return { name: "ContractError", message: messageIn(thrown), ...(errors && { errors }) };
  }
  if (isA(thrown, TaskonautError)) {
    const at = placeOf(thrown);
    return { name: nameOf(() => thrown.code), message: messageIn(thrown), ...(at !== undefined && { at }) };
  }
  if (isA(thrown, Error)) return describeError(thrown, room);
  return describeOther(thrown, room);
}

function describeOther(thrown: unknown, room: Room): StoredError {
  const { name, message, code, fields } = describeValue(thrown);
  const held = heldBy(thrown).slice(0, MEMBERS_MAX);
  const [cause, ...members] = held.flatMap((each) => within(room, each) ?? []);
  const told = message ?? (cause && [cause, ...members].map((each) => each.message).join("; "));
  return {
    name: name?.slice(0, NAME_MAX) ?? "Error",
    message: cut(told ?? UNSHOWN),
    ...(code !== undefined && { code }),
    ...(fields && { fields }),
    ...(cause && { cause }),
    ...(members.length > 0 && { members }),
  };
}

function describeError(error: Error, room: Room): StoredError {
  const code = read(() => (error as { code?: unknown }).code);
  const fields = isObject(error) ? toFields(error, (key, value) => !TOLD.has(key) && isPlain(value)) : undefined;
  const at = placeOf(error);
  const cause = within(room, read(() => error.cause) ?? undefined);
  const members = membersOf(error)
    ?.slice(0, MEMBERS_MAX)
    .flatMap((member) => within(room, member) ?? []);
  return {
    name: classOf(error),
    message: messageIn(error),
    ...((typeof code === "string" || typeof code === "number") && {
      code: typeof code === "string" ? cut(code) : code,
    }),
    ...(fields && { fields }),
    ...(at !== undefined && { at }),
    ...(cause && { cause }),
    ...(members && { members }),
  };
}

/** One that another holds; undefined where there is none, or no room. */
function within(room: Room, thrown: unknown): StoredError | undefined {
  if (thrown === undefined || room.depth === DEPTH_MAX || room.left === 0) return undefined;
  room.left -= 1;
  const inner = { depth: room.depth + 1, left: room.left };
  const described = describe(thrown, inner);
  room.left = inner.left;
  return described;
}

/** How far causes, and members of an AggregateError, are followed. */
const DEPTH_MAX = 5;
const MEMBERS_MAX = 10;
const ERRORS_MAX = 20;

/** Of the fields of what is thrown, in which errors are looked for. */
const HELD_MAX = 100;

/** Of one text of an error. */
const FIELD_MAX = 1024;

const UNSHOWN = "a value that cannot be shown was thrown";

/** As it was recorded, or as a flow made it up itself. */
function reasonOf(error: StepError): StoredError {
  const reason = read(() => error.reason);
  const stored = typeof reason === "object" && reason !== null ? read(() => JSON.stringify(reason)) : undefined;
  const copy = stored === undefined || stored.length > REASON_MAX ? undefined : (JSON.parse(stored) as StoredError);
  const errors = violationsOf(() => error.reason.errors);
  return { ...copy, name: nameOf(() => error.reason.name), message: "", ...(errors && { errors }) };
}

/** One that a step has stored is shorter. */
const REASON_MAX = 1_000_000;

/** What errors are called whose classes say nothing else. */
const NATIVE: ReadonlySet<string> = new Set([
  "Error",
  "AggregateError",
  "EvalError",
  "RangeError",
  "ReferenceError",
  "SyntaxError",
  "TypeError",
  "URIError",
]);

/** `class HttpError extends Error {}` calls its errors Error, as Error does. */
function classOf(error: Error): string {
  const name = nameOf(() => error.name);
  if (!NATIVE.has(name)) return name;
  const own = read(() => error.constructor.name);
  return typeof own === "string" && own !== "" ? own.slice(0, NAME_MAX) : name;
}

/** They have fields of their own above. */
const TOLD: ReadonlySet<string> = new Set(["name", "message", "stack", "code", "cause", "errors"]);

/** Those that it gathers; undefined: it is no error that does. */
function membersOf(error: Error): readonly unknown[] | undefined {
  if (isA(error, AggregateError)) return read(() => [...(error.errors as unknown[])]);
  // of `using`: what was thrown at its end, and what had been thrown before
  if (isA(error, SuppressedError)) return read(() => [error.error as unknown, error.suppressed as unknown]);
  const gathered = read(() => (error as { errors?: unknown }).errors);
  const errors = read(() => (Array.isArray(gathered) ? gathered.filter((each) => isA(each, Error)) : [])) ?? [];
  // under another name: `original`, `parent`
  const members = [...errors, ...heldBy(error)];
  return members.length === 0 ? undefined : members;
}

/** The errors that an object or a list holds, each once, besides its cause. */
function heldBy(holder: unknown): readonly Error[] {
  if (typeof holder !== "object" || holder === null) return [];
  const cause = isA(holder, Error) ? read(() => holder.cause) : undefined;
  const keys = (read(() => Object.keys(holder)) ?? []).slice(0, HELD_MAX);
  const values = keys.map((key) => read(() => (holder as Readonly<Record<string, unknown>>)[key]));
  const errors = values.filter((value) => isA(value, Error) && value !== cause && value !== holder);
  return [...new Set(errors as readonly Error[])];
}

/** Not what an error carries along: the request of an HTTP client has its secrets. */
function isPlain(value: unknown): boolean {
  if (typeof value === "string") return value.length <= FIELD_MAX;
  return typeof value === "boolean" || (typeof value === "number" && Number.isFinite(value));
}

const FRAME = /(?:\(|at |@)(?:file:\/\/)?(\/[^():\n][^()\n]*?:\d+:\d+)\)?$/gm;

/** The topmost frame in a file of the user's; in a package only where there is no other. */
export function placeOf(error: Error): string | undefined {
  const stack = stackOf(error);
  if (stack === undefined) return undefined;
  const frames = [...stack.slice(0, STACK_MAX).matchAll(FRAME)].flatMap(([, place = ""]) =>
    isOfProgram(place) ? [] : place,
  );
  return frames.find((place) => !place.includes("/node_modules/")) ?? frames[0];
}

const STACK_MAX = 20_000;

/** For whoever looks for a fault; undefined where it has none that is a text. */
export function stackOf(error: Error): string | undefined {
  const stack = read(() => error.stack); // the whole one is noted as soon as this one is read
  return wholeStackOf(error) ?? (typeof stack === "string" ? stack : undefined);
}

function messageIn(error: Error): string {
  return cut(asText(() => error.message) ?? UNSHOWN);
}

function nameOf(get: () => unknown): string {
  return asText(get)?.slice(0, NAME_MAX) ?? "Error";
}

function violationsOf(get: () => unknown): readonly Violation[] | undefined {
  return read(() => {
    const given = get();
    if (!Array.isArray(given)) return undefined;
    return given.slice(0, VIOLATIONS_MAX).map((violation: unknown) => {
      const { path, message } = Object(violation) as Partial<Violation>;
      return { path: cut(asText(() => path) ?? ""), message: cut(asText(() => message) ?? UNSHOWN) };
    });
  });
}

function cut(message: string): string {
  return message.length <= MESSAGE_MAX ? message : `${message.slice(0, MESSAGE_MAX)}… (${message.length} characters)`;
}
