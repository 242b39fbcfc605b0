// Dates and texts for people: the forms that depend on the clock, the time zone or the language of the machine are
// guarded; those that do not (`new Date(5)`, `Date.UTC(…)`, `getUTCHours()`, `toLocaleString("en")`) pass.

import { GIVE_LOCALE, GIVE_LOCALE_AND_ZONE, USE_NOW, USE_UTC } from "./advice.ts";
import { guardFunction, guardMembers, propertyOf, type Judge } from "./guard.ts";

export function guardDates(): void {
  guardMembers(Date, ["now", "parse"], (key) => ({
    call: `Date.${key}`,
    instead: key === "now" ? USE_NOW : wantsZone,
  }));
  guardMembers(Date.prototype, namesOf(Date.prototype, LOCAL_METHODS), (key) => ({
    call: `date.${key}`,
    instead: USE_UTC,
  }));
  guardMembers(Date.prototype, ["toLocaleString", "toLocaleDateString", "toLocaleTimeString"], (key) => ({
    call: `date.${key}`,
    instead: wantsLocaleAndZone,
  }));
  globalThis.Date = guardFunction(Date, {
    call: "Date",
    instead: (args, isNew) =>
      !isNew || args.length === 0 ? USE_NOW : args.length > 1 ? USE_UTC : wantsZone(args, isNew),
  });
}

export function guardTexts(): void {
  for (const { prototype } of [Number, BigInt, Array]) {
    guardMembers(prototype, ["toLocaleString"], (key) => ({ call: key, instead: wantsLocale(0) }));
  }
  guardMembers(String.prototype, ["toLocaleLowerCase", "toLocaleUpperCase"], (key) => ({
    call: key,
    instead: wantsLocale(0),
  }));
  guardMembers(String.prototype, ["localeCompare"], (key) => ({ call: key, instead: wantsLocale(1) }));
  guardMembers(Intl, FORMATTERS, (key) => ({ call: `Intl.${key}`, instead: wantsLocale(0) }));
  guardMembers(Intl.DateTimeFormat.prototype, ["formatToParts"], (key) => ({
    call: `Intl.DateTimeFormat.${key}`,
    instead: wantsDate,
  }));
  for (const [name, type] of temporalTypes()) {
    // the one type that is shown in a zone and has none
    const instead = name === "Instant" ? wantsLocaleAndZone : wantsLocale(0);
    guardMembers(type.prototype, ["toLocaleString"], () => ({ call: `Temporal.${name}.toLocaleString`, instead }));
  }
  guardFormat();
  guardMembers(Intl, ["DateTimeFormat"], (key) => ({ call: `Intl.${key}`, instead: wantsLocaleAndZone }));
}

const LOCAL_METHODS = /^(?:get|set)(?!UTC|Time$)|^to(?:Date|Time)?String$/;

/** Those that take (locales, options) and read no clock. */
const FORMATTERS = [
  "Collator",
  "DisplayNames",
  "DurationFormat",
  "ListFormat",
  "NumberFormat",
  "PluralRules",
  "RelativeTimeFormat",
  "Segmenter",
];

/** A date without a time is read as UTC; every other text must say its zone. */
const HAS_ZONE = /^[+-]?\d{4,6}(-\d\d){0,2}$|(?:Z|[+-]\d\d:?\d\d|\b(?:GMT|UTC))(?:\s*\([^)]*\))?\s*$/i;

const wantsZone: Judge = ([text]) => (typeof text === "string" && !HAS_ZONE.test(text) ? USE_UTC : undefined);
const wantsDate: Judge = ([date]) => (date === undefined ? USE_NOW : undefined);
const wantsLocaleAndZone: Judge = ([locales, options]) =>
  locales !== undefined && hasTimeZone(options) ? undefined : GIVE_LOCALE_AND_ZONE;

function wantsLocale(index: number): Judge {
  return (args) => (args[index] === undefined ? GIVE_LOCALE : undefined);
}

function hasTimeZone(options: unknown): boolean {
  return typeof options === "object" && options !== null && "timeZone" in options && options.timeZone !== undefined;
}

/** `format` is a getter that gives a bound function: a formatter made outside of flows formats the time of now as well. */
function guardFormat(): void {
  const { prototype } = Intl.DateTimeFormat;
  const property = propertyOf(prototype, "format");
  const get = property?.get;
  if (!property || !get) return;
  Object.defineProperty(prototype, "format", {
    ...property,
    get(this: unknown) {
      const format = Reflect.apply(get, this, []) as (date?: number) => string;
      return guardFunction(format, { call: "Intl.DateTimeFormat.format", instead: wantsDate });
    },
  });
}

/** Not in TypeScript's library yet. */
function temporalTypes(): readonly (readonly [string, { readonly prototype: object }])[] {
  const { Temporal = {} } = globalThis as { readonly Temporal?: object };
  return Object.getOwnPropertyNames(Temporal).flatMap((name) => {
    const type: unknown = propertyOf(Temporal, name)?.value;
    return typeof type === "function" ? [[name, type] as const] : [];
  });
}

function namesOf(object: object, form: RegExp): string[] {
  return Object.getOwnPropertyNames(object).filter((name) => form.test(name));
}
