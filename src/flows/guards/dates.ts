// Dates. Forms that depend on the clock or the time zone of the machine are refused. Those that do not (`new Date(5)`,
// `Date.UTC(…)`, `getUTCHours()`) are allowed.

import { currentScope } from "../../core/flow/determinism.ts";
import { USE_NOW, USE_UTC } from "./advice.ts";
import type { Guard, Judge } from "./guard.ts";

type Answer = NonNullable<Guard["answer"]>;

/** Read before guards are installed, because the guards use it. */
const { Date: RealDate } = globalThis;

/** ISO 8601 without a time is read as UTC: a year of four digits, or of six with a sign. */
const IS_DAY = /^(?:\d{4}|[+-]\d{6})(?:-\d\d(?:-\d\d)?)?$/;

/** Any other text must have a zone after the time. A named zone counts also without a time. */
const HAS_ZONE =
  /:\d\d(?:[.,]\d+)?\s*(?:[ap]m\s*)?(?:Z|(?:GMT|UTC?)?[+-]\d\d:?\d\d|GMT|UTC?)(?:\s*\([^()]*\))?\s*$|[\s\d](?:GMT|UTC)\s*$/i;

export function hasZone(text: string): boolean {
  return IS_DAY.test(text) || HAS_ZONE.test(text);
}

/** A value that is converted to text is judged as text: a String object, a list, an object with a `toString`. */
const wantsZone: Judge = ([value]) => {
  const text = typeof value === "object" || typeof value === "function" ? toPrimitive(value) : value;
  return typeof text === "string" && !hasZone(text) ? USE_UTC : undefined;
};

/** `Date.parse` converts every value to text. */
export const wantsTextWithZone: Judge = ([value]) => (hasZone(String(value)) ? undefined : USE_UTC);

export const wantsTime: Judge = (args, isNew) => {
  if (!isNew || args.length === 0) return USE_NOW;
  return args.length > 1 ? USE_UTC : wantsZone(args, isNew);
};

/** For `new Date()` and `Date()` in a package. */
export const giveDate: Answer = (args, isNew) => {
  const now = currentScope()?.now;
  if (now === undefined || (isNew && args.length > 0)) return undefined;
  return { value: isNew ? new RealDate(now) : textInUtc(new RealDate(now)) };
};

export const giveNow: Answer = () => {
  const now = currentScope()?.now;
  return now === undefined ? undefined : { value: now };
};

/** A package that asks for the text usually only checks whether the date is valid. */
export const giveTextInUtc: Answer = (_args, _isNew, date) =>
  date instanceof RealDate ? { value: textInUtc(date) } : undefined;

/** Like `toString` in UTC. */
function textInUtc(date: Date): string {
  if (Number.isNaN(date.getTime())) return "Invalid Date";
  const [, weekday, day, month, rest] = /^(\w+), (\d+) (\w+) (.*) GMT$/.exec(date.toUTCString()) ?? [];
  return `${weekday} ${month} ${day} ${rest} GMT+0000 (Coordinated Universal Time)`;
}

/** Converts like `new Date(value)`, and throws the same errors. */
function toPrimitive(value: object | null): unknown {
  if (value === null || value instanceof RealDate) return value;
  const { [Symbol.toPrimitive]: own } = value as { readonly [Symbol.toPrimitive]?: (hint: string) => unknown };
  if (typeof own === "function") return Reflect.apply(own, value, ["default"]);
  const { valueOf, toString } = value as { valueOf: (this: unknown) => unknown; toString: (this: unknown) => string };
  const plain = valueOf.call(value);
  return typeof plain === "object" || typeof plain === "function" ? toString.call(value) : plain;
}
