// Texts for people: the forms that depend on the language or the time zone of the machine, or format the time of now, are
// refused; those that say them (`toLocaleString("en")`) pass.

import { currentScope } from "../../core/flow/determinism.ts";
import { GIVE_LOCALE, GIVE_LOCALE_AND_ZONE, USE_NOW } from "./advice.ts";
import { guardFunction, propertyOf, type Guard, type Judge } from "./guard.ts";

const { DateTimeFormat } = Intl;

export const wantsLocale: Judge = ([locales]) => (locales === undefined ? GIVE_LOCALE : undefined);
export const wantsLocaleAfterText: Judge = ([, locales]) => (locales === undefined ? GIVE_LOCALE : undefined);
export const wantsDate: Judge = ([date]) => (date === undefined ? USE_NOW : undefined);

export const wantsLocaleAndZone: Judge = ([locales, options]) => {
  const { timeZone } = (options ?? {}) as { readonly timeZone?: unknown };
  return locales === undefined || timeZone === undefined ? GIVE_LOCALE_AND_ZONE : undefined;
};

/** A package that asks for the machine's language and zone. One with a language and no zone would keep it for all. */
export const giveFormat: NonNullable<Guard["answer"]> = (args) =>
  args.length === 0 ? { value: new DateTimeFormat("en-US", { timeZone: "UTC" }) } : undefined;

/** `format` is a getter that gives a bound function: a formatter made outside of flows formats the time of now as well. */
export function guardFormat(): void {
  const { prototype } = DateTimeFormat;
  const property = propertyOf(prototype, "format");
  const get = property?.get;
  if (!property || !get) return;
  Object.defineProperty(prototype, "format", {
    ...property,
    get(this: unknown) {
      const format = Reflect.apply(get, this, []) as (date?: number) => string;
      return guardFunction(format, {
        call: "Intl.DateTimeFormat.format",
        instead: wantsDate,
        // to see whether a zone is one, packages format the time of now with it
        answer: () => {
          const scope = currentScope();
          return scope && { value: format(scope.now) };
        },
      });
    },
  });
}
