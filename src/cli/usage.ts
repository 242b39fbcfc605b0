import { describeViolations, TaskonautError, type Violation } from "../core/errors.ts";
import { suggest } from "../core/nearest.ts";
import { VALUE_SYNONYMS } from "./synonyms.ts";

/** What was typed cannot be done. One problem is the message; several are listed under it. */
export function usageError(problems: readonly Violation[]): TaskonautError {
  return problems.length === 1
    ? new TaskonautError("usage", describeViolations(problems))
    : new TaskonautError("usage", `There are ${problems.length} problems with the command line`, { errors: problems });
}

interface Range {
  readonly min: number;
  readonly max: number;
}

/** A whole number of `min` to `max` from an option's text; undefined where the option was not given. Throws usage. */
export function readCount(flags: ReadonlyMap<string, string>, name: string, range: Range): number | undefined {
  const text = flags.get(name);
  return text === undefined ? undefined : parseCount(`--${name}`, text, range);
}

/** `path` is where the text came from, for messages: `--limit`. Throws usage. */
export function parseCount(path: string, text: string, { min, max }: Range): number {
  const count = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (count >= min && count <= max) return count;
  throw usageError([{ path, message: `expected a whole number from ${min} to ${max}, got ${JSON.stringify(text)}` }]);
}

/** One of the words from an option's text; undefined where the option was not given. Throws usage. */
export function readWord<Word extends string>(
  flags: ReadonlyMap<string, string>,
  name: string,
  words: readonly Word[],
): Word | undefined {
  const text = flags.get(name);
  if (text === undefined) return undefined;
  const found = words.find((word) => word === text);
  if (found !== undefined) return found;
  throw usageError([notOneOf(words, `--${name}`, text)]);
}

export function notOneOf(words: readonly string[], path: string, text: string): Violation {
  const hint = suggest(text, words, VALUE_SYNONYMS);
  return { path, message: `expected ${words.join(", ")}, got ${JSON.stringify(text)}${hint}` };
}
