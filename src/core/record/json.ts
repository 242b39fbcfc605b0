// JSON as the one form of every recorded value: what a flow sees live is `JSON.parse` of what is stored.

import type { Violation } from "../errors.ts";
import type { JsonText } from "./record.ts";
import { messageOf } from "./stored-error.ts";
import type { Json } from "./json-value.ts";

/** Values nested deeper than this are refused, so that no recursion over them can overflow the stack. */
export const JSON_DEPTH_MAX = 256;

export type JsonResult =
  | { readonly ok: true; readonly text: JsonText }
  | { readonly ok: false; readonly errors: readonly Violation[] };

/**
 * Writes a value as JSON text, or says where it holds what JSON cannot carry (Date, Map, class instances, bigint, NaN,
 * functions, cycles). An undefined property is left out, an undefined value becomes null, both as everywhere in JSON.
 * Never throws: what a getter of the value throws, or a Proxy, is a violation of the whole.
 */
export function toJsonText(value: unknown): JsonResult {
  const errors: Violation[] = [];
  try {
    findUncarried(value === undefined ? null : value, "", 0, errors);
    if (errors.length > 0) return { ok: false, errors };
    return { ok: true, text: JSON.stringify(value === undefined ? null : value) };
  } catch (thrown) {
    return { ok: false, errors: [{ path: "", message: `it cannot be read: ${messageOf(thrown)}` }] };
  }
}

export function parseJson(text: JsonText): Json {
  return JSON.parse(text) as Json;
}

/** The same text for every two values that are equal as JSON, whatever the order of their keys. */
export function canonicalJson(text: JsonText): JsonText {
  return JSON.stringify(sortKeys(parseJson(text)));
}

const ERRORS_MAX = 20;

/** In characters. A value that holds itself is nested without end, and nobody reads `a.a.a.…` to its end. */
const PATH_MAX = 200;

function findUncarried(value: unknown, path: string, depth: number, errors: Violation[]): void {
  if (errors.length >= ERRORS_MAX) return;
  switch (typeof value) {
    case "string":
    case "boolean":
      return;
    case "number":
      if (!Number.isFinite(value)) errors.push({ path, message: `JSON has no ${value}` });
      return;
    case "object":
      if (value === null) return;
      if (depth >= JSON_DEPTH_MAX) {
        errors.push({ path, message: `nested deeper than ${JSON_DEPTH_MAX} levels` });
        return;
      }
      if (Array.isArray(value)) {
        for (let i = 0; i < value.length; i++) findUncarried(value[i], join(path, i), depth + 1, errors);
        return;
      }
      if (!isPlain(value)) {
        errors.push({ path, message: `JSON cannot carry a ${classOf(value)}` });
        return;
      }
      for (const key of Object.keys(value)) {
        const member = (value as Record<string, unknown>)[key];
        if (member !== undefined) findUncarried(member, join(path, key), depth + 1, errors);
      }
      return;
    case "undefined":
    case "bigint":
    case "function":
    case "symbol":
      errors.push({ path, message: `JSON cannot carry a value of type ${typeof value}` });
      return;
  }
}

function isPlain(value: object): boolean {
  if ("toJSON" in value && typeof value.toJSON === "function") return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

/** A generator has no class with a name, and says what it is all the same. */
function classOf(value: object): string {
  const { name } = value.constructor ?? {};
  if (typeof name === "string" && name !== "") return name;
  const tag = Object.prototype.toString.call(value).slice(8, -1);
  return tag === "Object" ? "object of a class" : tag;
}

function sortKeys(value: Json): Json {
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map(sortKeys);
  const object = value as { readonly [key: string]: Json };
  // entries, not assignments: a key may be called __proto__
  return Object.fromEntries(
    Object.keys(object)
      .toSorted()
      .map((key) => [key, sortKeys(object[key] as Json)]),
  );
}

function join(path: string, key: string | number): string {
  if (path.length >= PATH_MAX) return path;
  const joined = path === "" ? String(key) : `${path}.${key}`;
  return joined.length < PATH_MAX ? joined : `${joined.slice(0, PATH_MAX - 1)}…`;
}
