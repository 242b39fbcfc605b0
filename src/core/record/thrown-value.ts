// What is thrown and is no error: `{ status: 402, detail }`, a list, a Response, an object of a class. It is told as an
// error is, so that a person who has only the record knows what it was, and a flow can tell it from others.

import type { Json } from "./json-value.ts";
import { asText, isObject, read } from "./untrusted.ts";

/** All of it is bounded, and none of it throws. */
export interface ThrownValue {
  /** Of its class, or what it calls itself; undefined: it is of no class of its own. */
  readonly name: string | undefined;
  /** Undefined: it says nothing. */
  readonly message: string | undefined;
  readonly code: string | number | undefined;
  readonly fields: { readonly [key: string]: Json } | undefined;
}

export function describeValue(thrown: unknown): ThrownValue {
  const said = bySaying(thrown);
  if (!isObject(said)) return { name: undefined, message: textOf(said), code: undefined, fields: undefined };
  const fields = toFields(responseOf(said) ?? said, () => true);
  const { message, name, code } = fields ?? {};
  const isNamed = typeof name === "string" && typeof message === "string" && name !== "";
  return {
    name: isNamed ? name : classOf(said),
    message: typeof message === "string" ? message : textOf(said, fields),
    code: typeof code === "string" || typeof code === "number" ? code : undefined,
    fields,
  };
}

/** Of all fields together, of one text, and of the members of one list or object. */
const FIELDS_MAX = 4096;
const FIELD_MAX = 1024;
const MEMBERS_MAX = 100;
const DEPTH_MAX = 6;

/** Its own, as JSON; undefined where there is nothing to say. What JSON has no word for is told as a text. */
export function toFields(
  of: Readonly<Record<string, unknown>>,
  isTold: (key: string, value: unknown) => boolean,
): { [key: string]: Json } | undefined {
  const fields: [string, Json][] = [];
  let left = FIELDS_MAX;
  for (const key of (read(() => Object.keys(of)) ?? []).slice(0, FIELD_MAX)) {
    const value = read(() => of[key]);
    const told = isTold(key, value) ? toJson(value, [of]) : undefined;
    if (told === undefined) continue;
    left -= JSON.stringify(told).length + key.length;
    if (left < 0) break;
    fields.push([key, told]);
  }
  return fields.length === 0 ? undefined : Object.fromEntries(fields);
}

/** `within`: the objects that hold it, outermost first. Undefined: it is left out, as what holds itself is. */
function toJson(value: unknown, within: readonly unknown[]): Json | undefined {
  switch (typeof value) {
    case "string":
      return value.length <= FIELD_MAX ? value : `${value.slice(0, FIELD_MAX)}… (${value.length} characters)`;
    case "boolean":
      return value;
    case "number":
      return Number.isFinite(value) ? value : String(value);
    case "bigint":
    case "symbol":
      return String(value);
    case "object":
      break;
    case "undefined":
    case "function":
      return undefined;
  }
  if (value === null) return null;
  if (within.length > DEPTH_MAX || within.includes(value)) return undefined;
  const holders = [...within, value];
  const said = bySaying(value);
  if (said !== value) return toJson(said, holders);
  if (read(() => value instanceof Error) === true) return undefined; // it is told of its own
  const members = listOf(value);
  if (members) return members.slice(0, MEMBERS_MAX).map((member) => toJson(member, holders) ?? null);
  const entries = (read(() => Object.keys(value)) ?? []).slice(0, MEMBERS_MAX).flatMap((key): [string, Json][] => {
    const told = toJson(
      read(() => (value as Readonly<Record<string, unknown>>)[key]),
      holders,
    );
    return told === undefined ? [] : [[key, told]];
  });
  return Object.fromEntries(entries);
}

function listOf(value: object): readonly unknown[] | undefined {
  return read(() => (Array.isArray(value) || value instanceof Set || value instanceof Map ? [...value] : undefined));
}

/** What it says of itself to JSON, which may leave secrets out. */
function bySaying(value: unknown): unknown {
  // its own text is in local time, which is refused in flows
  if (read(() => value instanceof Date) === true) {
    return read(() => (value as Date).toISOString()) ?? "Invalid Date";
  }
  const say = read(() => (isObject(value) ? value["toJSON"] : undefined));
  return typeof say === "function" ? read(() => say.call(value) as unknown) : value;
}

/** A response that was thrown as it came has no fields of its own. */
function responseOf(value: object): Readonly<Record<string, unknown>> | undefined {
  return read(() => {
    if (!(value instanceof Response)) return undefined;
    const { status, statusText, url } = value;
    // what follows it may be a secret
    const [place = ""] = url.split("?");
    const message = [status, statusText, place].filter((part) => part !== "").join(" ");
    return { message, status, ...(place !== "" && { url: place }) };
  });
}

function textOf(value: unknown, fields?: Readonly<Record<string, Json>>): string | undefined {
  const message = isObject(value) ? read(() => value["message"]) : undefined;
  if (typeof message === "string") return message;
  if (read(() => Array.isArray(value)) === true) return JSON.stringify(toJson(value, []));
  const text = asText(() => value);
  const saysSomething = text !== undefined && !/^\[object \w*\]$/u.test(text);
  if (saysSomething) return text;
  return fields && JSON.stringify(fields);
}

function classOf(value: object): string | undefined {
  const name = read(
    () => (Object.getPrototypeOf(value) as { constructor?: { name?: unknown } } | null)?.constructor?.name,
  );
  return typeof name === "string" && name !== "" && name !== "Object" ? name : undefined;
}
