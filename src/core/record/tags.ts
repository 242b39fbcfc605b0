// Tags of a task: text to text, by which it is found. They are recorded as one JSON object, with their keys in order.

import type { Violation } from "../errors.ts";
import type { JsonText } from "./record.ts";
import { isObject } from "./untrusted.ts";

export type Tags = Readonly<Record<string, string>>;

/** Of one task. */
export const TAGS_MAX = 20;

/** Of a key, and of a value, in UTF-8. */
const TAG_BYTES_MAX = 256;

/** What is wrong with tags that somebody gave; empty: nothing. `path` is where they stand. */
export function tagViolations(tags: unknown, path: string): readonly Violation[] {
  if (typeof tags !== "object" || tags === null || Array.isArray(tags)) {
    return [{ path, message: 'expected an object of texts, such as { customer: "c1" }' }];
  }
  const entries = Object.entries(tags);
  const errors = entries.flatMap(([key, value]) => {
    const at = `${path}.${key}`;
    const ofKey = tagTextProblem(key);
    if (ofKey !== undefined) return [{ path: at, message: `the key ${ofKey}` }];
    if (key === "" || key.includes("=")) return [{ path: at, message: "a key is not empty, and has no =" }];
    if (typeof value !== "string") return [{ path: at, message: `expected a text, received ${kindOf(value)}` }];
    const ofValue = tagTextProblem(value);
    return ofValue === undefined ? [] : [{ path: at, message: `the value ${ofValue}` }];
  });
  const tooMany = entries.length > TAGS_MAX ? [{ path, message: tooManyTags(entries.length) }] : [];
  return [...tooMany, ...errors];
}

function kindOf(value: unknown): string {
  return value === null ? "null" : Array.isArray(value) ? "a list" : typeof value;
}

export function tooManyTags(count: number): string {
  return `a task has at most ${TAGS_MAX} tags, these are ${count}`;
}

/** Of `key=value`: its two sides; else what is wrong with it. */
export function readTag(text: string): { readonly key: string; readonly value: string } | { readonly problem: string } {
  const equals = text.indexOf("=");
  if (equals < 1) return { problem: `expected key=value, got ${JSON.stringify(text)}` };
  const [key, value] = [text.slice(0, equals), text.slice(equals + 1)];
  const [ofKey, ofValue] = [tagTextProblem(key), tagTextProblem(value)];
  if (ofKey !== undefined) return { problem: `the key ${ofKey}` };
  return ofValue === undefined ? { key, value } : { problem: `the value ${ofValue}` };
}

/** Of several `key=value`, each key once; undefined: there are none. */
export function readTagTexts(
  texts: readonly string[],
  path: string,
): { readonly tags: Tags | undefined; readonly errors: readonly Violation[] } {
  if (texts.length === 0) return { tags: undefined, errors: [] };
  const tags = new Map<string, string>(); // a key may be any word, also __proto__
  const errors: Violation[] = [];
  for (const text of texts) {
    const tag = readTag(text);
    if ("problem" in tag) errors.push({ path, message: tag.problem });
    else if (tags.has(tag.key)) errors.push({ path, message: `${JSON.stringify(tag.key)} is given twice` });
    else tags.set(tag.key, tag.value);
  }
  if (tags.size > TAGS_MAX) errors.push({ path, message: tooManyTags(tags.size) });
  return { tags: Object.fromEntries(tags), errors };
}

function tagTextProblem(text: string): string | undefined {
  if (text.includes("\0") || !text.isWellFormed()) return "must not hold NUL or half of a surrogate pair";
  const bytes = Buffer.byteLength(text);
  return bytes > TAG_BYTES_MAX ? `has ${bytes} bytes, at most ${TAG_BYTES_MAX} are allowed` : undefined;
}

/** As they are recorded; null: there are none. */
export function toTagsText(tags: Tags): JsonText | null {
  const entries = Object.entries(tags).toSorted(([one], [other]) => (one < other ? -1 : 1));
  return entries.length === 0 ? null : JSON.stringify(Object.fromEntries(entries));
}

/** Throws if the text is not that of tags. */
export function readTags(text: JsonText | null): Tags {
  if (text === null) return {};
  const tags: unknown = JSON.parse(text);
  if (!isObject(tags) || Object.values(tags).some((value) => typeof value !== "string")) {
    throw new Error("The text is not that of tags.");
  }
  return tags as Tags;
}
