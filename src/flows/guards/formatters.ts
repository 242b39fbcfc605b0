// Formatters that were made at load without a language or a zone: they use those of the machine, and a flow must not.
// They are noted when they are made. Complete ones are allowed.

import { currentScope, isWatched, violate } from "../../core/flow/determinism.ts";
import { GIVE_LOCALE, GIVE_LOCALE_AND_ZONE, USE_NOW } from "./advice.ts";
import { callerOf } from "./caller.ts";
import { guardFunction, type Judge, markGuarded, propertyOf } from "./guard.ts";

const { Collator, DateTimeFormat, NumberFormat } = Intl;

/** The formatters with the machine's settings, and what each lacked. */
const ofMachine = new WeakMap<object, string>();

/** For a constructor: notes what it makes outside of flows. `judge` says which arguments are missing. */
export function rememberWhere(judge: Judge) {
  return (made: unknown, args: readonly unknown[]): unknown => {
    const lack = judge(args, true);
    if (lack !== undefined && typeof made === "object" && made !== null) ofMachine.set(made, lack);
    return made;
  };
}

/** For a method: refuses a formatter with the machine's settings. */
export const wantsOwnSettings: Judge = (_args, _isNew, self) =>
  typeof self === "object" && self !== null ? ofMachine.get(self) : undefined;

export const wantsLocale: Judge = ([locales]) => (locales === undefined ? GIVE_LOCALE : undefined);

export const wantsLocaleAndZone: Judge = ([locales, options]) => {
  const { timeZone } = (options ?? {}) as { readonly timeZone?: unknown };
  return locales === undefined || timeZone === undefined ? GIVE_LOCALE_AND_ZONE : undefined;
};

const wantsDate: Judge = ([date]) => (date === undefined ? USE_NOW : undefined);

export const wantsDateAndOwnSettings: Judge = (args, isNew, self) =>
  wantsDate(args, isNew) ?? wantsOwnSettings(args, isNew, self);

/**
 * `format` and `compare` are getters of bound functions. One made outside of flows can format the current time, too.
 */
export function guardFormats(): void {
  guardBound(NumberFormat.prototype, "format", "Intl.NumberFormat.format");
  guardBound(Collator.prototype as object, "compare", "Intl.Collator.compare");
  guardBound(DateTimeFormat.prototype, "format", "Intl.DateTimeFormat.format", (format, lack) =>
    guardFunction(format, {
      call: "Intl.DateTimeFormat.format",
      instead: lack ?? wantsDate,
      // packages format the current time to check whether a zone is valid
      answer: () => {
        const scope = currentScope();
        return scope && { value: format(scope.now) };
      },
    }),
  );
}

type Bound = (given?: number) => unknown;

/** `guard`: guards the getter's function. By default it stays as it is, unless it uses the machine's settings. */
function guardBound(
  prototype: object,
  key: string,
  call: string,
  guard = (bound: Bound, lack: string | undefined): Bound =>
    lack === undefined ? bound : guardFunction(bound, { call, instead: lack }),
): void {
  const property = propertyOf(prototype, key);
  const get = property?.get;
  if (!property || !get) return;
  const getter = function (this: object): unknown {
    const lack = ofMachine.get(this);
    if (lack !== undefined && isWatched()) {
      const caller = callerOf(getter);
      if (caller.package === undefined) violate(call, lack, caller);
    }
    return guard(Reflect.apply(get, this, []) as Bound, lack);
  };
  Object.defineProperty(prototype, key, { ...property, get: markGuarded(getter) });
}
