// Errors as they are recorded, and rebuilt: a flow sees the same error live and on replay, because both times it is
// made from the stored text.

import { TaskonautError, describeViolations, type Violation } from "./errors.ts";
import type { JsonText } from "./record.ts";

export interface StoredError {
  /** The class that was thrown: `Error`, `TypeError`, `ContractError`, … */
  readonly name: string;
  readonly message: string;
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

export function storeError(thrown: unknown): JsonText {
  return JSON.stringify(toStoredError(thrown));
}

export function readError(text: JsonText): StoredError {
  return JSON.parse(text) as StoredError;
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
function toStoredError(thrown: unknown): StoredError {
  // an error that a flow lets through is told as the step's own
  if (isA(thrown, StepError))
    return withErrors(
      { name: nameOf(() => thrown.reason.name), message: messageIn(thrown) },
      () => thrown.reason.errors,
    );
  if (isA(thrown, ContractError))
    return withErrors({ name: "ContractError", message: messageIn(thrown) }, () => thrown.errors);
  if (isA(thrown, TaskonautError)) return { name: nameOf(() => thrown.code), message: messageIn(thrown) };
  if (isA(thrown, Error)) return { name: nameOf(() => thrown.name), message: messageIn(thrown) };
  return { name: "Error", message: cut(textOf(thrown) ?? UNSHOWN) };
}

const UNSHOWN = "a value that cannot be shown was thrown";

function messageIn(error: Error): string {
  return cut(asText(() => error.message) ?? UNSHOWN);
}

function nameOf(read: () => unknown): string {
  return asText(read)?.slice(0, NAME_MAX) ?? "Error";
}

function withErrors(error: StoredError, read: () => unknown): StoredError {
  try {
    const given = read();
    if (!Array.isArray(given)) return error;
    const errors = given.slice(0, VIOLATIONS_MAX).map((violation: unknown) => {
      const { path, message } = Object(violation) as Partial<Violation>;
      return { path: cut(asText(() => path) ?? ""), message: cut(asText(() => message) ?? UNSHOWN) };
    });
    return { ...error, errors };
  } catch {
    return error;
  }
}

/** What is no error. Of a plain object the text says nothing. */
function textOf(thrown: unknown): string | undefined {
  const text = asText(() => thrown);
  return text === "[object Object]" ? asText(() => JSON.stringify(thrown)) : text;
}

/** Undefined where it cannot be read as a text. */
function asText(read: () => unknown): string | undefined {
  try {
    return String(read());
  } catch {
    return undefined;
  }
}

function cut(message: string): string {
  return message.length <= MESSAGE_MAX ? message : `${message.slice(0, MESSAGE_MAX)}… (${message.length} characters)`;
}
