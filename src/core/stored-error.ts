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

function toStoredError(thrown: unknown): StoredError {
  // an error that a flow lets through is told as the step's own
  if (thrown instanceof StepError) return { ...thrown.reason, message: cut(thrown.message) };
  if (thrown instanceof ContractError)
    return { name: thrown.name, message: cut(thrown.message), errors: thrown.errors };
  if (thrown instanceof TaskonautError) return { name: thrown.code, message: cut(thrown.message) };
  if (thrown instanceof Error) return { name: asText(() => thrown.name), message: cut(asText(() => thrown.message)) };
  return { name: "Error", message: cut(asText(() => thrown)) };
}

function asText(read: () => unknown): string {
  try {
    return String(read());
  } catch {
    return "a value that cannot be shown was thrown";
  }
}

function cut(message: string): string {
  return message.length <= MESSAGE_MAX ? message : `${message.slice(0, MESSAGE_MAX)}… (${message.length} characters)`;
}
